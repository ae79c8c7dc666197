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
        self,
        kind: str,
        parts: list[tuple[int, datetime | None, datetime]],
        *,
        counts: bool = False,
        lifetime: int = 0,
    ) -> PlainEntry:
        """Add an entry of parts (amount, expiry, when they were earned), a lot for each; a debt is paid first."""
        total = sum(amount for amount, _, _ in parts)
        debt = min(max(0, -self.balance), total)
        entry = self.move(kind, total, total if counts else lifetime)
        for amount, expires, created in parts:
            paid = min(debt, amount)
            debt -= paid
            entry.lot = self.add_lot(amount - paid, amount, expires, created)
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
        return self.sorted([lot for lot in self.lots if lot.left])

    @staticmethod
    def sorted(lots: list[PlainLot]) -> list[PlainLot]:
        """The same order, of any lots."""
        return sorted(lots, key=lambda lot: (lot.expires or _NEVER, lot.created, lot.number))

    def add_lot(self, left: int, amount: int, expires: datetime | None, created: datetime) -> PlainLot:
        """Make a lot."""
        lot = PlainLot(len(self.lots), left, amount, expires, created)
        self.lots.append(lot)
        return lot

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
        self.refill(-spent.amount - debt, spent.taken, at)

    def refill(self, rest: int, taken: list[tuple[PlainLot, int]], at: datetime) -> int:
        """Put units back into lots that they were taken from; those of another card's lot get a lot like it.

        Returns:
            What none of the lots had held.
        """
        late = 0
        for lot, part in sorted(taken, key=lambda use: use[0].expires or _NEVER, reverse=True):
            back = min(part, rest)
            rest -= back
            if lot.expires is not None and lot.expires <= at:
                late += back
            elif any(lot is own for own in self.lots):
                lot.left += back
            elif back:
                self.add_lot(back, back, lot.expires, lot.created)
        if late:
            self.add_lot(late, late, at + GRACE, at)
        return rest


@dataclass
class PlainBrought:
    """What a merge has taken along: lots with what of them paid a debt at once, or what a debt took from lots."""

    amount: int
    lifetime: int
    lots: list[tuple[PlainLot, int]]
    took: list[tuple[PlainLot, int]]


def bring(source: PlainCard, target: PlainCard, at: datetime) -> PlainBrought:
    """Merge a card into another one: balance or debt, lots with their dates, and all that was ever earned."""
    amount, lifetime = source.balance, source.lifetime
    if amount < 0:
        source.give("adjust", [(-amount, None, at)], lifetime=-lifetime)
        took = target.take("adjust", -amount, target.in_order(), lifetime=lifetime).taken
        return PlainBrought(amount, lifetime, [], took)
    gone = source.take("adjust", amount, source.in_order(), lifetime=-lifetime).taken
    before = len(target.lots)
    if gone:
        target.give("adjust", [(part, lot.expires, lot.created) for lot, part in gone], lifetime=lifetime)
    else:
        target.move("adjust", 0, lifetime)
    return PlainBrought(amount, lifetime, [(lot, lot.amount - lot.left) for lot in target.lots[before:]], [])


def send_back(brought: PlainBrought, target: PlainCard, source: PlainCard, at: datetime) -> None:
    """Undo a merge: what is left of the lots that came goes back, with what of them had paid a debt; a debt whole."""
    if brought.amount < 0:
        debt = min(max(0, -target.balance), -brought.amount)
        target.move("adjust", -brought.amount, -brought.lifetime)
        rest = target.refill(-brought.amount - debt, brought.took, at)
        if rest:
            target.add_lot(rest, rest, None, at)
        source.take("adjust", -brought.amount, [], lifetime=brought.lifetime)
        return
    paid = {id(lot): paid for lot, paid in brought.lots}
    lots = target.sorted([lot for lot, _paid in brought.lots])
    parts = [(lot.left + paid[id(lot)], lot.expires, lot.created) for lot in lots if lot.left + paid[id(lot)]]
    others = [lot for lot in target.in_order() if id(lot) not in paid]
    target.take("adjust", sum(part[0] for part in parts), [*lots, *others], lifetime=-brought.lifetime)
    if parts:
        source.give("adjust", parts, lifetime=brought.lifetime)
    else:
        source.move("adjust", 0, brought.lifetime)
