"""Many rules asked at once: which hold for a sale, and what the others miss.

As rules see it, a sale is in one of a few situations: between which of their bounds its day, hour and amount lie, which
of the goods that they name were bought, and so on. `first_miss` is asked once for each situation, and what it said is
kept; so fifty rules cost a sale little more than one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, TypeVar

from regulars.contracts.conditions import Conditions, first_miss
from regulars.contracts.ledger import LedgerContext, Purchase, Step

K = TypeVar("K")
V = TypeVar("V")
_PROGRAMS = 256
_SITUATIONS = 512


def by_identity(make: Callable[[K], V]) -> Callable[[K], V]:
    """Keep what a function makes of values that are never changed and take long to compare, as settings are.

    Args:
        make: pure; what it has made of some hundred values is kept.
    """
    known: dict[int, tuple[K, V]] = {}

    @wraps(make)
    def made(value: K) -> V:
        found = known.get(id(value))
        if found is None or found[0] is not value:
            if len(known) >= _PROGRAMS:
                known.clear()
            found = known[id(value)] = (value, make(value))
        return found[1]

    return made


@dataclass(frozen=True, slots=True)
class Matches:
    """What some rules say to a sale.

    Attributes:
        hits: places of the rules that hold, in their order.
        misses: for each rule the step that says what it misses, `None` where it holds.
    """

    hits: tuple[int, ...]
    misses: tuple[Step | None, ...]


class Matcher:
    """Some rules, asked together; keep it as long as they are the same, see `by_identity`.

    Args:
        rules: in the merchant's order.
        names: of the rules, as steps say them.
    """

    def __init__(self, rules: Sequence[Conditions], names: Sequence[str]) -> None:
        self._rules, self._names = rules, names
        self._known: dict[Any, Matches] = {}
        self._steps: dict[tuple[int, str], Step] = {}
        self._amounts = _bounds([rule.min_amount_minor for rule in rules], [rule.max_amount_minor for rule in rules])
        self._dates = _bounds([_number(rule.starts_on) for rule in rules], [_number(rule.ends_on) for rule in rules])
        self._hours = sorted({hour for rule in rules for hour in (rule.from_time, rule.to_time) if hour is not None})
        self._by_shop = any(rule.shops for rule in rules)
        self._by_day = any(rule.days != "any" for rule in rules)
        self._segments = frozenset(word for rule in rules for word in rule.segments)
        self._categories = frozenset(word.casefold() for rule in rules for word in rule.categories)
        self._products = frozenset(word.casefold() for rule in rules for word in rule.products)

    def matches(self, ctx: LedgerContext, purchase: Purchase, *, is_first: bool = False) -> Matches:
        """What the rules say; exactly what `first_miss` says to each.

        Args:
            ctx: when, where and who.
            purchase: what was bought.
            is_first: whether the card has no standing purchase yet.
        """
        situation = self._situation(ctx, purchase, is_first=is_first)
        found = self._known.get(situation)
        if found is None:
            if len(self._known) >= _SITUATIONS:
                self._known.clear()
            found = self._known[situation] = self._ask(ctx, purchase, is_first=is_first)
        return found

    def _situation(self, ctx: LedgerContext, purchase: Purchase, *, is_first: bool) -> tuple[Any, ...]:
        at = ctx.at if self._by_day or self._dates or self._hours else None
        return (
            is_first,
            purchase.channel,
            bisect_right(self._amounts, purchase.amount_minor or 0),
            at.weekday() if at is not None and self._by_day else None,
            bisect_right(self._dates, at.toordinal()) if at is not None and self._dates else 0,
            bisect_right(self._hours, at.time()) if at is not None and self._hours else 0,
            ctx.shop_id if self._by_shop else None,
            self._segments & ctx.segments if self._segments else None,
            self._bought(purchase) if purchase.items else None,
        )

    def _bought(self, purchase: Purchase) -> tuple[frozenset[str], frozenset[str]] | None:
        """Which of the goods that rules name were bought."""
        if not self._categories and not self._products:
            return None
        categories = frozenset(item.category.casefold() for item in purchase.items)
        products = frozenset(item.sku.casefold() for item in purchase.items if item.sku)
        return categories & self._categories, products & self._products

    def _ask(self, ctx: LedgerContext, purchase: Purchase, *, is_first: bool) -> Matches:
        misses = []
        for place, (rule, name) in enumerate(zip(self._rules, self._names, strict=True)):
            step = first_miss(rule, name, ctx, purchase, is_first=is_first)
            misses.append(step and self._steps.setdefault((place, step.message), step))
        return Matches(tuple(place for place, step in enumerate(misses) if step is None), tuple(misses))


def _number(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def _bounds(first: Sequence[int | None], last: Sequence[int | None]) -> list[int]:
    """Where something begins to hold, or does so no more, in order."""
    return sorted({*(one for one in first if one is not None), *(one + 1 for one in last if one is not None)})
