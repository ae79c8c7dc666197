"""Who is to blame, and what is done about it: faults of plugins that a request has met are written down after it."""

from __future__ import annotations

from uuid import UUID

import structlog

from regulars.contracts.errors import PluginFault
from regulars.domain.ledger.blame import BrokenFacts, find_culprit
from regulars.domain.tenants.plugin_faults import record_fault
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.web.services import Services

log = structlog.get_logger(__name__)


async def named(error: PluginFault, parts: Services) -> PluginFault:
    """The fault with the plugin's name; who broke the statement of all facts is found out by asking one by one."""
    return await find_culprit(parts.database, parts.plugins, error) if isinstance(error, BrokenFacts) else error


def told(error: PluginFault, parts: Services) -> PluginFault:
    """The fault as people read it: what it means and what to do, not where the code broke."""
    plugins = parts.plugins
    title = _(plugins.plugin(error.plugin).manifest.title) if error.plugin in plugins.names else error.plugin
    sentence = _("“%(name)s” failed, nothing was changed. Please try again; we have been told.", name=title)
    return PluginFault(error.plugin, sentence)


async def note_fault(parts: Services, tenant_id: UUID, plugin: str, what: str) -> None:
    """Write a fault down, and stop the plugin for the tenant when it was one too many.

    Whatever goes wrong here is logged and does no further harm.

    Args:
        parts: of this process.
        tenant_id: whose request it was.
        plugin: who failed.
        what: where and how.
    """
    log.error("plugin_failed", plugin=plugin, tenant_id=str(tenant_id), fault=what)
    if plugin not in parts.plugins.names:
        return
    can_do_without = is_dispensable(parts.plugins, plugin)
    try:
        async with parts.database.platform("note a plugin's fault") as session:
            stopped = await record_fault(session, parts.catalogue, tenant_id, plugin, what, may_stop=can_do_without)
    except Exception as error:
        log.error("plugin_fault_not_noted", plugin=plugin, exc_info=error)
        return
    if stopped:
        log.error("plugin_stopped", plugin=plugin, tenant_id=str(tenant_id))
        parts.snapshots.drop(tenant_id)


async def note_quiet_faults(parts: Services) -> None:
    """Write down what did not end a request: hooks that were late, and plugins whose part of pages was switched off."""
    for late in parts.plugins.hooks.take_late():
        await note_fault(parts, late.tenant_id, late.plugin, f"{late.hook} took {late.seconds:.1f} s")
    for trip in parts.presenter.breaker.take_trips():
        await note_fault(parts, trip.tenant_id, trip.plugin, f"{trip.faults} faults in a row on pages: {trip.last}")


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
