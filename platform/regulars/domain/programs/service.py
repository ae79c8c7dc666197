"""Programs of a tenant: what they are called, where and in which money they run, and whether they are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from babel.numbers import list_currencies

from regulars.contracts.context import Context, ProgramInfo
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.programs import repository
from regulars.domain.staff.permissions import require
from regulars.domain.tenants.limits import require_feature, require_room
from regulars.domain.wallets.soon import sync_soon
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock
from regulars.kernel.i18n import N_
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import one_line
from regulars.kernel.timezones import timezone_names

Status = Literal["setup", "active", "paused", "inactive"]
KINDS: Mapping[str, str] = MappingProxyType(
    {"stamps": N_("Stamps"), "points": N_("Points"), "hybrid": N_("Both systems")}
)
"""Kind of program → title; a tenant may have those that are among its features."""
PLUGINS_OF_KIND: Mapping[str, frozenset[str]] = MappingProxyType(
    {"stamps": frozenset({"stamps"}), "points": frozenset({"points"}), "hybrid": frozenset({"stamps", "points"})}
)
"""Kind of program → plugins whose units it gives."""
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Program:
    """A loyalty program.

    Attributes:
        timezone: IANA name; days, birthdays and expiry go by it.
        currency: ISO 4217 code.
        require_pin: whether till operations need a staff PIN.
        household_size: how many cards may share what is on them, 0 for none.
        claim_days: of how many days earlier purchases count, 0 for none.
    """

    id: UUID
    name: str
    kind: str
    status: Status
    timezone: str
    currency: str
    require_pin: bool
    created_at: datetime
    household_size: int = 0
    claim_days: int = 0

    @property
    def info(self) -> ProgramInfo:
        """The program as hooks see it."""
        return ProgramInfo(self.id, self.name, self.kind, self.status, self.timezone, self.currency)


@dataclass(frozen=True, slots=True)
class Programs:
    """All programs of a tenant, oldest first."""

    items: tuple[Program, ...]

    def get(self, program_id: UUID) -> Program:
        """The program of that id.

        Raises:
            NotFound: the tenant has no such program.
        """
        found = next((program for program in self.items if program.id == program_id), None)
        if found is None:
            raise NotFound(_("We could not find this program."))
        return found

    @property
    def default(self) -> Program:
        """The program that is meant when none is named: the oldest that is active or pauses, else the oldest.

        Raises:
            NotFound: the tenant has no program.
        """
        found = next((program for program in self.items if program.status in {"active", "paused"}), None)
        if found is None and not self.items:
            raise NotFound(_("There is no loyalty program here yet."))
        return found or self.items[0]


@dataclass(frozen=True, slots=True)
class ProgramDraft:
    """What a person can say about a program.

    Attributes:
        timezone: IANA name.
        currency: ISO 4217 code.
    """

    name: str
    timezone: str
    currency: str
    require_pin: bool = True


@dataclass(frozen=True, slots=True)
class ReadyCards:
    """What a new target does to cards in use.

    Attributes:
        in_use: active cards of the program.
        before, after: how many of them can have the reward, with the old and with the new target.
    """

    in_use: int
    before: int
    after: int

    @property
    def become_ready(self) -> int:
        """Cards that can have the reward at once; negative when as many can no longer."""
        return self.after - self.before


async def list_programs(session: TenantSession) -> Programs:
    """All programs as this transaction sees them, its own changes included."""
    rows = await session.rows(repository.LIST, {"tenant": session.tenant_id})
    return Programs(tuple(Program(**row._mapping) for row in rows))


def plugins_outside(kind: str) -> frozenset[str]:
    """The plugins of units that a kind of program does not give: a stamp card counts no points."""
    return frozenset[str]().union(*PLUGINS_OF_KIND.values()) - PLUGINS_OF_KIND[kind]


async def create(session: TenantSession, ctx: Context, kind: str, draft: ProgramDraft) -> Program:
    """Begin a program; it stays in set-up until it is opened.

    Args:
        session: the transaction.
        ctx: who acts; needs `programs.manage`.
        kind: one of `KINDS`, among the tenant's features.
        draft: the rest.

    Raises:
        InvalidInput: an unknown kind, zone or currency, or a name that is empty or too long.
        FeatureNotInOffering: the offering does not have this kind.
        LimitReached: the offering allows no more programs.
        Conflict: a plugin that the kind needs is not in force.
    """
    require(ctx, "programs.manage")
    draft = _checked(draft)
    await _require_kind(session, ctx, kind)
    await _require_room(session, ctx)
    program_id = new_id()
    await session.execute(
        repository.INSERT,
        {
            "tenant_id": session.tenant_id,
            "id": program_id,
            "kind": kind,
            "name": draft.name,
            "timezone": draft.timezone,
            "currency": draft.currency,
            "require_pin": draft.require_pin,
        },
    )
    await audit.record(session, ctx, "program.created", "program", program_id, {"kind": kind, "name": draft.name})
    return await _locked(session, program_id)


async def update(session: TenantSession, ctx: Context, program_id: UUID, draft: ProgramDraft) -> Program:
    """Change a program.

    Raises:
        InvalidInput: an unknown zone or currency, or a name that is empty or too long.
        NotFound: the tenant has no such program.
    """
    require(ctx, "programs.manage")
    draft = _checked(draft)
    before = await _locked(session, program_id)
    after = replace(
        before,
        name=draft.name,
        timezone=draft.timezone,
        currency=draft.currency,
        require_pin=draft.require_pin,
    )
    if after == before:
        return before
    await session.execute(
        repository.CHANGE,
        {
            "tenant": session.tenant_id,
            "program": program_id,
            "new_name": draft.name,
            "new_timezone": draft.timezone,
            "new_currency": draft.currency,
            "new_require_pin": draft.require_pin,
        },
    )
    await audit.record(session, ctx, "program.changed", "program", program_id, _difference(before, after))
    await sync_soon(session)
    return after


async def patch(session: TenantSession, ctx: Context, program_id: UUID, given: Mapping[str, Any]) -> Program:
    """Change some fields of a program; the others stay as they are under its lock, whoever changes them meanwhile.

    Args:
        session: the transaction.
        ctx: who acts; needs `programs.manage`.
        program_id: the program.
        given: field of `ProgramDraft` → new value.

    Raises:
        InvalidInput, NotFound: as for `update`.
    """
    require(ctx, "programs.manage")
    before = await _locked(session, program_id)
    draft = ProgramDraft(before.name, before.timezone, before.currency, before.require_pin)
    return await update(session, ctx, program_id, replace(draft, **given))


async def set_kind(session: TenantSession, ctx: Context, program_id: UUID, kind: str) -> Program:
    """Let a program that was never open give something else; what was set for the other kind is kept.

    Args:
        session: the transaction.
        ctx: who acts; needs `programs.manage`.
        program_id: the program.
        kind: one of `KINDS`, among the tenant's features.

    Raises:
        InvalidInput: an unknown kind.
        FeatureNotInOffering: the offering does not have this kind.
        Conflict: it has been open, so there are cards; or a plugin that the kind needs is not in force.
        NotFound: the tenant has no such program.
    """
    require(ctx, "programs.manage")
    await _require_kind(session, ctx, kind)
    before = await _locked(session, program_id)
    if before.kind == kind:
        return before
    if before.status != "setup":
        raise Conflict(_("This program has been open. Add another one that gives something else."))
    await session.execute(repository.SET_KIND, {"tenant": session.tenant_id, "program": program_id, "new_kind": kind})
    difference = {"kind": {"before": before.kind, "after": kind}}
    await audit.record(session, ctx, "program.changed", "program", program_id, difference)
    return replace(before, kind=kind)


async def set_status(
    session: TenantSession, ctx: Context, program_id: UUID, status: Literal["active", "inactive"]
) -> Program:
    """Open a program, or close it; cards and balances stay.

    Raises:
        LimitReached: it was closed, and the offering allows no more open ones.
        Conflict: it is paused.
        NotFound: the tenant has no such program.
    """
    require(ctx, "programs.manage")
    before = await _locked(session, program_id)
    if before.status == status:
        return before
    if before.status == "paused":
        raise Conflict(_("This program is paused. Let it go on first."))
    if before.status == "inactive":
        await _require_room(session, ctx)
    await session.execute(
        repository.SET_STATUS, {"tenant": session.tenant_id, "program": program_id, "new_status": status}
    )
    details = {"before": before.status, "after": status}
    await audit.record(session, ctx, "program.status_changed", "program", program_id, details)
    return replace(before, status=status)


async def set_paused(session: TenantSession, program_id: UUID, *, is_paused: bool) -> None:
    """Make an open program a paused one, or the other way round; only for `pauses`, which does what belongs to it.

    Raises:
        Conflict: it is neither open nor paused, or so already.
        NotFound: the tenant has no such program.
    """
    before, after = ("active", "paused") if is_paused else ("paused", "active")
    if (await _locked(session, program_id)).status != before:
        if is_paused:
            raise Conflict(_("Only an open program can be paused."))
        raise Conflict(_("This program is not paused any more."))
    values = {"tenant": session.tenant_id, "program": program_id, "new_status": after}
    await session.execute(repository.SET_STATUS, values)


async def resume_if_paused(session: TenantSession, program_id: UUID) -> bool:
    """As `set_paused` for going on, but whether it was paused is the answer."""
    if (await _locked(session, program_id)).status != "paused":
        return False
    await set_paused(session, program_id, is_paused=False)
    return True


async def ready_cards(
    session: TenantSession, ctx: Context, program_id: UUID, unit: str, before: int, after: int
) -> ReadyCards:
    """What happens to cards in use when the balance changes from which a reward can be had.

    Args:
        session: the transaction.
        ctx: who asks; needs `programs.manage`.
        program_id: the program.
        unit: the unit of the reward.
        before: the target now, in units.
        after: the target that is being considered.
    """
    require(ctx, "programs.manage")
    row = await session.one_or_none(
        repository.READY_CARDS,
        {
            "tenant": session.tenant_id,
            "program": program_id,
            "unit": unit,
            "ready_before": before,
            "ready_after": after,
        },
    )
    assert row is not None
    return ReadyCards(row.in_use, row.ready_before, row.ready_after)


def currencies() -> Sequence[str]:
    """Codes that a program may use."""
    return sorted(list_currencies("en"))


async def _require_kind(session: TenantSession, ctx: Context, kind: str) -> None:
    if kind not in KINDS:
        raise _invalid(kind=_("Choose one of: %(kinds)s.", kinds=", ".join(KINDS)))
    await require_feature(session, ctx, kind)
    if not PLUGINS_OF_KIND[kind] <= ctx.tenant.enabled:
        raise Conflict(_("This kind of program needs an extension that is not switched on here."))


async def _require_room(session: TenantSession, ctx: Context) -> None:
    await lock(session, "programs")
    used = await session.scalar(repository.COUNT_OPEN, {"tenant": session.tenant_id})
    await require_room(session, ctx, "programs", used)


async def _locked(session: TenantSession, program_id: UUID) -> Program:
    row = await session.one_or_none(repository.LOCK, {"tenant": session.tenant_id, "program": program_id})
    if row is None:
        raise NotFound(_("We could not find this program."))
    return Program(**row._mapping)


def _checked(draft: ProgramDraft) -> ProgramDraft:
    clean = replace(draft, name=one_line(draft.name), currency=draft.currency.strip().upper())
    faults = {}
    if not 0 < len(clean.name) <= MAX_NAME:
        faults["name"] = _("A program needs a name of at most %(count)s characters.", count=MAX_NAME)
    if clean.timezone not in timezone_names():
        faults["timezone"] = _("Choose a time zone such as Europe/Luxembourg.")
    if clean.currency not in list_currencies("en"):
        faults["currency"] = _("Choose a currency by its three letters, such as EUR.")
    if faults:
        raise _invalid(**faults)
    return clean


def _difference(before: Program, after: Program) -> dict[str, Any]:
    names = ("name", "timezone", "currency", "require_pin")
    return {
        name: {"before": getattr(before, name), "after": getattr(after, name)}
        for name in names
        if getattr(before, name) != getattr(after, name)
    }


def _invalid(**faults: str) -> InvalidInput:
    return InvalidInput(" ".join(faults.values()), fields=faults)
