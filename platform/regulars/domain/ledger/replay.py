"""Evaluating a sale again, exactly as it was: from its stored record, with the rules and facts of that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Uuid
from sqlalchemy.types import TypeEngine

from regulars.contracts.context import AccountState
from regulars.contracts.errors import PluginFault
from regulars.contracts.ledger import Proposal, Purchase
from regulars.domain.ledger.evaluation import result_of
from regulars.domain.ledger.lots import read_time
from regulars.domain.ledger.opened import OpenCard


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
    try:
        then = as_it_was(opened, evaluation, shop_id=shop_id, staff_id=staff_id)
        if result_of(then.evaluate(purchase)) != evaluation["result"]:
            return None
        return then.evaluate(wanted)
    except PluginFault:
        return None


def as_it_was(
    opened: OpenCard, evaluation: Mapping[str, Any], *, shop_id: UUID | None, staff_id: UUID | None
) -> OpenCard:
    """The card as the rules saw it when a sale was recorded.

    Args:
        opened: the card now.
        evaluation: the stored record of the sale.
        shop_id, staff_id: of the sale.

    Raises:
        PluginFault: a fact that the plugins ask for today was not asked then.
    """
    inputs = evaluation["inputs"]
    tenant = replace(opened.ctx.tenant, enabled=frozenset(inputs["enabled"]) & opened.registry.names)
    principal = replace(opened.ctx.principal, kind="staff", id=staff_id, shop_id=shop_id)
    accounts = {
        unit: AccountState(unit, balance, lifetime, seq, read_time(last_at))
        for unit, (balance, lifetime, seq, last_at) in inputs["accounts"].items()
    }
    return replace(
        opened,
        ctx=replace(opened.ctx, tenant=tenant, principal=principal),
        attempt=None,
        staff=None,
        now=datetime.fromisoformat(inputs["now"]),
        occurred_at=read_time(inputs["occurred_at"]),
        day_start=datetime.fromisoformat(inputs["day_start"]),
        accounts=accounts,
        facts=_facts(opened, tenant.enabled, inputs["facts"]),
        rows={},
    )


def _facts(opened: OpenCard, enabled: frozenset[str], stored: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(stored)
    for plugin in opened.registry.plugins:
        if plugin.name not in enabled:
            continue
        for fact in plugin.facts:
            label = f"{plugin.name}_{fact.name}"
            if label not in facts:
                raise PluginFault(plugin.name, f"the fact {fact.name!r} was not kept")
            facts[label] = _typed(facts[label], fact.query.type)
    return facts


def _typed(value: Any, kind: TypeEngine[Any]) -> Any:
    """A fact as the hooks know it: JSON has no times and keys."""
    if not isinstance(value, str):
        return value
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return datetime.fromisoformat(value).date()
    return UUID(value) if isinstance(kind, Uuid) else value
