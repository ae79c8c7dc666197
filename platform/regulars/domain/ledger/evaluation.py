"""The record of an evaluation: all that went into the rules, and what came out, so that it can be replayed.

With the same settings and facts the rules give the same points; a stored record proves it, and a refund replays it with
what is left of the sale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Uuid
from sqlalchemy.types import TypeEngine

from regulars.contracts.context import ProgramInfo
from regulars.contracts.ledger import Item, Proposal, Purchase
from regulars.domain.ledger.opened import OpenCard
from regulars.kernel.plugins.registry import PluginRegistry


def evaluation_of(opened: OpenCard, sale_id: UUID, proposals: Iterable[Proposal]) -> dict[str, Any]:
    """The record's row.

    Args:
        opened: the card as it was before the sale.
        sale_id: the sale.
        proposals: what the rules gave.
    """
    return {
        "sale_id": sale_id,
        "rules": dict(opened.rules.versions),
        "inputs": {
            "enabled": sorted(opened.enabled),
            "program": program_of(opened.rules.program),
            "now": opened.now,
            "occurred_at": opened.occurred_at,
            "continues": opened.continues,
            "day_start": opened.day_start,
            "accounts": {
                unit: [state.balance, state.lifetime, state.seq, state.last_at]
                for unit, state in opened.accounts.items()
            },
            "facts": dict(opened.facts),
        },
        "result": result_of(proposals),
        "created_at": opened.now,
    }


def result_of(proposals: Iterable[Proposal]) -> list[dict[str, Any]]:
    """What came out, as it is stored and compared."""
    return [
        {"plugin": one.plugin, "unit": one.draft.unit, "rule": one.draft.rule, "amount": one.draft.amount}
        for one in proposals
        if one.draft.amount
    ]


def program_of(program: ProgramInfo) -> dict[str, str]:
    """What the rules may know of a program; its id is the card's."""
    return {
        "name": program.name,
        "kind": program.kind,
        "status": program.status,
        "timezone": program.timezone,
        "currency": program.currency,
    }


def read_facts(registry: PluginRegistry, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as the hooks knew them: JSON has no moments, days and keys, but the facts' queries say what they give."""
    kinds = {f"{plugin.name}_{fact.name}": fact.query.type for plugin in registry.plugins for fact in plugin.facts}
    return {label: _typed(value, kinds.get(label)) for label, value in stored.items()}


def _typed(value: Any, kind: TypeEngine[Any] | None) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return UUID(value) if isinstance(kind, Uuid) else value


def items_of(purchase: Purchase) -> list[dict[str, Any]] | None:
    """A sale's lines as they are stored, `None` without any."""
    if not purchase.items:
        return None
    return [
        {
            "sku": item.sku,
            "title": item.title,
            "category": item.category,
            "quantity": item.quantity,
            "amount_minor": item.amount_minor,
        }
        for item in purchase.items
    ]


def read_items(stored: Iterable[Mapping[str, Any]] | None) -> tuple[Item, ...]:
    """Lines as they were stored."""
    return tuple(Item(**line) for line in stored or ())
