"""What lists need to say how far a card is: each enabled unit of each program, with its provider and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import AccountState, Context
from regulars.contracts.providers import Progress, UnitProvider
from regulars.domain.ledger.rules import RuleSource
from regulars.domain.programs.service import Programs, plugins_outside
from regulars.kernel.db.database import TenantSession
from regulars.kernel.plugins.registry import PluginRegistry


@dataclass(frozen=True, slots=True)
class Gauge:
    """One unit in one program.

    Attributes:
        settings: of the unit's plugin, for this program.
        ready_at: balance from which a reward can be had, `None` when there is none.
    """

    unit: str
    program_id: UUID
    provider: UnitProvider
    settings: BaseModel
    ready_at: int | None

    def read(self, balances: Mapping[str, int]) -> Progress:
        """How far a card of this program is, in the current locale.

        Args:
            balances: unit → balance of the card.
        """
        return self.provider.progress(AccountState(self.unit, balances.get(self.unit, 0)), self.settings)


async def gauges_of(
    session: TenantSession, ctx: Context, registry: PluginRegistry, rules: RuleSource, programs: Programs
) -> Sequence[Gauge]:
    """The gauges of all programs; no query when the rules are cached.

    Args:
        session: the transaction.
        ctx: the tenant.
        registry: the plugins of this process.
        rules: cached rules of programs.
        programs: of the tenant.
    """
    found: list[Gauge] = []
    for program in programs.items:
        settings = (await rules.rules(session, ctx.tenant, program.id)).settings
        enabled = ctx.tenant.enabled - plugins_outside(program.kind)
        found += [
            Gauge(one.unit, program.id, one.provider, one.settings, one.provider.ready_at(one.settings))
            for one in registry.unit_providers.of_program(settings, enabled)
        ]
    return found
