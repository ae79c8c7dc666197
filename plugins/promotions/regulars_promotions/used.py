"""How much of each promotion is used, as the sale's facts tell it, and what that leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from regulars_promotions.settings import Promotion

What = Literal["uses", "units", "money"]
EVERYBODY = ""
"""Scope of what all members together have used; a member's own scope is the id."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a promotion still has, `None` where it has no limit."""

    uses: int | None
    own_uses: int | None
    units: int | None
    money: int | None

    @property
    def is_gone(self) -> bool:
        """Whether nobody can have it any more."""
        return any(left is not None and left <= 0 for left in (self.uses, self.units, self.money))


class Used:
    """Counters of a program's promotions.

    Args:
        rows: `[scope, promotion, what, used]` of everybody and of the member in question.
    """

    def __init__(self, rows: Iterable[Any] | None) -> None:
        self._used: Mapping[tuple[bool, str, str], int] = {
            (scope == EVERYBODY, promotion, what): used for scope, promotion, what, used in rows or ()
        }

    def by_all(self, promotion: str, what: What) -> int:
        """What all members have used of it."""
        return self._used.get((True, promotion, what), 0)

    def by_member(self, promotion: str) -> int:
        """How often the member has used it."""
        return self._used.get((False, promotion, "uses"), 0)

    def left(self, promotion: Promotion) -> Left:
        """What a promotion still has for this member; below 0 where a limit was lowered since."""
        key = promotion.key

        def less(most: int | None, used: int) -> int | None:
            return None if most is None else most - used

        return Left(
            uses=less(promotion.max_uses, self.by_all(key, "uses")),
            own_uses=less(promotion.max_uses_per_member, self.by_member(key)),
            units=less(promotion.budget_units, self.by_all(key, "units")),
            money=less(promotion.budget_minor, self.by_all(key, "money")),
        )
