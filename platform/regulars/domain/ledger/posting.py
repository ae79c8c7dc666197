"""How entries, lots and accounts change together: pure arithmetic in whole units, no I/O.

A `Posting` starts from the accounts under the card's lock, takes earnings, redemptions and reversals, and ends as rows
for the one write statement. Every negative entry takes from lots, every reversal of one gives back to the same lots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.contracts.context import AccountState
from regulars.contracts.ledger import MAX_AMOUNT, EntryDraft, EntryKind, PostedEntry
from regulars.kernel.db.base import new_id

FAR_FUTURE = "9999"


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A lot with something left, as read under the lock."""

    id: UUID
    entry_id: UUID
    unit: str
    amount_left: int
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LotUse:
    """What an entry took from a lot."""

    lot_id: UUID
    amount: int
    amount_left: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that can be reversed, with its lot (earning) or what it took from lots (redeeming)."""

    entry: PostedEntry
    counts_for_limits: bool
    lot: OpenLot | None
    uses: Sequence[LotUse]


class NotEnoughError(Exception):
    """The lots of a unit do not hold what should be taken: callers check the balance first."""


class AlreadySpentError(Exception):
    """What should be taken back has been spent in the meantime."""


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
    lot_change_rows: list[dict[str, Any]] = field(default_factory=list)

    def earn(self, draft: EntryDraft, plugin: str) -> PostedEntry:
        """Add an earning and its lot.

        Args:
            draft: what the plugin proposes, amount above 0.
            plugin: who proposes it.

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
        )
        debt = min(draft.amount, max(0, draft.amount - entry.balance_after))
        lot_id = new_id()
        self.lot_rows.append(
            {
                "id": lot_id,
                "unit": draft.unit,
                "entry_id": entry.id,
                "amount": draft.amount,
                "amount_left": draft.amount - debt,
                "expires_at": draft.expires_at,
                "created_at": self.origin["created_at"],
            }
        )
        if debt:  # an earlier refund had left less than nothing: this pays it off
            self.lot_use_rows.append({"lot_id": lot_id, "entry_id": entry.id, "amount": debt})
        return entry

    def pending(self, draft: EntryDraft, plugin: str) -> dict[str, Any]:
        """The row of an earning that waits outside of the balance.

        Args:
            draft: with `pending_until`.
            plugin: who proposes it.
        """
        return {
            "id": new_id(),
            "unit": draft.unit,
            "amount": draft.amount,
            "plugin": plugin,
            "rule": draft.rule,
            "counts_for_limits": draft.counts_for_limits,
            "explanation": explanation_of(draft),
            "expires_at": draft.expires_at,
            "due_at": draft.pending_until,
            "sale_id": self.origin["sale_id"],
            "shop_id": self.origin["shop_id"],
            "staff_id": self.origin["staff_id"],
            "status": "open",
            "created_at": self.origin["created_at"],
        }

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
        missing = cost
        for lot in sorted((lot for lot in lots if lot.unit == unit), key=_first_out):
            taken = min(missing, lot.amount_left)
            if taken:
                self._use(lot.id, entry.id, taken, lot.amount_left - taken)
                missing -= taken
        if missing:
            raise NotEnoughError(unit)
        return entry

    def reverse(self, posted: Posted, *, reason: str) -> PostedEntry:
        """Take an entry back: an earning from its own lot, a redemption to the lots it came from.

        Raises:
            AlreadySpentError: when the earning's lot no longer holds it.
        """
        original = posted.entry
        lifetime = -original.amount if original.kind == "earn" else 0
        entry = self._add(
            "reverse",
            original.unit,
            -original.amount,
            lifetime,
            original.plugin,
            original.rule,
            explanation={"reverses": str(original.id)},
            counts_for_limits=posted.counts_for_limits,
            reverses_id=original.id,
            reason=reason,
        )
        if original.amount > 0:
            if posted.lot is None or posted.lot.amount_left < original.amount:
                raise AlreadySpentError(original.unit)
            self._use(posted.lot.id, entry.id, original.amount, posted.lot.amount_left - original.amount)
        for use in posted.uses:
            self._use(use.lot_id, entry.id, -use.amount, use.amount_left + use.amount)
        return entry

    def renew(self, posted: Posted, use: LotUse, expires_at: datetime) -> None:
        """What a reversal has put into a lot that has expired is moved into a new one.

        Args:
            posted: what was reversed.
            use: what it had taken from the lot.
            expires_at: of the new lot.
        """
        unit, plugin = posted.entry.unit, posted.entry.plugin
        gone = self._add("expire", unit, -use.amount, 0, plugin, "expired_meanwhile", explanation={})
        self.lot_change_rows = [row for row in self.lot_change_rows if row["id"] != use.lot_id]
        self._use(use.lot_id, gone.id, use.amount, use.amount_left)
        added = self._add("adjust", unit, use.amount, 0, plugin, "grace", explanation={}, counts_for_limits=False)
        self.lot_rows.append(
            {
                "id": new_id(),
                "unit": unit,
                "entry_id": added.id,
                "amount": use.amount,
                "amount_left": use.amount,
                "expires_at": expires_at,
                "created_at": self.origin["created_at"],
            }
        )

    def earned(self, unit: str) -> int:
        """What this posting has given of a unit."""
        return sum(entry.amount for entry in self.entries if entry.unit == unit and entry.kind == "earn")

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

    def _use(self, lot_id: UUID, entry_id: UUID, amount: int, left: int) -> None:
        self.lot_use_rows.append({"lot_id": lot_id, "entry_id": entry_id, "amount": amount})
        self.lot_change_rows.append({"id": lot_id, "amount_left": left})


def explanation_of(draft: EntryDraft) -> dict[str, Any]:
    """What is stored to answer "why these points?": the plugin's details, and the steps in order."""
    if not draft.steps:
        return dict(draft.explanation)
    steps = [
        {"kind": step.kind, "message": step.message, "params": dict(step.params), "change": step.change}
        for step in draft.steps
    ]
    return {**draft.explanation, "steps": steps}


def _first_out(lot: OpenLot) -> tuple[str, datetime, UUID]:
    return (lot.expires_at.isoformat() if lot.expires_at else FAR_FUTURE, lot.created_at, lot.id)
