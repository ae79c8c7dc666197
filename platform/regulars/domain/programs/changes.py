"""Changes of a program's rules: now or from a date on, told to members before, listed for everybody.

What is on a card was earned under the rules of its day and stays: a change writes settings, never the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from regulars.contracts.context import Context, Principal, PrincipalKind
from regulars.contracts.errors import ConfigurationError, Conflict, InvalidInput, NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.audit import service as audit
from regulars.domain.programs import changes_repository as repository
from regulars.domain.programs.lost_units import try_settings
from regulars.domain.programs.room import require_room_for
from regulars.domain.staff.permissions import require
from regulars.domain.wallets.soon import sync_soon
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

Status = Literal["planned", "applied", "withdrawn", "failed"]
Values = Mapping[str, Mapping[str, Any]]
"""Plugin → field → new value, as JSON has it."""
MAX_NOTE = 500
MAX_DAYS = 90
MAX_PLANNED = 20
FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a program.

    Attributes:
        values: what it sets.
        note: what customers read of it, in the merchant's words.
        announce_at: when members are told by mail, `None` for never.
        announced_at: when that began.
        error: why it could not be applied.
        actor_name: who made it.
    """

    id: UUID
    program_id: UUID
    values: Values
    note: str
    effective_from: datetime
    announce_at: datetime | None
    announced_at: datetime | None
    status: Status
    error: str
    actor_kind: PrincipalKind
    actor_id: UUID | None
    actor_name: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a plugin's settings beside the one before it.

    Attributes:
        version, version_before: of the settings model; the latter is `None` for the first one.
    """

    plugin: str
    number: int
    version: int
    values: Mapping[str, Any]
    actor_name: str
    note: str
    effective_from: datetime
    version_before: int | None
    values_before: Mapping[str, Any] | None


async def record(
    session: TenantSession, ctx: Context, registry: PluginRegistry, program_id: UUID, values: Values, note: str = ""
) -> None:
    """Write down a change that was just saved.

    Args:
        session: the transaction of the change itself.
        ctx: who acts.
        registry: the plugins; changes of those that are about security alone are no news for customers.
        program_id: the program.
        values: what was set; without secrets.
        note: for customers.

    Raises:
        InvalidInput: the note is too long.
    """
    now = await session.scalar(repository.NOW)
    await _insert(
        session, ctx, registry, program_id, values, checked_note(note), effective_from=now, announce_at=None, now=now
    )
    await sync_soon(session)


async def plan(
    session: TenantSession,
    ctx: Context,
    registry: PluginRegistry,
    settings: SettingsStore,
    program_id: UUID,
    values: Values,
    *,
    note: str,
    effective_from: datetime,
    announce_days: int | None,
) -> UUID:
    """Plan a change for later.

    Args:
        session: the transaction.
        ctx: who acts; needs `programs.manage`.
        registry: as for `record`.
        settings: tries the values out.
        program_id: the program.
        values: what will be set.
        note: for customers.
        effective_from: when.
        announce_days: how many days before members are told by mail, `None` for not at all.

    Returns:
        The change.

    Raises:
        InvalidInput: a moment that is past or too far, a note that is too long, a value that cannot be.
        Conflict: too many changes are planned.
        LimitReached: a list would be longer than the offering allows.
    """
    require(ctx, "programs.manage")
    note, now = checked_note(note), await session.scalar(repository.NOW)
    if not now < effective_from <= now + FARTHEST:
        raise InvalidInput(fields={"date": _("Choose a moment in the future, at most a year from now.")})
    if announce_days is not None and not 0 <= announce_days <= MAX_DAYS:
        raise InvalidInput(fields={"days": _("Choose a number of days up to %(count)s.", count=MAX_DAYS)})
    for plugin, given in values.items():
        if given.keys() & settings.secrets(plugin):
            raise InvalidInput(fields={"date": _("A secret cannot wait for its day. Save it on its own first.")})
        await try_settings(session, ctx.tenant, settings, plugin, program_id, given)
        await require_room_for(session, ctx, registry, settings, plugin, program_id, given)
    await lock(session, "program_changes")
    planned = await session.scalar(repository.COUNT_PLANNED, {"tenant": session.tenant_id, "program": program_id})
    if planned >= MAX_PLANNED:
        raise Conflict(_("Many changes are planned already. Withdraw one, or wait until one has come."))
    announce_at = None if announce_days is None else max(now, effective_from - timedelta(days=announce_days))
    change_id = await _insert(
        session,
        ctx,
        registry,
        program_id,
        values,
        note,
        effective_from=effective_from,
        announce_at=announce_at,
        now=None,
    )
    details = {"change": change_id, "effective_from": effective_from, "plugins": sorted(values)}
    await audit.record(session, ctx, "program.change_planned", "program", program_id, details)
    return change_id


async def withdraw(session: TenantSession, ctx: Context, change_id: UUID) -> Change:
    """Take a planned change back.

    Raises:
        NotFound: no such change is planned.
    """
    require(ctx, "programs.manage")
    change = _planned(await session.one_or_none(repository.LOCK_PLANNED, _key(session, change_id)))
    await _settle(session, change, "withdrawn")
    details = {"change": change.id, "effective_from": change.effective_from}
    await audit.record(session, ctx, "program.change_withdrawn", "program", change.program_id, details)
    return change


async def apply(session: TenantSession, ctx: Context, settings: SettingsStore, change_id: UUID) -> None:
    """Let a planned change hold, in the name of whoever planned it; one that does not fit any more has failed.

    Does nothing when it was withdrawn or applied in the meantime, or its time has not come.

    Args:
        session: the transaction.
        ctx: of the job.
        settings: where it is saved.
        change_id: the change.
    """
    row = await session.one_or_none(repository.LOCK_PLANNED, {"tenant": session.tenant_id, "change": change_id})
    if row is None or row.effective_from > await session.scalar(repository.NOW):
        return
    change = Change(**row._mapping)
    author = replace(ctx, principal=Principal(change.actor_kind, change.actor_id, change.actor_name))
    try:
        for plugin, values in change.values.items():
            await try_settings(session, ctx.tenant, settings, plugin, change.program_id, values)
    except (InvalidInput, ConfigurationError, KeyError) as error:
        await _settle(session, change, "failed", _reason(error))
        details: dict[str, Any] = {"change": change.id, "error": _reason(error)}
        await audit.record(session, author, "program.change_failed", "program", change.program_id, details)
        return
    for plugin, values in change.values.items():
        await settings.save(session, author, plugin, change.program_id, values, note=change.note)
        details = {"plugin": plugin, "fields": sorted(values)}
        await audit.record(session, author, "settings.changed", "program", change.program_id, details)
    await sync_soon(session)
    await _settle(session, change, "applied")


async def begin_telling(session: TenantSession, change_id: UUID) -> None:
    """Note that members are being told of a planned change, where their time has come."""
    await session.execute(repository.TELL, {"tenant": session.tenant_id, "change": change_id})


async def get(session: TenantSession, change_id: UUID) -> Change:
    """A change.

    Raises:
        NotFound: there is no such change.
    """
    row = await session.one_or_none(repository.ONE, {"tenant": session.tenant_id, "change": change_id})
    if row is None:
        raise NotFound(_("We could not find this change."))
    return Change(**row._mapping)


async def get_planned(session: TenantSession, change_id: UUID) -> Change:
    """A change that is still planned.

    Raises:
        NotFound: there is no such change.
    """
    return _planned(await session.one_or_none(repository.ONE_PLANNED, _key(session, change_id)))


async def list_planned(session: TenantSession, program_id: UUID) -> Sequence[Change]:
    """What is planned, and what could not be applied in the last 30 days; the next one first."""
    rows = await session.rows(repository.PLANNED, {"tenant": session.tenant_id, "program": program_id})
    return [Change(**row._mapping) for row in rows]


async def list_public(session: TenantSession, program_id: UUID, page: PageRequest) -> Paged[Change]:
    """What customers see, the latest first."""
    where = {"tenant": session.tenant_id, "program": program_id}
    rows = await session.rows(repository.LIST_PUBLIC, {**where, "size": page.size, "skip": page.offset})
    total = await session.scalar(repository.COUNT_PUBLIC, where)
    return Paged([Change(**row._mapping) for row in rows], total, page)


async def list_versions(session: TenantSession, ctx: Context, program_id: UUID, page: PageRequest) -> Paged[Version]:
    """Every version of the program's settings, the latest first."""
    require(ctx, "programs.manage")
    where = {"tenant": session.tenant_id, "program": program_id}
    rows = await session.rows(repository.LIST_VERSIONS, {**where, "size": page.size, "skip": page.offset})
    total = await session.scalar(repository.COUNT_VERSIONS, where)
    return Paged([Version(**row._mapping) for row in rows], total, page)


async def members_after(
    session: TenantSession, program_id: UUID, after: UUID | None, most: int
) -> Sequence[tuple[UUID, UUID]]:
    """Cards in use with their members, a part of them at a time.

    Args:
        session: the transaction.
        program_id: the program.
        after: the last card of the part before, `None` for the first part.
        most: how many.

    Returns:
        (card, member), in the order of the cards.
    """
    where = {"tenant": session.tenant_id, "program": program_id, "from_start": after is None, "after": after}
    rows = await session.rows(repository.MEMBERS, {**where, "size": most})
    return [(row.id, row.member_id) for row in rows]


def checked_note(note: str) -> str:
    """A note without space around it.

    Raises:
        InvalidInput: it is too long.
    """
    clean = note.strip()
    if len(clean) > MAX_NOTE:
        raise InvalidInput(fields={"note": _("At most %(count)s characters are possible.", count=MAX_NOTE)})
    return clean


def _key(session: TenantSession, change_id: UUID) -> dict[str, UUID]:
    return {"tenant": session.tenant_id, "change": change_id}


def _planned(row: Any) -> Change:
    if row is None:
        raise NotFound(_("This change is not planned any more."))
    return Change(**row._mapping)


async def _insert(
    session: TenantSession,
    ctx: Context,
    registry: PluginRegistry,
    program_id: UUID,
    values: Values,
    note: str,
    *,
    effective_from: datetime,
    announce_at: datetime | None,
    now: datetime | None,
) -> UUID:
    """Add a change; one that holds already is applied `now`."""
    change_id = new_id()
    row = {
        "tenant_id": session.tenant_id,
        "id": change_id,
        "program_id": program_id,
        "values": {plugin: dict(given) for plugin, given in values.items()},
        "note": note,
        "is_public": bool(note) or any(registry.plugin(name).manifest.category != "security" for name in values),
        "effective_from": effective_from,
        "announce_at": announce_at,
        "announced_at": None,
        "status": "planned" if now is None else "applied",
        "settled_at": now,
        "actor_kind": ctx.principal.kind,
        "actor_id": ctx.principal.id,
        "actor_name": ctx.principal.name,
    }
    await session.execute(repository.INSERT, row)
    return change_id


async def _settle(session: TenantSession, change: Change, status: Status, error: str = "") -> None:
    values = {"tenant": session.tenant_id, "change": change.id, "new_status": status, "new_error": error}
    await session.execute(repository.SETTLE, values)


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidInput):
        return "; ".join(f"{name}: {text}" for name, text in error.fields.items()) or error.detail
    return str(error)
