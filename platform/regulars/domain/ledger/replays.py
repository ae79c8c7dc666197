"""Replaying stored evaluations: with the same rules and inputs a sale must give the same again (invariant L12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import CardInfo, Context, Principal, ProgramInfo, TenantSnapshot
from regulars.contracts.errors import PluginFault
from regulars.contracts.ledger import Purchase
from regulars.domain.ledger import replays_repository
from regulars.domain.ledger.evaluation import read_items, result_of
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.ledger.replay import moment_of
from regulars.domain.ledger.rules import Rules
from regulars.kernel.db.database import TenantSession
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

SAMPLE = 200
"""Sales of one tenant that are replayed at a time."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one stored evaluation.

    Attributes:
        outcome: `unreadable` when a plugin is gone, or reads its settings of that time no more.
        again: what the rules give now, as `SaleEvaluation.result`.
    """

    sale_id: UUID
    outcome: Literal["same", "different", "unreadable"]
    stored: Sequence[Mapping[str, Any]]
    again: Sequence[Mapping[str, Any]] = ()


class Replays:
    """Evaluates sales again as they were evaluated when they were recorded.

    Args:
        registry: the plugins of this process.
        settings: where versions of settings are read.
    """

    def __init__(self, registry: PluginRegistry, settings: SettingsStore) -> None:
        self._registry = registry
        self._settings = settings

    async def replay(self, session: TenantSession, tenant: TenantSnapshot, sale_id: UUID) -> Replayed | None:
        """Replay one sale, `None` when it has no stored evaluation.

        Args:
            session: a transaction of this tenant; only read from.
            tenant: as it is now.
            sale_id: the sale.
        """
        parameters = {"tenant": session.tenant_id, "sale": sale_id}
        row = await session.one_or_none(replays_repository.ONE, parameters)
        return None if row is None else await self._replayed(session, tenant, row)

    async def replay_some(
        self, session: TenantSession, tenant: TenantSnapshot, most: int = SAMPLE
    ) -> Sequence[Replayed]:
        """Replay sales that are picked at random among the latest.

        Args:
            session, tenant: as for `replay`.
            most: how many.
        """
        rows = await session.rows(replays_repository.SOME, {"tenant": session.tenant_id, "most": most})
        return [await self._replayed(session, tenant, row) for row in rows]

    async def _replayed(self, session: TenantSession, tenant: TenantSnapshot, row: Row[Any]) -> Replayed:
        rules = await self._rules(session, tenant, row)
        if rules is None:
            return Replayed(row.sale_id, "unreadable", row.result)
        again = evaluate_again(self._registry, session, tenant, rules, row)
        return Replayed(row.sale_id, "same" if again == row.result else "different", row.result, again)

    async def _rules(self, session: TenantSession, tenant: TenantSnapshot, row: Row[Any]) -> Rules | None:
        """The rules that the sale went by, `None` when they can no longer be read."""
        if "program" not in row.inputs or not set(row.inputs["enabled"]) <= self._registry.names:
            return None
        settings = {}
        for plugin, number in row.rules.items():
            found = await self._settings.of_version(session, tenant, plugin, row.program_id, number)
            if found is None:
                return None
            settings[plugin] = found
        program = ProgramInfo(id=row.program_id, **row.inputs["program"])
        return Rules(program, require_pin=False, settings=settings, versions=row.rules)


def evaluate_again(
    registry: PluginRegistry, session: TenantSession, tenant: TenantSnapshot, rules: Rules, row: Row[Any]
) -> list[dict[str, Any]]:
    """Put a card together as it was before a sale, and ask the rules again.

    Args:
        registry: the plugins.
        session: the tenant's; nothing is asked of it.
        tenant: as it is now; the plugins in force are those of then.
        rules: of then.
        row: of `replays_repository`.

    Returns:
        The result in the stored form; nothing but the fault where a plugin fails.
    """
    inputs = row.inputs
    principal = Principal("staff", row.staff_id, shop_id=row.shop_id)
    opened = OpenCard(
        session=session,
        ctx=Context(replace(tenant, enabled=frozenset(inputs["enabled"])), principal),
        registry=registry,
        card=_card(row),
        rules=rules,
        **moment_of(registry, inputs),
    )
    purchase = Purchase(row.quantity, row.amount_minor, row.currency, read_items(row.items), row.channel, row.counts)
    try:
        return result_of(opened.evaluate(purchase))
    except PluginFault as fault:
        return [{"fault": str(fault)}]


def _card(row: Row[Any]) -> CardInfo:
    return CardInfo(
        id=row.card_id,
        number=row.card_number,
        status="active",
        member_id=row.member_id,
        program_id=row.program_id,
        created_at=row.card_created_at,
    )
