"""What an operator decides for one tenant: grants, denials, limits, kill switches. Each with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_platform
from regulars.domain.tenants import repository
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.families import lock_family, record_operation
from regulars.domain.tenants.features import with_higher_grades, with_lower_grades
from regulars.domain.tenants.offerings import check_limit_value
from regulars.domain.tenants.reasons import require_reason
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.i18n import gettext as _

OverrideKind = Literal["grant", "deny", "limit"]
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Override:
    """An exception from the offering.

    Attributes:
        name: a feature, or for `limit` a limit.
        value: for `limit` the number, `None` for unlimited.
        expires_at: when it ends by itself, `None` for never.
    """

    kind: OverrideKind
    name: str
    value: int | None = None
    expires_at: datetime | None = None


async def put_override(
    session: PlatformSession, catalogue: Catalogue, actor: Actor, tenant_id: UUID, override: Override, *, reason: str
) -> None:
    """Grant or deny a feature, or set a limit, for one tenant and its sandbox; replaces an earlier one of that name.

    Granting a grade grants those below it; denying one denies those above it.

    Args:
        session: the platform's.
        catalogue: the known names.
        actor: the operator.
        tenant_id: for whom.
        override: what.
        reason: why; it is kept with the override.

    Raises:
        NotFound: there is no such tenant.
        InvalidInput: unknown name, impossible number or an end in the past.
    """
    text = require_reason(reason)
    _check(catalogue, override)
    family = await lock_family(session, tenant_id)
    names = _with_grades(override.kind, override.name)
    for tenant in family:
        for name in names:
            await session.execute(
                repository.SET_OVERRIDE,
                {
                    "tenant_id": tenant.id,
                    "name": name,
                    "kind": override.kind,
                    "value": override.value,
                    "reason": text,
                    "expires_at": override.expires_at,
                },
            )
    details = {"names": names, "value": override.value, "expires_at": override.expires_at}
    await record_operation(session, actor, family, f"tenant.override_{override.kind}", text, details)


async def remove_override(session: PlatformSession, actor: Actor, tenant_id: UUID, name: str, *, reason: str) -> None:
    """Take an exception back: what the offering says holds again.

    Raises:
        NotFound: there is no such tenant or it has no override of that name.
    """
    text = require_reason(reason)
    family = await lock_family(session, tenant_id)
    kind = await session.scalar(repository.OVERRIDE_KIND, {"tenant_id": tenant_id, "name": name})
    if kind is None:
        raise NotFound(_("There is no exception for “%(name)s”.", name=name))
    names = _with_grades(kind, name)
    for tenant in family:
        for one in names:
            await session.execute(repository.DELETE_OVERRIDE, {"tenant_id": tenant.id, "name": one, "kind": kind})
    details = {"names": names, "kind": kind}
    await record_operation(session, actor, family, "tenant.override_removed", text, details)


async def kill(
    session: PlatformSession, catalogue: Catalogue, actor: Actor, plugin: str, tenant_id: UUID | None, *, reason: str
) -> None:
    """Switch a plugin off, for one tenant and its sandbox or for everybody, whatever else says it is on.

    Args:
        session: the platform's.
        catalogue: the known names.
        actor: the operator.
        plugin: a loaded plugin.
        tenant_id: for whom, `None` for everybody.
        reason: why; it is kept with the switch.

    Raises:
        NotFound: there is no such tenant.
        InvalidInput: there is no such plugin.
        Conflict: it is off already.
    """
    text = require_reason(reason)
    catalogue.check_plugin(plugin)
    if tenant_id is None:
        if await session.scalar(repository.IS_KILLED_FOR_ALL, {"plugin": plugin}):
            raise Conflict(_("“%(plugin)s” is switched off for everybody already.", plugin=plugin))
        await _insert_switch(session, plugin, None, text)
        await record_platform(session, actor, "plugin.killed", text, EVERYBODY, {"plugin": plugin})
        return
    family = await lock_family(session, tenant_id)
    if await session.scalar(repository.IS_KILLED, {"plugin": plugin, "tenant_id": tenant_id}):
        raise Conflict(_("“%(plugin)s” is switched off for this tenant already.", plugin=plugin))
    for tenant in family:
        if not await session.scalar(repository.IS_KILLED, {"plugin": plugin, "tenant_id": tenant.id}):
            await _insert_switch(session, plugin, tenant.id, text)
    await record_operation(session, actor, family, "plugin.killed", text, {"plugin": plugin})


async def revive(session: PlatformSession, actor: Actor, plugin: str, tenant_id: UUID | None, *, reason: str) -> None:
    """Take a kill switch back.

    Raises:
        NotFound: there is no such tenant or no such switch.
    """
    text = require_reason(reason)
    if tenant_id is None:
        if not await session.rows(repository.DELETE_KILL_SWITCH_FOR_ALL, {"plugin": plugin}):
            raise NotFound(_("“%(plugin)s” is not switched off for everybody.", plugin=plugin))
        await record_platform(session, actor, "plugin.revived", text, EVERYBODY, {"plugin": plugin})
        return
    family = await lock_family(session, tenant_id)
    removed = [
        await session.rows(repository.DELETE_KILL_SWITCH, {"plugin": plugin, "tenant_id": tenant.id})
        for tenant in family
    ]
    if not removed[0]:
        raise NotFound(_("“%(plugin)s” is not switched off for this tenant.", plugin=plugin))
    await record_operation(session, actor, family, "plugin.revived", text, {"plugin": plugin})


def _with_grades(kind: OverrideKind, name: str) -> list[str]:
    """Granting a grade grants those below it, denying one denies those above it; they are taken back alike."""
    if kind == "grant":
        return sorted(with_lower_grades([name]))
    return list(with_higher_grades(name)) if kind == "deny" else [name]


def _check(catalogue: Catalogue, override: Override) -> None:
    if override.kind == "limit":
        catalogue.check_limit(override.name)
        check_limit_value(override.value)
    else:
        catalogue.check_feature(override.name)
    if override.expires_at is not None and override.expires_at <= datetime.now(UTC):
        sentence = _("The end must be in the future.")
        raise InvalidInput(sentence, fields={"expires_at": sentence})


async def _insert_switch(session: PlatformSession, plugin: str, tenant_id: UUID | None, reason: str) -> None:
    values = {"id": new_id(), "plugin": plugin, "tenant_id": tenant_id, "reason": reason}
    await session.execute(repository.INSERT_KILL_SWITCH, values)
