"""What a back-test adds up: totals, months, and who gains or loses most; bounded whatever the number of sales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappush, heappushpop
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars.domain.trials.replay import Judged

TOP = 20
Pair = list[int]
"""Units then and now."""
_Place = tuple[int, str, int, int]


@dataclass(slots=True)
class UnitTally:
    """One unit.

    Attributes:
        given: then and now, over all sales.
        gain, lose: cards that would have more, or less.
    """

    given: Pair = field(default_factory=lambda: [0, 0])
    gain: int = 0
    lose: int = 0
    _gainers: list[_Place] = field(default_factory=list)
    _losers: list[_Place] = field(default_factory=list)

    def card(self, card_id: UUID, old: int, new: int) -> None:
        """Count a card, whose sales have all been seen."""
        change = new - old
        self.gain += change > 0
        self.lose += change < 0
        if change:
            _keep(self._gainers if change > 0 else self._losers, (abs(change), str(card_id), old, new))

    def shown(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "old": self.given[0],
            "new": self.given[1],
            "gain": self.gain,
            "lose": self.lose,
            "gainers": [list(place[1:]) for place in sorted(self._gainers, reverse=True)],
            "losers": [list(place[1:]) for place in sorted(self._losers, reverse=True)],
        }


class Tally:
    """Adds up sales that come card by card.

    Args:
        timezone: of the program; months go by it.
    """

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._units: dict[str, UnitTally] = {}
        self._months: dict[tuple[int, int], tuple[list[int], dict[str, Pair]]] = {}
        self._card: UUID | None = None
        self._own: dict[str, Pair] = {}
        self.sales = 0
        self.refused = 0
        self.cards = 0

    def add(self, card_id: UUID, at: datetime, judged: Judged) -> None:
        """Count a sale."""
        if card_id != self._card:
            self._close()
            self._card = card_id
            self.cards += 1
        self.sales += 1
        self.refused += judged.refused
        here = at.astimezone(self._zone)
        found = self._months.get((here.year, here.month))
        count, month = found if found is not None else self._months.setdefault((here.year, here.month), ([0], {}))
        count[0] += 1
        for side, amounts in enumerate((judged.old, judged.new)):
            for unit, amount in amounts.items():
                for pairs in (month, self._own):
                    pair = pairs.get(unit)
                    if pair is None:
                        pair = pairs[unit] = [0, 0]
                    pair[side] += amount

    def result(self) -> dict[str, Any]:
        """All of it, as it is stored."""
        self._close()
        return {
            "sales": self.sales,
            "refused": self.refused,
            "cards": self.cards,
            "units": {unit: tally.shown() for unit, tally in sorted(self._units.items())},
            "months": [
                [f"{year:04}-{month:02}", count[0], dict(sorted(pairs.items()))]
                for (year, month), (count, pairs) in sorted(self._months.items())
            ],
        }

    def _close(self) -> None:
        """The card's sales have all been seen."""
        for unit, (old, new) in self._closing():
            tally = self._units.setdefault(unit, UnitTally())
            tally.given[0] += old
            tally.given[1] += new
            assert self._card is not None
            tally.card(self._card, old, new)

    def _closing(self) -> Iterator[tuple[str, Pair]]:
        own, self._own = self._own, {}
        return iter(own.items())


def _keep(heap: list[_Place], place: _Place) -> None:
    if len(heap) < TOP:
        heappush(heap, place)
    else:
        heappushpop(heap, place)
