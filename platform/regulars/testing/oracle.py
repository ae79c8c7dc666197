"""The same rules a second time, as plainly as possible: what a stamp card should look like after a history.

The oracle shares no code with the product. Tests compare both after random histories; cards of the demo are recomputed
with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Result = Literal["ok", "too_many", "cooldown", "daily_limit", "not_ready", "nothing", "not_yours", "too_late", "spent"]
UNDO_WINDOW = timedelta(minutes=10)


@dataclass
class Entry:
    """A movement as the ledger should hold it."""

    kind: str
    amount: int
    balance: int
    lifetime: int
    at: datetime


@dataclass
class Lot:
    """What is left of an earning."""

    amount: int
    left: int


@dataclass
class Action:
    """A sale or redemption with what it did, for undoing."""

    kind: Literal["sale", "redemption"]
    at: datetime
    staff: str
    earned: list[tuple[int, Lot]] = field(default_factory=list)
    taken: list[tuple[Lot, int]] = field(default_factory=list)
    counted: int = 0
    milestones: list[int] = field(default_factory=list)
    undone: bool = False


@dataclass
class StampOracle:
    """One card of a stamp program."""

    target: int = 10
    welcome: int = 1
    max_per_sale: int = 10
    milestones: Sequence[tuple[int, int]] = ((50, 1),)
    cooldown: timedelta = timedelta(minutes=15)
    max_daily: int = 5
    timezone: str = "Europe/Luxembourg"
    entries: list[Entry] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    balance: int = 0
    lifetime: int = 0

    def enrol(self, at: datetime) -> None:
        """The card is made."""
        if self.welcome:
            self._earn(self.welcome, at)

    def sale(self, at: datetime, quantity: int, staff: str) -> Result:
        """Somebody buys."""
        standing = [a for a in self.actions if a.kind == "sale" and not a.undone]
        if standing and at < max(a.at for a in standing) + self.cooldown:
            return "cooldown"
        zone = ZoneInfo(self.timezone)
        today = sum(a.counted for a in standing if a.at.astimezone(zone).date() == at.astimezone(zone).date())
        if today + quantity > self.max_daily:
            return "daily_limit"
        if quantity > self.max_per_sale:
            return "too_many"
        action = Action("sale", at, staff, counted=quantity)
        passed, total = [], self.lifetime + quantity
        reached = {m for a in standing for m in a.milestones}
        for threshold, bonus in sorted(self.milestones):
            if self.lifetime < threshold <= total and threshold not in reached:
                total += bonus
                passed.append((threshold, bonus))
        for amount in [quantity, *(bonus for _, bonus in passed)]:
            action.earned.append((amount, self._earn(amount, at)))
        action.milestones = [threshold for threshold, _ in passed]
        self.actions.append(action)
        return "ok"

    def redeem(self, at: datetime, staff: str) -> Result:
        """Somebody wants the reward."""
        if self.balance < self.target:
            return "not_ready"
        action, missing = Action("redemption", at, staff), self.target
        for lot in self.lots:
            taken = min(missing, lot.left)
            if taken:
                lot.left -= taken
                missing -= taken
                action.taken.append((lot, taken))
        self._entry("redeem", -self.target, 0, at)
        self.actions.append(action)
        return "ok"

    def undo(self, at: datetime, staff: str) -> Result:
        """Somebody takes the last action back."""
        standing = [a for a in self.actions if not a.undone]
        if not standing:
            return "nothing"
        action = standing[-1]
        if action.staff != staff:
            return "not_yours"
        if at - action.at > UNDO_WINDOW:
            return "too_late"
        if any(lot.left < amount for amount, lot in action.earned):
            return "spent"
        for amount, lot in reversed(action.earned):
            lot.left -= amount
            self._entry("reverse", -amount, -amount, at)
        if action.taken:
            for lot, taken in action.taken:
                lot.left += taken
            self._entry("reverse", sum(taken for _, taken in action.taken), 0, at)
        action.undone = True
        return "ok"

    def _earn(self, amount: int, at: datetime) -> Lot:
        self._entry("earn", amount, amount, at)
        lot = Lot(amount, amount)
        self.lots.append(lot)
        return lot

    def _entry(self, kind: str, amount: int, lifetime: int, at: datetime) -> None:
        self.balance += amount
        self.lifetime += lifetime
        self.entries.append(Entry(kind, amount, self.balance, self.lifetime, at))
