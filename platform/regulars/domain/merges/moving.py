"""What moves from card to card when members are merged, and what of it moves back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from regulars.contracts.context import AccountState
from regulars.domain.ledger.lots import LotUse, OpenLot, Portion, first_out, lot_uses, open_lot
from regulars.domain.ledger.posting import Posting


@dataclass(frozen=True, slots=True)
class Brought:
    """What a merge has brought to a card in one unit, and what has become of it.

    Attributes:
        amount: below zero for a debt.
        lifetime: all that was ever earned, less what was taken back of it since.
        lots: with what is left in them.
        paid: lot's id → units that paid a debt of the card at once.
        uses: what a debt took from the card's lots.
    """

    unit: str
    plugin: str
    amount: int
    lifetime: int
    lots: Sequence[OpenLot] = ()
    paid: Mapping[UUID, int] = field(default_factory=dict)
    uses: Sequence[LotUse] = ()

    @classmethod
    def of(cls, row: Any) -> Self:
        """Read it from a row of `repository.BROUGHT`."""
        lots = row.lots or ()
        return cls(
            unit=row.unit,
            plugin=row.plugin,
            amount=row.amount,
            lifetime=row.lifetime - row.taken_back,
            lots=[open_lot(lot) for lot in lots],
            paid={UUID(lot["id"]): lot["paid"] for lot in lots},
            uses=lot_uses(row.uses) if row.amount < 0 else (),
        )


def bring(
    account: AccountState,
    lots: Sequence[OpenLot],
    giving: Posting,
    others: Sequence[OpenLot],
    taking: Posting,
    plugin: str,
    explanation: Mapping[str, Any],
) -> None:
    """Move all of an account: balance or debt, lots with their dates, and what was ever earned.

    Args:
        account: of the card that is merged.
        lots, giving: of that card.
        others, taking: of the card to which it leads from now on.
        plugin: whose unit it is.
        explanation: which merge.
    """
    unit, amount, lifetime = account.unit, account.balance, account.lifetime
    shared: dict[str, Any] = {"plugin": plugin, "explanation": {**explanation, "lifetime": lifetime}}
    if amount < 0:
        giving.merge(unit, -amount, -lifetime, portions=[Portion(-amount, None, giving.at)], **shared)
        taking.merge(unit, amount, lifetime, lots=_in_order(unit, others), **shared)
        return
    own = _in_order(unit, lots)
    gave = giving.merge(unit, -amount, -lifetime, lots=own, **shared)
    taking.merge(unit, amount, lifetime, portions=giving.portions(gave, own), **shared)


def send_back(
    brought: Brought, lots: Sequence[OpenLot], giving: Posting, taking: Posting, explanation: Mapping[str, Any]
) -> None:
    """Move back what a merge has brought and is still there; a debt goes back whole, and what has paid one too.

    Args:
        brought: in one unit.
        lots: open lots of the card that has it.
        giving: of that card.
        taking: of the card that was merged.
        explanation: which merge.
    """
    unit, lifetime = brought.unit, brought.lifetime
    shared: dict[str, Any] = {"plugin": brought.plugin, "explanation": {**explanation, "lifetime": lifetime}}
    if brought.amount < 0:
        giving.merge(unit, -brought.amount, -lifetime, back=brought.uses, **shared)
        taking.merge(unit, brought.amount, lifetime, **shared)
        return
    theirs = _in_order(unit, brought.lots)
    portions = [Portion(lot.amount_left + brought.paid[lot.id], lot.expires_at, lot.created_at) for lot in theirs]
    portions = [portion for portion in portions if portion.amount]
    total = sum(portion.amount for portion in portions)
    known = {lot.id for lot in theirs}
    rest = [lot for lot in _in_order(unit, lots) if lot.id not in known]
    giving.merge(unit, -total, -lifetime, lots=[*theirs, *rest], **shared)
    taking.merge(unit, total, lifetime, portions=portions, **shared)


def _in_order(unit: str, lots: Sequence[OpenLot]) -> list[OpenLot]:
    return sorted((lot for lot in lots if lot.unit == unit), key=first_out)
