"""Who broke the one statement that asks for all facts? It is asked again, plugin by plugin, in a session of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from regulars.contracts.errors import PluginFault
from regulars.domain.ledger.read_statements import facts_statement
from regulars.kernel.db.database import Database
from regulars.kernel.db.outages import DRIVER_ERRORS, is_outage
from regulars.kernel.plugins.registry import PluginRegistry


class BrokenFacts(PluginFault):
    """The facts cannot be read; whose fault it is can be said when the transaction has ended.

    Args:
        tenant_id: whose card it was.
        enabled: plugins in force.
        parameters: of the statement.
    """

    def __init__(self, tenant_id: UUID, enabled: frozenset[str], parameters: Mapping[str, Any]) -> None:
        super().__init__("", "the facts cannot be read")
        self.tenant_id = tenant_id
        self.enabled = enabled
        self.parameters = parameters


async def find_culprit(database: Database, registry: PluginRegistry, fault: BrokenFacts) -> PluginFault:
    """Ask each plugin's facts alone.

    Returns:
        The fault of the first plugin whose facts cannot be read; the given one when all can (it was a matter of the
        moment).
    """
    for plugin in registry.plugins:
        if plugin.name not in fault.enabled or not plugin.facts:
            continue
        statement = facts_statement([(f"{plugin.name}_{fact.name}", fact.query) for fact in plugin.facts], "")
        try:
            async with database.tenant(fault.tenant_id, read_only=True) as session:
                await session.run(statement, fault.parameters)
        except DRIVER_ERRORS as error:
            if not is_outage(error):
                return PluginFault(plugin.name, f"its facts cannot be read: {type(error).__name__}")
    return fault
