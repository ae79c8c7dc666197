"""Where every process writes the faults of plugins down: requests and jobs alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.plugin_faults import record_fault
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FaultBook:
    """Notes faults, and stops a plugin for a tenant when it was one too many.

    Attributes:
        database: for the platform's session.
        catalogue: the known names.
        plugins: the loaded ones.
        drop: forgets what this process knows of a tenant.
    """

    database: Database
    catalogue: Catalogue
    plugins: PluginRegistry
    drop: Callable[[UUID], None]

    async def note(self, tenant_id: UUID, plugin: str, what: str) -> None:
        """Write a fault down. Whatever goes wrong here is logged and does no further harm.

        Args:
            tenant_id: for whom the plugin worked.
            plugin: who failed.
            what: where and how, without personal data.
        """
        log.error("plugin_failed", plugin=plugin, tenant_id=str(tenant_id), fault=what)
        if plugin not in self.plugins.names:
            return
        may_stop = is_dispensable(self.plugins, plugin)
        try:
            async with self.database.platform("note a plugin's fault") as session:
                stopped = await record_fault(session, self.catalogue, tenant_id, plugin, what, may_stop=may_stop)
        except Exception as error:
            log.error("plugin_fault_not_noted", plugin=plugin, exc_info=error)
            return
        if stopped:
            log.error("plugin_stopped", plugin=plugin, tenant_id=str(tenant_id))
            self.drop(tenant_id)


def is_dispensable(registry: PluginRegistry, plugin: str) -> bool:
    """Whether selling goes on without a plugin, as well guarded as with it.

    Neither it nor what needs it brings a unit or may refuse a sale: whoever can make a check fail, by load or by what
    is sent, would be rid of it.
    """
    gone = {plugin}
    for one in registry.plugins:  # what requires another one is loaded after it
        if gone & set(one.manifest.requires):
            gone.add(one.name)
    sells = any(one.units for one in registry.plugins if one.name in gone)
    return not sells and not registry.hooks.ledger("check_earn", frozenset(gone))
