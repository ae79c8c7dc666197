"""How entries, lots and accounts change together: pure arithmetic in whole units, no I/O.

A `Posting` starts from the accounts under the card's lock, takes earnings, redemptions, corrections and reversals, and
ends as rows for the one write statement. What an account holds above nothing lies in its lots: every entry that takes
takes from lots, every entry that gives puts into lots, and first pays the debt that a refund may have left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from regulars.contracts.context import AccountState
from regulars.contracts.ledger import MAX_AMOUNT, EntryDraft, EntryKind, PostedEntry
from regulars.domain.ledger.drafts import explanation_of
from regulars.domain.ledger.lots import (
    AlreadySpentError,
    LotUse,
    NotEnoughError,
    OpenLot,
    Portion,
    Posted,
    expiry_order,
    first_out,
)
from regulars.kernel.db.base import new_id

GRACE = timedelta(days=30)
"""How long units can be spent that come back after the lot that they were taken from has expired."""


@dataclass(slots=True)
class Posting:
    """Entries in the making.

    Attributes:
        accounts: state before; replaced by the state after as entries are added.
        origin: columns that all entries share (occasion, sale, redemption, shop, staff, source, device, created_at).
    """

    accounts: dict[str, AccountState]
    origin: Mapping[str, Any]
    entries: list[PostedEntry] = field(default_factory=list)
    entry_rows: list[dict[str, Any]] = field(default_factory=list)
    lot_rows: list[dict[str, Any]] = field(default_factory=list)
    lot_use_rows: list[dict[str, Any]] = field(default_factory=list)
    _left: dict[UUID, int] = field(default_factory=dict)
    _own: dict[UUID, OpenLot] = field(default_factory=dict)

    def earn(self, draft: EntryDraft, plugin: str, *, reason: str = "") -> PostedEntry:
        """Add an earning and its lot.

        Args:
            draft: what the plugin proposes, amount above 0.
            plugin: who proposes it.
            reason: a person's or job's word for it.

        Raises:
            ValueError: for an amount out of range.
        """
        if not 0 < draft.amount <= MAX_AMOUNT:
            raise ValueError(f"{plugin} proposed to earn {draft.amount} {draft.unit}")
        entry = self._add(
            "earn",
            draft.unit,
            draft.amount,
            draft.amount,
            plugin,
            draft.rule,
            explanation=explanation_of(draft),
            counts_for_limits=draft.counts_for_limits,
            reason=reason,
        )
        self._put(entry, [Portion(draft.amount, draft.expires_at, self.at)])
        return entry

    def redeem(
        self, unit: str, cost: int, lots: Iterable[OpenLot], *, plugin: str, rule: str, explanation: Mapping[str, Any]
    ) -> PostedEntry:
        """Take a cost from the oldest-expiring, then oldest lots.

        Args:
            unit: what is spent.
            cost: units, above 0.
            lots: open lots of the card, any order, any unit.

        Raises:
            NotEnoughError: when the lots do not hold the cost.
        """
        entry = self._add("redeem", unit, -cost, 0, plugin, rule, explanation=explanation)
        self._take_all(entry, lots)
        return entry

    def expire(self, unit: str, lots: Sequence[OpenLot], *, plugin: str, rule: str = "expiry") -> PostedEntry:
        """Let go what is left of lots whose time is over.

        Args:
            unit: theirs.
            lots: one or more, each with something left.
            plugin: whose unit it is.
            rule: `expiry`, or `idle` when the card was not used.
        """
        total = sum(lot.amount_left for lot in lots)
        entry = self._add("expire", unit, -total, 0, plugin, rule, explanation={}, counts_for_limits=False)
        self._take(entry, total, lots)
        return entry

    def adjust(
        self,
        unit: str,
        amount: int,
        lots: Iterable[OpenLot],
        *,
        plugin: str,
        rule: str,
        reason: str,
        expires_at: datetime | None = None,
    ) -> PostedEntry:
        """A correction by hand: it gives a lot of its own, or takes from the lots as spending does.

        Args:
            unit: which.
            amount: not 0.
            lots: open lots of the card.
            plugin: whose unit it is.
            rule, reason: why.
            expires_at: of what is given.

        Raises:
            NotEnoughError: when the lots do not hold what is to be taken.
        """
        entry = self._add(
            "adjust", unit, amount, 0, plugin, rule, explanation={}, counts_for_limits=False, reason=reason
        )
        if amount > 0:
            self._put(entry, [Portion(amount, expires_at, self.at)])
        else:
            self._take_all(entry, lots)
        return entry

    def hand_out(self, unit: str, amount: int, lots: Iterable[OpenLot], *, plugin: str, reason: str) -> list[Portion]:
        """Take units for another card.

        Args:
            unit: which.
            amount: above 0.
            lots: open lots of the card.
            plugin: whose unit it is.
            reason: why.

        Returns:
            What was taken, with its dates.

        Raises:
            NotEnoughError: when the lots do not hold it.
        """
        lots = tuple(lots)
        return self.portions(self.adjust(unit, -amount, lots, plugin=plugin, rule="transfer", reason=reason), lots)

    def portions(self, entry: PostedEntry, lots: Iterable[OpenLot]) -> list[Portion]:
        """What an entry of this posting took from lots that were there before, with its dates."""
        by_id = {lot.id: lot for lot in lots}
        uses = [(by_id[row["lot_id"]], row["amount"]) for row in self.lot_use_rows if row["entry_id"] == entry.id]
        return [Portion(taken, lot.expires_at, lot.created_at) for lot, taken in uses]

    def take_in(self, unit: str, portions: Sequence[Portion], *, plugin: str, reason: str) -> PostedEntry:
        """Put units from another card into lots that keep their dates.

        Args:
            unit: which.
            portions: as `hand_out` gave them.
            plugin: whose unit it is.
            reason: why.
        """
        total = sum(portion.amount for portion in portions)
        entry = self._add(
            "adjust", unit, total, 0, plugin, "transfer", explanation={}, counts_for_limits=False, reason=reason
        )
        self._put(entry, portions)
        return entry

    def share(
        self, unit: str, amount: int, *, plugin: str, lots: Iterable[OpenLot] = (), portions: Sequence[Portion] = ()
    ) -> list[Portion]:
        """Give units to another card of the household, or take them in; they keep their dates.

        Args:
            unit: which.
            amount: what is added to the balance; below zero to give.
            plugin: whose unit it is.
            lots: to take from when giving; they hold it.
            portions: what is taken in.

        Returns:
            What was given, with its dates.

        Raises:
            NotEnoughError: when the lots do not hold what is given.
        """
        lots = tuple(lots)
        entry = self._add("adjust", unit, amount, 0, plugin, "household", explanation={}, counts_for_limits=False)
        if amount < 0:
            self._take_all(entry, lots)
            return self.portions(entry, lots)
        self._put(entry, portions)
        return []

    def merge(
        self,
        unit: str,
        amount: int,
        lifetime: int,
        *,
        lots: Iterable[OpenLot] = (),
        portions: Sequence[Portion] = (),
        back: Sequence[LotUse] = (),
        plugin: str,
        explanation: Mapping[str, Any],
    ) -> PostedEntry:
        """Move units, or a debt, and what was ever earned, to or from a card of the same person.

        Args:
            unit: which.
            amount: what is added to the balance; may be nothing.
            lifetime: what is added to all that was ever earned.
            lots: to take from, in this order; what they do not hold becomes a debt.
            portions: what is put into lots of its own.
            back: what goes back into the lots that it was taken from.
            plugin: whose unit it is.
            explanation: which merge, and which other card.
        """
        entry = self._add(
            "adjust", unit, amount, lifetime, plugin, "merge", explanation=explanation, counts_for_limits=False
        )
        if amount <= 0:
            self._take(entry, -amount, lots)
        elif portions:
            self._put(entry, portions)
        elif rest := self._refill(entry, back):  # another lot had paid the rest of the debt since
            self._lot(entry, Portion(rest, None, self.at), rest)
        return entry

    def reverse(self, posted: Posted, *, reason: str) -> PostedEntry:
        """Take an entry back whole: an earning from its own lot, a redemption to the lots it came from.

        Raises:
            AlreadySpentError: when the earning's lot no longer holds it.
        """
        original = posted.entry
        if original.amount < 0:
            return self._give_back(posted, reason)
        if posted.lot is None or self._left_of(posted.lot) < original.amount:
            raise AlreadySpentError(original.unit)
        entry = self._reversal(posted, -original.amount, {}, reason)
        self._take(entry, original.amount, [posted.lot])
        return entry

    def take_back(
        self, posted: Posted, amount: int, lots: Iterable[OpenLot], *, floor: int, reason: str
    ) -> PostedEntry | None:
        """Take a part of an earning back: from its own lot, then from others, oldest first, then as a debt.

        Args:
            posted: an earning.
            amount: units, at most what is not taken back yet.
            lots: open lots of the card, any order, any unit.
            floor: the lowest balance that may be left; what would go below it is let go.
            reason: why.

        Returns:
            The entry, of less than `amount` when the floor was met; `None` when nothing could be taken.

        Raises:
            ValueError: for what is no earning, or for more than it gave.
        """
        original = posted.entry
        if original.kind != "earn" or not 0 < amount <= original.amount:
            raise ValueError(f"{amount} cannot be taken back of {original.kind} {original.amount}")
        balance = (self.accounts.get(original.unit) or AccountState(original.unit)).balance
        taken = min(amount, balance - min(floor, 0))
        if taken <= 0:
            return None
        clipped = {"asked": amount} if taken < amount else {}
        entry = self._reversal(posted, -taken, clipped, reason)
        own = posted.lot.id if posted.lot is not None else None
        self._take(entry, taken, sorted(self._open(entry.unit, lots), key=lambda lot: (lot.id != own, first_out(lot))))
        return entry

    def go_on(self, occasion: str, **origin: Any) -> None:
        """What is added from now on is of another occasion.

        Args:
            occasion, origin: as for `OpenCard.posting`.
        """
        self.origin = {**self.origin, "occasion": occasion, **origin}

    def earned(self, unit: str) -> int:
        """What this posting has given of a unit."""
        return sum(entry.amount for entry in self.entries if entry.unit == unit and entry.kind == "earn")

    @property
    def at(self) -> datetime:
        """When it happens, by the database's clock."""
        moment: datetime = self.origin["created_at"]
        return moment

    @property
    def lot_change_rows(self) -> list[dict[str, Any]]:
        """What is left of the lots that were there before and changed."""
        return [{"id": lot_id, "amount_left": left} for lot_id, left in self._left.items()]

    def account_rows(self) -> list[dict[str, Any]]:
        """The accounts that changed, as rows."""
        changed = {entry.unit for entry in self.entries}
        return [
            {
                "unit": a.unit,
                "balance": a.balance,
                "lifetime": a.lifetime,
                "seq": a.seq,
                "last_at": self.origin["created_at"],
            }
            for a in self.accounts.values()
            if a.unit in changed
        ]

    def _give_back(self, posted: Posted, reason: str) -> PostedEntry:
        """Reverse an entry that took: to the same lots, and where one has expired, to a new one for a while."""
        entry = self._reversal(posted, -posted.entry.amount, {}, reason)
        self._refill(entry, posted.uses)
        return entry

    def _refill(self, entry: PostedEntry, uses: Iterable[LotUse]) -> int:
        """Put units back into the lots that they were taken from, and say what none of them had held."""
        missing = _held(entry.balance_after) - _held(entry.balance_after - entry.amount)  # the rest pays a debt
        late = 0
        for use in sorted(uses, key=lambda use: expiry_order(use.expires_at), reverse=True):
            back = min(use.amount, missing)
            missing -= back
            if back and use.expires_at is not None and use.expires_at <= self.at:
                late += back
            elif back and use.is_elsewhere:
                self._lot(entry, Portion(back, use.expires_at, use.created_at or self.at), back)
            elif back:
                left = self._left.get(use.lot_id, use.amount_left) + back
                self._use(use.lot_id, entry.id, -back, left)
                self._own[use.lot_id] = OpenLot(use.lot_id, entry.id, entry.unit, left, use.expires_at, self.at)
        if late:
            self._lot(entry, Portion(late, self.at + GRACE, self.at), late)
        return missing

    def _reversal(self, posted: Posted, amount: int, more: Mapping[str, Any], reason: str) -> PostedEntry:
        original = posted.entry
        if original.kind == "reverse":
            raise ValueError("a reversal is not reversed")
        return self._add(
            "reverse",
            original.unit,
            amount,
            amount if original.kind == "earn" else 0,
            original.plugin,
            original.rule,
            explanation={"reverses": str(original.id), **more},
            counts_for_limits=posted.counts_for_limits,
            reverses_id=original.id,
            reason=reason,
        )

    def _add(
        self,
        kind: EntryKind,
        unit: str,
        amount: int,
        lifetime: int,
        plugin: str,
        rule: str,
        *,
        explanation: Mapping[str, Any],
        counts_for_limits: bool = True,
        reverses_id: UUID | None = None,
        reason: str = "",
    ) -> PostedEntry:
        before = self.accounts.get(unit) or AccountState(unit)
        after = replace(
            before,
            balance=before.balance + amount,
            lifetime=before.lifetime + lifetime,
            seq=before.seq + 1,
            last_at=self.origin["created_at"],
        )
        self.accounts[unit] = after
        entry = PostedEntry(
            id=new_id(),
            unit=unit,
            kind=kind,
            amount=amount,
            balance_after=after.balance,
            lifetime_after=after.lifetime,
            rule=rule,
            plugin=plugin,
            explanation=explanation,
        )
        self.entries.append(entry)
        self.entry_rows.append(
            {
                **self.origin,
                "id": entry.id,
                "unit": unit,
                "seq": after.seq,
                "kind": kind,
                "amount": amount,
                "balance_after": after.balance,
                "lifetime_after": after.lifetime,
                "plugin": plugin,
                "rule": rule,
                "counts_for_limits": counts_for_limits,
                "explanation": dict(explanation),
                "reason": reason,
                "reverses_id": reverses_id,
            }
        )
        return entry

    def _put(self, entry: PostedEntry, portions: Sequence[Portion]) -> None:
        """Make lots of an entry that gives; a debt is paid first."""
        debt = entry.amount - (_held(entry.balance_after) - _held(entry.balance_after - entry.amount))
        for portion in portions:
            paid = min(debt, portion.amount)
            debt -= paid
            self._lot(entry, portion, portion.amount - paid)

    def _lot(self, entry: PostedEntry, portion: Portion, left: int) -> None:
        lot_id = new_id()
        self.lot_rows.append(
            {
                "id": lot_id,
                "unit": entry.unit,
                "entry_id": entry.id,
                "amount": portion.amount,
                "amount_left": left,
                "expires_at": portion.expires_at,
                "created_at": portion.created_at,
            }
        )
        self._own[lot_id] = OpenLot(lot_id, entry.id, entry.unit, left, portion.expires_at, portion.created_at)
        if left < portion.amount:
            used = {"lot_id": lot_id, "entry_id": entry.id, "amount": portion.amount - left}
            self.lot_use_rows.append(used)

    def _take_all(self, entry: PostedEntry, lots: Iterable[OpenLot]) -> None:
        if self._take(entry, -entry.amount, sorted(self._open(entry.unit, lots), key=first_out)):
            raise NotEnoughError(entry.unit)

    def _open(self, unit: str, lots: Iterable[OpenLot]) -> Iterable[OpenLot]:
        """The lots that were there before, and those that this posting has made or filled again."""
        return {lot.id: lot for lot in (*lots, *self._own.values()) if lot.unit == unit}.values()

    def _take(self, entry: PostedEntry, amount: int, lots: Iterable[OpenLot]) -> int:
        """Take from lots in their order, and say what they did not hold."""
        missing = amount
        for lot in lots:
            left = self._left_of(lot)
            taken = min(missing, left)
            if taken:
                self._use(lot.id, entry.id, taken, left - taken)
                missing -= taken
        return missing

    def _left_of(self, lot: OpenLot) -> int:
        return self._left.get(lot.id, lot.amount_left)

    def _use(self, lot_id: UUID, entry_id: UUID, amount: int, left: int) -> None:
        self.lot_use_rows.append({"lot_id": lot_id, "entry_id": entry_id, "amount": amount})
        for row in self.lot_rows:
            if row["id"] == lot_id:  # made here: it is written as it ends
                row["amount_left"] = left
                self._own[lot_id] = replace(self._own[lot_id], amount_left=left)
                return
        self._left[lot_id] = left


def _held(balance: int) -> int:
    """What the lots of an account hold: a balance below zero is a debt, and they hold nothing."""
    return max(balance, 0)
