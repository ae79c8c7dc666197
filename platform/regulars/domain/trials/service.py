"""Back-tests: settings tried on the program's own past sales, by a job that can be watched and cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.staff.permissions import require
from regulars.domain.trials import repository
from regulars.domain.trials.draft import Changes
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.jobs import enqueue

JOB = "core.back_test"
PERMISSION = "programs.manage"
MAX_DAYS = 3 * 366
LATEST = 5
Status = Literal["waiting", "running", "done", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class BackTest:
    """A back-test.

    Attributes:
        changes: plugin → field → value that is tried.
        since, until: sales from the one moment to just before the other.
        total, seen: sales that can be judged, and those that are.
        result: what it came to, see `tally`, with `unjudged` (sales of which nothing was kept) and `worth` (unit → then
            and now: minor units of money and for how many units); `None` until it is done.
        problem: name of the plugin that failed, empty when none did.
    """

    id: UUID
    program_id: UUID
    changes: Changes
    since: datetime
    until: datetime
    status: Status
    total: int
    seen: int
    result: Mapping[str, Any] | None
    problem: str
    actor_name: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.status in {"waiting", "running"}


@dataclass(frozen=True, slots=True)
class Brief:
    """A back-test in a list."""

    id: UUID
    status: Status
    since: datetime
    until: datetime
    actor_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Mover:
    """A card that gains or loses much."""

    member_id: UUID
    name: str
    number: str
    old: int
    new: int


async def begin(session: TenantSession, ctx: Context, program_id: UUID, changes: Changes, days: int) -> UUID:
    """Try settings on the sales of the last days; a job does it.

    Args:
        session: the unit of work.
        ctx: somebody with `programs.manage`.
        program_id: whose sales.
        changes: what is tried; nothing is a proof that the rules in force give what they gave.
        days: how far back.

    Returns:
        The back-test's id.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or somebody who may not change programs.
        InvalidInput: the period is too short or too long.
        Conflict: another one of this program is not done yet.
    """
    require(ctx, PERMISSION)
    if not 1 <= days <= MAX_DAYS:
        sentence = _("From 1 to %(days)s days are possible.", days=MAX_DAYS)
        raise InvalidInput(sentence, fields={"days": sentence})
    await session.execute(repository.GIVE_UP, {"tenant": session.tenant_id, "program": program_id})
    now: datetime = await session.scalar(repository.NOW)
    row = {
        "tenant_id": session.tenant_id,
        "id": new_id(),
        "program_id": program_id,
        "changes": {plugin: dict(values) for plugin, values in changes.items()},
        "since": now - timedelta(days=days),
        "until": now,
        "actor_name": ctx.principal.name,
    }
    back_test_id: UUID | None = await session.scalar(repository.BEGIN, row)
    if back_test_id is None:
        raise Conflict(_("Another test of this program is running. Wait for its end, or cancel it."))
    await enqueue(session, JOB, {"id": back_test_id})
    details = {"days": days, "plugins": sorted(changes)}
    await audit.record(session, ctx, "rules.back_tested", "program", program_id, details)
    return back_test_id


async def get(session: TenantSession, ctx: Context, back_test_id: UUID) -> BackTest:
    """One back-test.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or somebody who may not change programs.
        NotFound: the tenant has no such back-test.
    """
    require(ctx, PERMISSION)
    row = await session.one_or_none(repository.GET, {"tenant": session.tenant_id, "this": back_test_id})
    if row is None:
        raise NotFound(_("We could not find this test."))
    return BackTest(**{name: getattr(row, name) for name in BackTest.__dataclass_fields__})


async def latest(session: TenantSession, ctx: Context, program_id: UUID) -> Sequence[Brief]:
    """The last few back-tests of a program, newest first; errors as for `get`."""
    require(ctx, PERMISSION)
    where = {"tenant": session.tenant_id, "program": program_id, "most": LATEST}
    return [Brief(**row._mapping) for row in await session.rows(repository.LATEST, where)]


async def cancel(session: TenantSession, ctx: Context, back_test_id: UUID) -> None:
    """End a back-test that is not done; one that is stays as it is. Errors as for `get`."""
    found = await get(session, ctx, back_test_id)
    if await session.scalar(repository.CANCEL, {"tenant": session.tenant_id, "this": back_test_id}) is not None:
        await audit.record(session, ctx, "rules.back_test_cancelled", "program", found.program_id)


async def movers(session: TenantSession, places: Sequence[Sequence[Any]]) -> Sequence[Mover]:
    """Cards of a result with whom they belong to, in the same order; those that are gone are left out.

    Args:
        session: the transaction.
        places: card, units then, units now; as the result has them.
    """
    cards = [UUID(place[0]) for place in places]
    rows = await session.rows(repository.NAMES, {"tenant": session.tenant_id, "cards": cards})
    known = {row.id: row for row in rows}
    return [
        Mover(row.member_id, row.name or row.email, row.number, old, new)
        for card, old, new in places
        if (row := known.get(UUID(card))) is not None
    ]
