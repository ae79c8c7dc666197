"""The ledger's arithmetic a second time, as plainly as possible, for tests to compare with.

It shares no code with the product: one card's account of one unit, its entries and its lots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_NEVER = datetime.max.replace(tzinfo=UTC)
GRACE = timedelta(days=30)


@dataclass
class PlainLot:
    """What is left of an earning; `number` counts the card's lots."""

    number: int
    left: int
    amount: int
    expires: datetime | None
    created: datetime


@dataclass
class PlainEntry:
    """A movement; `taken` says from which lots, `back` how much of it was taken back since."""

    kind: str
    amount: int
    balance: int
    lifetime: int
    lot: PlainLot | None = None
    taken: list[tuple[PlainLot, int]] = field(default_factory=list)
    back: int = 0


@dataclass
class PlainCard:
    """What a card should look like, as plainly as possible."""

    balance: int = 0
    lifetime: int = 0
    entries: list[PlainEntry] = field(default_factory=list)
    lots: list[PlainLot] = field(default_factory=list)

    def give(
        self, kind: str, parts: list[tuple[int, datetime | None, datetime]], *, counts: bool = False
    ) -> PlainEntry:
        """Add an entry of parts (amount, expiry, when they were earned), a lot for each; a debt is paid first."""
        total = sum(amount for amount, _, _ in parts)
        debt = min(max(0, -self.balance), total)
        entry = self.move(kind, total, total if counts else 0)
        for amount, expires, created in parts:
            paid = min(debt, amount)
            debt -= paid
            entry.lot = PlainLot(len(self.lots), amount - paid, amount, expires, created)
            self.lots.append(entry.lot)
        return entry

    def take(self, kind: str, amount: int, lots: list[PlainLot], lifetime: int = 0) -> PlainEntry:
        """Add an entry that takes from lots in their order; what they do not hold becomes a debt."""
        entry = self.move(kind, -amount, lifetime)
        for lot in lots:
            part = min(amount, lot.left)
            if part:
                lot.left -= part
                amount -= part
                entry.taken.append((lot, part))
        return entry

    def move(self, kind: str, amount: int, lifetime: int) -> PlainEntry:
        """Add an entry without any lots."""
        self.balance += amount
        self.lifetime += lifetime
        entry = PlainEntry(kind, amount, self.balance, self.lifetime)
        self.entries.append(entry)
        return entry

    def in_order(self) -> list[PlainLot]:
        """Oldest expiry first, never last, then oldest."""
        open_lots = [lot for lot in self.lots if lot.left]
        return sorted(open_lots, key=lambda lot: (lot.expires or _NEVER, lot.created, lot.number))

    def take_back(self, earned: PlainEntry, amount: int, floor: int) -> int:
        """Take a part of an earning back: from its own lot first, then the oldest, never below a floor.

        Returns:
            What was taken, 0 when nothing could be.
        """
        taken = min(amount, self.balance - floor)
        if taken <= 0:
            return 0
        own = [earned.lot] if earned.lot is not None and earned.lot.left else []
        rest = [lot for lot in self.in_order() if lot is not earned.lot]
        self.take("reverse", taken, [*own, *rest], lifetime=-taken)
        earned.back += taken
        return taken

    def give_back(self, spent: PlainEntry, at: datetime) -> None:
        """To the same lots; what has expired there gets a new lot for a while; a debt is paid first."""
        debt = min(max(0, -self.balance), -spent.amount)
        self.move("reverse", -spent.amount, 0)
        rest, late = -spent.amount - debt, 0
        for lot, part in sorted(spent.taken, key=lambda use: use[0].expires or _NEVER, reverse=True):
            back = min(part, rest)
            rest -= back
            if lot.expires is not None and lot.expires <= at:
                late += back
            else:
                lot.left += back
        if late:
            self.lots.append(PlainLot(len(self.lots), late, late, at + GRACE, at))
