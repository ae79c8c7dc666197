"""Evaluating a sale again, exactly as it was: from its stored record, with the rules and facts of that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.contracts.context import AccountState, Principal
from regulars.contracts.errors import PluginFault
from regulars.contracts.ledger import Proposal, Purchase
from regulars.domain.ledger.evaluation import read_facts, result_of
from regulars.domain.ledger.lots import read_time
from regulars.domain.ledger.opened import OpenCard
from regulars.kernel.plugins.registry import PluginRegistry


def replay(
    opened: OpenCard,
    evaluation: Mapping[str, Any],
    purchase: Purchase,
    wanted: Purchase,
    *,
    shop_id: UUID | None,
    staff_id: UUID | None,
) -> tuple[Proposal, ...] | None:
    """What a sale would have given, had it been another one.

    Args:
        opened: the card now.
        evaluation: the stored record of the sale.
        purchase: the sale as it was.
        wanted: the sale as it should have been.
        shop_id, staff_id: of the sale.

    Returns:
        The proposals, `None` when the rules of then cannot be asked any more: today's do not even give what the sale
        itself gave.
    """
    then = _then(opened, evaluation["inputs"], Principal("staff", staff_id, shop_id=shop_id))
    try:
        if result_of(then.evaluate(purchase)) != evaluation["result"]:
            return None
        return then.evaluate(wanted)
    except PluginFault:
        return None


def moment_of(registry: PluginRegistry, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an `OpenCard` that are what the rules saw when a sale was recorded.

    Args:
        registry: the plugins.
        inputs: of the stored record of the sale.
    """
    return {
        "attempt": None,
        "staff": None,
        "now": datetime.fromisoformat(inputs["now"]),
        "occurred_at": read_time(inputs["occurred_at"]),
        "continues": inputs.get("continues", False),
        "day_start": datetime.fromisoformat(inputs["day_start"]),
        "accounts": {
            unit: AccountState(unit, balance, lifetime, seq, read_time(last_at))
            for unit, (balance, lifetime, seq, last_at) in inputs["accounts"].items()
        },
        "facts": read_facts(registry, inputs["facts"]),
    }


def _then(opened: OpenCard, inputs: Mapping[str, Any], principal: Principal) -> OpenCard:
    """The card as the rules saw it, with the rules of today."""
    tenant = replace(opened.ctx.tenant, enabled=frozenset(inputs["enabled"]) & opened.registry.names)
    ctx = replace(opened.ctx, tenant=tenant, principal=principal)
    then = replace(opened, ctx=ctx, rows={}, **moment_of(opened.registry, inputs))
    then.forget_segments()
    return then
