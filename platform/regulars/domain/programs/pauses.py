"""Pauses of a program: nothing is collected, no date of what is on cards runs, balances stay.

While a program pauses, and until all dates have been moved on afterwards, `is_frozen` holds: expiry, the release of
what is pending and the end of rewards that are put aside must leave its cards alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.programs import pauses_repository as repository
from regulars.domain.programs import service
from regulars.domain.programs.changes import checked_note
from regulars.domain.staff.permissions import require
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.jobs import enqueue

SHIFT, TELL = "core.shift_dates", "core.tell_pause"
AT_ONCE = 1_000
"""Cards whose dates one job moves on."""
LONGEST = timedelta(days=366)
_NO_CARD = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause.

    Attributes:
        until: when it ends by itself, `None` for not.
        redeems: whether rewards can be had in it.
        tells_members: whether members get a mail at its beginning and end.
        ended_at: when the program began to give again.
        shifted_to: the last card whose dates were moved on.
        finished_at: when all were.
    """

    id: UUID
    program_id: UUID
    started_at: datetime
    until: datetime | None
    redeems: bool
    tells_members: bool
    note: str
    ended_at: datetime | None
    shifted_to: UUID | None
    finished_at: datetime | None


async def begin(
    session: TenantSession,
    ctx: Context,
    program_id: UUID,
    *,
    until: datetime | None,
    redeems: bool,
    tells_members: bool,
    note: str,
) -> None:
    """Let an open program pause.

    Args:
        session: the transaction.
        ctx: who acts; needs `programs.manage`.
        program_id: the program.
        until, redeems, tells_members, note: see `Pause`.

    Raises:
        InvalidInput: the end is past or too far, or the note too long.
        Conflict: the program is not open, or its last pause is still being settled.
        NotFound: there is no such program.
    """
    require(ctx, "programs.manage")
    note, now = checked_note(note), await session.scalar(repository.NOW)
    if until is not None and not now < until <= now + LONGEST:
        raise InvalidInput(fields={"until": _("Choose a moment in the future, at most a year from now.")})
    await service.set_paused(session, program_id, is_paused=True)
    if await _open(session, program_id) is not None:
        raise Conflict(_("The last pause is still being settled. Please try again in a few minutes."))
    pause_id = new_id()
    row = {
        "tenant_id": session.tenant_id,
        "id": pause_id,
        "program_id": program_id,
        "started_at": now,
        "until": until,
        "redeems": redeems,
        "tells_members": tells_members,
        "note": note,
        "actor_kind": ctx.principal.kind,
        "actor_id": ctx.principal.id,
        "actor_name": ctx.principal.name,
    }
    await session.execute(repository.INSERT, row)
    if tells_members:
        await enqueue(session, TELL, {"pause": pause_id, "is_over": False}, dedup_key=f"{pause_id} begin")
    await audit.record(session, ctx, "program.paused", "program", program_id, {"until": until, "redeems": redeems})


async def end(session: TenantSession, ctx: Context, program_id: UUID) -> None:
    """Let a program give again; a job then moves the dates of its cards on by the length of the pause.

    Raises:
        Conflict: it does not pause.
        NotFound: there is no such program.
    """
    require(ctx, "programs.manage")
    await service.set_paused(session, program_id, is_paused=False)
    pause = await _open(session, program_id)
    assert pause is not None
    await _end(session, ctx, pause)


async def end_due(session: TenantSession, ctx: Context, pause_id: UUID) -> None:
    """End a pause whose moment has come; nothing when somebody was faster.

    Args:
        session: the transaction.
        ctx: of the job.
        pause_id: the pause.
    """
    row = await session.one_or_none(repository.OF, {"tenant": session.tenant_id, "pause": pause_id})
    if row is None or not await service.resume_if_paused(session, row.program_id):
        return
    pause = await _open(session, row.program_id)
    if pause is not None and pause.ended_at is None:
        await _end(session, ctx, pause)


async def _end(session: TenantSession, ctx: Context, pause: Pause) -> None:
    await session.execute(repository.END, {"tenant": session.tenant_id, "pause": pause.id})
    await enqueue(session, SHIFT, {"pause": pause.id}, dedup_key=str(pause.id))
    if pause.tells_members:
        await enqueue(session, TELL, {"pause": pause.id, "is_over": True}, dedup_key=f"{pause.id} end")
    await audit.record(session, ctx, "program.resumed", "program", pause.program_id)


async def current(session: TenantSession, program_id: UUID) -> Pause | None:
    """The pause that a program is in."""
    pause = await _open(session, program_id)
    return pause if pause is not None and pause.ended_at is None else None


async def get(session: TenantSession, pause_id: UUID) -> Pause:
    """A pause.

    Raises:
        NotFound: there is no such pause.
    """
    row = await session.one_or_none(repository.ONE, {"tenant": session.tenant_id, "pause": pause_id})
    if row is None:
        raise NotFound
    return Pause(**row._mapping)


async def shift_dates(session: TenantSession, pause_id: UUID) -> None:
    """Move the dates of the next cards on, and make the job for those after them; each card's once.

    The mark how far it has come commits with the dates, so a job that is run again goes on where it stopped.
    """
    row = await session.one_or_none(repository.LOCK, {"tenant": session.tenant_id, "pause": pause_id})
    if row is None or row.finished_at is not None:
        return
    pause = Pause(**row._mapping)
    of = {"of_tenant": session.tenant_id, "of_program": pause.program_id}
    after = pause.shifted_to or _NO_CARD
    cards = [row.id for row in await session.rows(repository.CARDS, {**of, "after": after, "size": AT_ONCE})]
    if cards:
        part = {**of, "first": cards[0], "last": cards[-1], "began": pause.started_at, "ended": pause.ended_at}
        await session.execute(repository.SHIFT_LOTS, part)
        await session.execute(repository.SHIFT_PENDING, part)
        await session.execute(repository.SHIFT_HOLDS, part)
        where = {"tenant": session.tenant_id, "pause": pause.id}
        await session.execute(repository.SHIFTED, {**where, "card": cards[-1]})
    if len(cards) == AT_ONCE:
        await enqueue(session, SHIFT, {"pause": pause.id}, dedup_key=f"{pause.id} {cards[-1]}")
    else:
        await session.execute(repository.FINISH, {"tenant": session.tenant_id, "pause": pause.id})


async def _open(session: TenantSession, program_id: UUID) -> Pause | None:
    """The pause that is not settled yet; the program is locked."""
    row = await session.one_or_none(repository.OPEN, {"tenant": session.tenant_id, "program": program_id})
    return Pause(**row._mapping) if row else None
