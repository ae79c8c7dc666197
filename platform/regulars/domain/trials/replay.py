"""Sales of the past, judged again by other settings: pure, with what the hooks were given then.

What a sale was judged by is kept with it: accounts, facts, clock. What is asked only by plugins that were not there
then is answered as for a new card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Numeric, Uuid
from sqlalchemy.types import TypeEngine

from regulars.contracts.context import AccountState, CardInfo
from regulars.contracts.ledger import Item, Purchase, Refusal
from regulars.domain.ledger.commands import Attempt, CardRef
from regulars.domain.ledger.engine import NO_CLAIM
from regulars.domain.ledger.opened import OpenCard, Views
from regulars.kernel.plugins.dispatch import first_refusal
from regulars.kernel.plugins.registry import PluginRegistry

Amounts = dict[str, int]
"""Unit → amount."""
_DECODERS: tuple[tuple[type[TypeEngine[Any]], Callable[[Any], Any]], ...] = (
    (DateTime, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (Uuid, UUID),
    (Numeric, Decimal),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A sale, then and now.

    Attributes:
        old: what it gave.
        new: what it would give; nothing when it would be refused.
        refused: whether a check that has other settings now refuses it.
    """

    old: Amounts
    new: Amounts
    refused: bool


class Replay:
    """Judges sales one after the other; not to be shared between tasks.

    Args:
        opened: a card that nobody has, with the settings that are tried: it answers facts that were not kept.
        registry: the plugins.
        changed: plugins whose settings are tried; only their checks are asked again, the others have let the sale pass.
    """

    def __init__(self, opened: OpenCard, registry: PluginRegistry, changed: frozenset[str]) -> None:
        enabled = opened.ctx.tenant.enabled
        opened.explains = False
        self._opened = opened
        self._empty = dict(opened.facts)
        self._decoders = _decoders(registry, enabled)
        self._checks = registry.hooks.ledger("check_earn", enabled & changed)
        self._attempts: dict[UUID | None, Attempt] = {}
        self._card: CardInfo | None = None

    def judge(self, row: Mapping[str, Any]) -> Judged:
        """Judge a row of `repository.PAGE`.

        Raises:
            PluginFault: a plugin's hook failed.
        """
        opened, purchase = self._opened, _purchase(row)
        self._place(row)
        views = Views(opened)

        def arguments(plugin: str) -> tuple[Any, ...]:
            context, facts = views[plugin]
            return context, purchase, facts

        old: Amounts = {}
        for draft in row["result"]:
            old[draft["unit"]] = old.get(draft["unit"], 0) + draft["amount"]
        if isinstance(first_refusal(self._checks, arguments), Refusal):
            return Judged(old, {}, refused=True)
        new: Amounts = {}
        for proposal in opened.evaluate(purchase, views):
            unit, amount = proposal.draft.unit, proposal.draft.amount
            if amount:
                new[unit] = new.get(unit, 0) + amount
        return Judged(old, new, refused=False)

    def _place(self, row: Mapping[str, Any]) -> None:
        """Put the card back to where it was when the sale came."""
        opened, inputs = self._opened, row["inputs"]
        opened.card = self._card_of(row)
        opened.attempt = self._attempt_at(row["shop_id"])
        opened.now = datetime.fromisoformat(inputs["now"])
        opened.occurred_at = row["occurred_at"]
        opened.continues = inputs.get("continues", False)
        opened.day_start = datetime.fromisoformat(inputs["day_start"])
        opened.accounts = {
            unit: AccountState(unit, balance, lifetime, seq, datetime.fromisoformat(last_at) if last_at else None)
            for unit, (balance, lifetime, seq, last_at) in inputs["accounts"].items()
        }
        facts = {**self._empty, **inputs["facts"]}
        for label, decode in self._decoders:
            value = facts[label]
            if isinstance(value, str):
                facts[label] = decode(value)
        opened.facts = facts
        opened.forget_segments()

    def _card_of(self, row: Mapping[str, Any]) -> CardInfo:
        if self._card is None or self._card.id != row["card_id"]:
            self._card = CardInfo(
                row["card_id"],
                row["number"],
                "active",
                row["member_id"],
                self._opened.rules.program.id,
                row["card_created_at"],
            )
        return self._card

    def _attempt_at(self, shop_id: UUID | None) -> Attempt:
        found = self._attempts.get(shop_id)
        if found is None:
            found = Attempt(NO_CLAIM, CardRef("id", self._opened.card.id), None, None, shop_id)
            self._attempts[shop_id] = found
        return found


def _purchase(row: Mapping[str, Any]) -> Purchase:
    lines = row["items"]
    items = tuple(Item(**line) for line in lines) if lines else ()
    return Purchase(row["quantity"], row["amount_minor"], row["currency"], items, row["channel"], row["counts"])


def _decoders(registry: PluginRegistry, enabled: frozenset[str]) -> list[tuple[str, Callable[[Any], Any]]]:
    """Facts that are no JSON values by themselves: they were kept as texts."""
    return [
        (f"{plugin.name}_{fact.name}", decode)
        for plugin in registry.plugins
        if plugin.name in enabled
        for fact in plugin.facts
        for kind, decode in _DECODERS
        if isinstance(fact.query.type, kind)
    ]
