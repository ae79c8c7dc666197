"""Faults of plugins: each is a line of the tenant's log; after several the plugin is stopped for that tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.audit.service import record_for_tenant
from regulars.domain.operators.repository import ACTIVE
from regulars.domain.tenants import fault_repository as repository
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.families import lock_family
from regulars.domain.tenants.overrides import kill
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import PlatformSession, TenantSession
from regulars.kernel.jobs.repository import add_all, row

FAILED = "plugin.failed"
FAULTS_UNTIL_STOPPED = 3
STOPPED_MAIL = "core.plugin_stopped_mail"
"""Job that writes to one operator that a plugin was stopped."""
WINDOW = timedelta(minutes=10)
REASON = "It failed {count} times within ten minutes, the last time: {what}"
"""Operators read it, in English as everything that they write themselves."""


@dataclass(frozen=True, slots=True)
class PluginFaults:
    """Faults of a plugin within a day.

    Attributes:
        tenants: slugs of those that were hit.
    """

    count: int
    tenants: Sequence[str]


async def record_fault(
    session: PlatformSession, catalogue: Catalogue, tenant_id: UUID, plugin: str, what: str, *, may_stop: bool
) -> bool:
    """Write down that a plugin has failed; the third time within ten minutes it is stopped for the tenant.

    Args:
        session: the platform's.
        catalogue: the known names.
        tenant_id: whose request it was.
        plugin: who failed.
        what: where and how, without personal data.
        may_stop: whether the tenant can sell without it.

    Returns:
        Whether it was stopped; the operators get a mail then.
    """
    await lock_family(session, tenant_id)
    await record_for_tenant(session, SYSTEM, tenant_id, FAILED, "plugin", None, {"plugin": plugin, "fault": what})
    where = {"tenant_id": tenant_id, "plugin": plugin}
    state = (await session.rows(repository.STATE, {**where, "window": WINDOW}))[0]
    if not may_stop or state.is_stopped or state.faults < FAULTS_UNTIL_STOPPED:
        return False
    reason = REASON.format(count=state.faults, what=what)
    await kill(session, catalogue, SYSTEM, plugin, tenant_id, reason=reason)
    about = {"id": str(new_id()), "plugin": plugin, "reason": reason}
    readers = await session.rows(ACTIVE)
    mails = [row(tenant_id, STOPPED_MAIL, {**about, **one._mapping}) for one in readers]
    await add_all(session, mails)
    return True


async def faults_today(session: PlatformSession) -> Mapping[str, PluginFaults]:
    """Plugin → its faults of the last 24 hours, of all tenants."""
    rows = await session.rows(repository.OF_ALL)
    return {row.plugin: PluginFaults(row.faults, sorted(row.tenants)) for row in rows}


async def stopped_for_some(session: PlatformSession) -> Mapping[str, Mapping[str, UUID]]:
    """Plugin → slug and id of each live tenant that has lost it by a switch of its own."""
    found: dict[str, dict[str, UUID]] = {}
    for one in await session.rows(repository.STOPPED):
        found.setdefault(one.plugin, {})[one.slug] = one.id
    return found


async def own_faults_today(session: TenantSession) -> Mapping[str, int]:
    """Plugin → how often it failed for this tenant in the last 24 hours."""
    rows = await session.rows(repository.OF_TENANT, {"tenant_id": session.tenant_id})
    return {row.plugin: row.faults for row in rows}
