"""Ten thousand random histories in memory: the ledger's arithmetic and a plain oracle agree on every number.

The oracle below shares no code with the product. Two cards of two tenants each live through earnings, spending, expiry,
corrections, partial and whole take-backs, transfers, merges and back; the product's rows are folded as the database
would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from regulars.contracts.context import AccountState
from regulars.contracts.ledger import EntryDraft, PostedEntry
from regulars.domain.ledger.lots import AlreadySpentError, LotUse, NotEnoughError, OpenLot, Posted
from regulars.domain.ledger.posting import Posting
from regulars.domain.merges.moving import Brought, bring, send_back
from regulars.testing import plain_ledger
from regulars.testing.plain_ledger import PlainBrought, PlainCard

SEQUENCES = 10_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
UNIT = "points"
LIVES = (None, timedelta(days=1), timedelta(days=3))
FLOORS = (0, -5, -1000)
MOSTLY_ONE = 192
"""Of 256: long histories of one card find more than short ones of four."""
CARDS = (("cafe", 0), ("cafe", 1), ("pizza", 0), ("pizza", 1))


Step = Callable[["World", tuple[str, int], int, int], None]


@dataclass
class StoredLot:
    id: UUID
    entry_id: UUID
    amount: int
    left: int
    expires: datetime | None
    created: datetime

    def open(self) -> OpenLot:
        return OpenLot(self.id, self.entry_id, UNIT, self.left, self.expires, self.created)


@dataclass
class Stored:
    """The product's rows of a card, folded as the write statement would."""

    account: AccountState = field(default_factory=lambda: AccountState(UNIT))
    entries: list[dict[str, Any]] = field(default_factory=list)
    lots: dict[UUID, StoredLot] = field(default_factory=dict)
    uses: list[dict[str, Any]] = field(default_factory=list)

    def posting(self, at: datetime) -> Posting:
        return Posting({UNIT: self.account}, {"created_at": at, "sale_id": None, "shop_id": None, "staff_id": None})

    def open(self) -> list[OpenLot]:
        return [lot.open() for lot in self.lots.values() if lot.left]

    def fold(self, posting: Posting) -> None:
        self.account = posting.accounts[UNIT]
        self.entries += posting.entry_rows
        for row in posting.lot_rows:
            self.lots[row["id"]] = StoredLot(
                row["id"], row["entry_id"], row["amount"], row["amount_left"], row["expires_at"], row["created_at"]
            )
        for row in posting.lot_change_rows:
            self.lots[row["id"]].left = row["amount_left"]
        self.uses += posting.lot_use_rows

    def posted(self, number: int) -> Posted:
        row = self.entries[number]
        lot = next((lot.open() for lot in self.lots.values() if lot.entry_id == row["id"]), None)
        uses = [World.use_of(self, use) for use in self.uses if use["entry_id"] == row["id"]]
        names = ("id", "unit", "kind", "amount", "balance_after", "lifetime_after", "rule", "plugin", "explanation")
        return Posted(PostedEntry(**{name: row[name] for name in names}), True, lot, uses)


class World:
    """Both, side by side."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.stored = {card: Stored() for card in CARDS}
        self.plain = {card: PlainCard() for card in CARDS}
        self.merged: dict[tuple[str, int], tuple[UUID, PlainBrought]] = {}

    def step(self, what: int, who: int, size: int) -> None:
        card = CARDS[0 if who < MOSTLY_ONE else who % len(CARDS)]
        self.now += timedelta(minutes=1)
        untouched = {other: repr(self.stored[other]) for other in CARDS if other[0] != card[0]}
        self.act(STEPS[what % len(STEPS)], card, size)
        assert {other: repr(self.stored[other]) for other in untouched} == untouched
        for one in CARDS:
            self.compare(self.stored[one], self.plain[one])

    def act(self, step: Step, card: tuple[str, int], size: int) -> None:
        """A card that was merged stands for the one that stays."""
        root = (card[0], 1 - card[1]) if card in self.merged else card
        step(self, root, 1 + size % 40, size)

    def compare(self, stored: Stored, plain: PlainCard) -> None:
        assert (stored.account.balance, stored.account.lifetime) == (plain.balance, plain.lifetime)
        assert stored.account.seq == len(stored.entries) == len(plain.entries)
        if not stored.entries:
            return
        last, wanted = stored.entries[-1], plain.entries[-1]
        assert (last["kind"], last["amount"], last["balance_after"], last["lifetime_after"]) == (
            wanted.kind,
            wanted.amount,
            wanted.balance,
            wanted.lifetime,
        )
        lots = [(lot.amount, lot.left, lot.expires) for lot in stored.lots.values()]
        assert lots == [(lot.amount, lot.left, lot.expires) for lot in plain.lots]
        assert all(0 <= lot.left <= lot.amount for lot in stored.lots.values())
        assert sum(lot.left for lot in stored.lots.values()) == max(0, stored.account.balance)
        assert all(lot.amount - lot.left == sum(self.used(stored, lot.id)) for lot in stored.lots.values())

    @staticmethod
    def used(stored: Stored, lot_id: UUID) -> Iterator[int]:
        return (use["amount"] for use in stored.uses if use["lot_id"] == lot_id)

    def earn(self, card: tuple[str, int], amount: int, size: int) -> None:
        life = LIVES[size % len(LIVES)]
        expires = self.now + life if life else None
        posting = self.stored[card].posting(self.now)
        posting.earn(EntryDraft(UNIT, amount, "rule", expires_at=expires), "points")
        self.stored[card].fold(posting)
        self.plain[card].give("earn", [(amount, expires, self.now)], counts=True)

    def redeem(self, card: tuple[str, int], amount: int, size: int) -> None:
        stored, plain = self.stored[card], self.plain[card]
        posting = stored.posting(self.now)
        try:
            posting.redeem(UNIT, amount, stored.open(), plugin="rewards", rule="r", explanation={})
        except NotEnoughError:
            assert plain.balance < amount
            return
        stored.fold(posting)
        plain.take("redeem", amount, plain.in_order())

    def expire(self, card: tuple[str, int], amount: int, size: int) -> None:
        stored, plain = self.stored[card], self.plain[card]
        due = [lot for lot in stored.open() if lot.expires_at is not None and lot.expires_at <= self.now]
        wanted = [lot for lot in plain.in_order() if lot.expires is not None and lot.expires <= self.now]
        assert len(due) == len(wanted)
        if due:
            posting = stored.posting(self.now)
            posting.expire(UNIT, due, plugin="points")
            stored.fold(posting)
            plain.take("expire", sum(lot.left for lot in wanted), wanted)

    def adjust(self, card: tuple[str, int], amount: int, size: int) -> None:
        stored, plain = self.stored[card], self.plain[card]
        signed = amount if size % 2 else -amount
        posting = stored.posting(self.now)
        try:
            posting.adjust(UNIT, signed, stored.open(), plugin="points", rule="by_hand", reason="because")
        except NotEnoughError:
            assert plain.balance < amount
            return
        stored.fold(posting)
        if signed > 0:
            plain.give("adjust", [(amount, None, self.now)])
        else:
            plain.take("adjust", amount, plain.in_order())

    def take_back(self, card: tuple[str, int], amount: int, size: int) -> None:
        """A refund: a part of an earning, never more than is not taken back yet."""
        stored, plain = self.stored[card], self.plain[card]
        earned = [number for number, entry in enumerate(plain.entries) if entry.kind == "earn"]
        if not earned:
            return
        number = earned[size % len(earned)]
        original, floor = plain.entries[number], FLOORS[size % len(FLOORS)]
        amount = min(amount, original.amount - original.back)
        if amount == 0:
            return
        posting = stored.posting(self.now)
        entry = posting.take_back(stored.posted(number), amount, stored.open(), floor=floor, reason="refund")
        assert (entry is None) == (plain.take_back(original, amount, floor) == 0)
        if entry is not None:
            stored.fold(posting)

    def undo(self, card: tuple[str, int], amount: int, size: int) -> None:
        """The last earning taken back whole, when its lot still holds it."""
        stored, plain = self.stored[card], self.plain[card]
        if not plain.entries or plain.entries[-1].kind != "earn":
            return
        number = len(plain.entries) - 1
        last = plain.entries[number]
        assert last.lot is not None
        posting = stored.posting(self.now)
        try:
            posting.reverse(stored.posted(number), reason="undo")
        except AlreadySpentError:
            assert last.lot.left < last.amount
            return
        stored.fold(posting)
        plain.take("reverse", last.amount, [last.lot], lifetime=-last.amount)
        last.back = last.amount

    def release(self, card: tuple[str, int], amount: int, size: int) -> None:
        """Something redeemed is given back, however long ago."""
        stored, plain = self.stored[card], self.plain[card]
        spent = [number for number, entry in enumerate(plain.entries) if entry.kind == "redeem" and not entry.back]
        if not spent:
            return
        number = spent[size % len(spent)]
        posting = stored.posting(self.now)
        posting.reverse(stored.posted(number), reason="release")
        stored.fold(posting)
        plain.entries[number].back = 1
        plain.give_back(plain.entries[number], self.now)

    def transfer(self, card: tuple[str, int], amount: int, size: int) -> None:
        """To the other card of the same tenant, with the lots' dates."""
        other = (card[0], 1 - card[1])
        if other in self.merged:
            return
        stored, plain = self.stored[card], self.plain[card]
        posting = stored.posting(self.now)
        try:
            portions = posting.hand_out(UNIT, amount, stored.open(), plugin="points", reason="gift")
        except NotEnoughError:
            assert plain.balance < amount
            return
        stored.fold(posting)
        receiving = self.stored[other].posting(self.now)
        receiving.take_in(UNIT, portions, plugin="points", reason="gift")
        self.stored[other].fold(receiving)
        gone = plain.take("adjust", amount, plain.in_order())
        self.plain[other].give("adjust", [(part, lot.expires, lot.created) for lot, part in gone.taken])

    def merge(self, card: tuple[str, int], amount: int, size: int) -> None:
        """The other card of the tenant into this one, or back."""
        other = (card[0], 1 - card[1])
        if other in self.merged:
            self.unmerge(other, card)
            return
        source, target = self.stored[other], self.stored[card]
        giving, taking = source.posting(self.now), target.posting(self.now)
        bring(source.account, source.open(), giving, target.open(), taking, "points", {})
        source.fold(giving)
        target.fold(taking)
        entry_id = target.entries[-1]["id"]
        self.merged[other] = entry_id, plain_ledger.bring(self.plain[other], self.plain[card], self.now)

    def unmerge(self, source: tuple[str, int], target: tuple[str, int]) -> None:
        entry_id, plain = self.merged.pop(source)
        stored = self.stored[target]
        entry = next(row for row in stored.entries if row["id"] == entry_id)
        lots = [lot for lot in stored.lots.values() if lot.entry_id == entry_id]
        uses = [use for use in stored.uses if use["entry_id"] == entry_id]
        paid = {lot.id: sum(use["amount"] for use in uses if use["lot_id"] == lot.id) for lot in lots}
        took = [self.use_of(stored, use) for use in uses] if entry["amount"] < 0 else []
        lifetime = entry["explanation"]["lifetime"]
        brought = Brought(UNIT, "points", entry["amount"], lifetime, [lot.open() for lot in lots], paid, took)
        giving, taking = stored.posting(self.now), self.stored[source].posting(self.now)
        send_back(brought, stored.open(), giving, taking, {})
        stored.fold(giving)
        self.stored[source].fold(taking)
        plain_ledger.send_back(plain, self.plain[target], self.plain[source], self.now)

    @staticmethod
    def use_of(stored: Stored, use: dict[str, Any]) -> LotUse:
        lot = stored.lots[use["lot_id"]]
        return LotUse(lot.id, use["amount"], lot.left, lot.expires)

    def wait(self, card: tuple[str, int], amount: int, size: int) -> None:
        self.now += timedelta(hours=13 * (1 + size % 5))


STEPS: tuple[Step, ...] = (
    World.earn,
    World.earn,
    World.redeem,
    World.release,
    World.take_back,
    World.redeem,
    World.take_back,
    World.earn,
    World.expire,
    World.undo,
    World.release,
    World.transfer,
    World.wait,
    World.adjust,
    World.merge,
)


@settings(max_examples=SEQUENCES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=3, max_size=60))
@example(bytes([0, 0, 10, 0, 0, 11, 2, 0, 19, 4, 0, 8, 3, 0, 0]))  # spent from two lots, in debt, given back
def test_the_ledger_and_the_oracle_agree(history: bytes) -> None:
    world = World()
    for at in range(0, len(history) - 2, 3):
        world.step(history[at], history[at + 1], history[at + 2])


@settings(max_examples=500, deadline=None, database=None)
@given(st.binary(min_size=3, max_size=60))
def test_merging_and_undoing_it_at_once_changes_nothing(history: bytes) -> None:
    """O9: sums, what was ever earned, and lots with their dates are as before."""
    world = World()
    for at in range(0, len(history) - 2, 3):
        world.step(history[at], history[at + 1], history[at + 2])
    for source in list(world.merged):
        world.unmerge(source, (source[0], 1 - source[1]))
    before = {card: kept(stored) for card, stored in world.stored.items()}
    world.act(World.merge, CARDS[0], 0)
    assert kept(world.stored[CARDS[1]]) == (0, 0, [])
    assert sum(kept(stored)[0] for stored in world.stored.values()) == sum(one[0] for one in before.values())
    world.act(World.merge, CARDS[0], 0)
    assert {card: kept(stored) for card, stored in world.stored.items()} == before


def kept(stored: Stored) -> tuple[int, int, list[tuple[int, str, datetime]]]:
    """Balance, all that was ever earned, and what is in the lots by their dates."""
    lots = sorted((lot.left, str(lot.expires), lot.created) for lot in stored.lots.values() if lot.left)
    return stored.account.balance, stored.account.lifetime, lots
