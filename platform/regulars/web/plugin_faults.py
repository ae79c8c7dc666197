"""Who is to blame, and what is done about it: faults of plugins that a request has met are written down after it."""

from __future__ import annotations

from uuid import UUID

from regulars.contracts.errors import PluginFault
from regulars.domain.ledger.blame import BrokenFacts, find_culprit
from regulars.domain.tenants.fault_book import FaultBook
from regulars.kernel.i18n import gettext as _
from regulars.web.services import Services


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

    Args:
        parts: of this process.
        tenant_id: whose request it was.
        plugin: who failed.
        what: where and how.
    """
    await FaultBook(parts.database, parts.catalogue, parts.plugins, parts.snapshots.drop).note(tenant_id, plugin, what)


async def note_quiet_faults(parts: Services) -> None:
    """Write down what did not end a request: hooks that were late, and plugins whose part of pages was switched off."""
    for late in parts.plugins.hooks.take_late():
        await note_fault(parts, late.tenant_id, late.plugin, f"{late.hook} took {late.seconds:.1f} s")
    for trip in parts.presenter.breaker.take_trips():
        await note_fault(parts, trip.tenant_id, trip.plugin, f"{trip.faults} faults in a row on pages: {trip.last}")
