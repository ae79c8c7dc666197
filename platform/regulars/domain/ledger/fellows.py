"""Cards of one household share what is on them: each keeps its own account, and each can spend what all have together.

Nothing moves when somebody earns. Whoever spends more than the own card has gets the rest from the others at that
moment (`regulars.domain.households.drawing`), so limits, tiers and refunds stay those of the person who bought.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from regulars.contracts.context import AccountState

HOUSEHOLDS = "households"
"""The feature, as offerings list it."""


@dataclass(frozen=True, slots=True)
class Fellow:
    """Another card of the household that can be used.

    Attributes:
        balances: unit → what is on it; a debt counts for all.
        entries: how many movements there were on it, so that a change is seen.
    """

    card_id: UUID
    balances: Mapping[str, int]
    entries: int

    def less(self, unit: str, amount: int) -> Self:
        """The same card when so much was taken from it."""
        return replace(self, balances={**self.balances, unit: self.balances[unit] - amount})


def fellow(value: Mapping[str, Any]) -> Fellow:
    """A card of the household from its JSON form."""
    return Fellow(UUID(value["card_id"]), value["balances"] or {}, value["entries"] or 0)


def shared(accounts: Mapping[str, AccountState], fellows: Iterable[Fellow]) -> dict[str, AccountState]:
    """What can be spent: a card's accounts with the balances of the whole household.

    Args:
        accounts: of the card itself.
        fellows: the other cards.
    """
    found = dict(accounts)
    for one in fellows:
        for unit, balance in one.balances.items():
            known = found.get(unit) or AccountState(unit)
            found[unit] = replace(known, balance=known.balance + balance)
    return found
