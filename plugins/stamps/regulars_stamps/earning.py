"""How many stamps a sale gives on a card: by visits, by money with what is carried over, by pieces."""

from __future__ import annotations

from dataclasses import dataclass

from regulars.sdk import N_, LedgerContext, Purchase, Step
from regulars.sdk.rules import first_miss, matching_amount, matching_items
from regulars_stamps.settings import Card, StampCard


@dataclass(frozen=True, slots=True)
class Earning:
    """What a sale earns.

    Attributes:
        stamps: whole stamps.
        carry: money that the card carries over more than before, or less, in minor units.
        steps: how it came about, where that is more than one stamp for each visit.
    """

    stamps: int
    carry: int = 0
    steps: tuple[Step, ...] = ()


def earning_of(card: Card, ctx: LedgerContext, purchase: Purchase, carried: int, *, is_first: bool = False) -> Earning:
    """Compute what a sale earns on one card.

    Args:
        card: with its rules.
        ctx: when, where and who.
        purchase: what was bought.
        carried: money that the card has carried over, in minor units.
        is_first: whether the customer has no standing purchase yet.
    """
    missed = _missed(card, ctx, purchase, is_first=is_first)
    if missed is not None:
        return Earning(0, 0, (missed,))
    if card.per == "visit":
        return Earning(purchase.counted(card.unit))
    if card.per == "item":
        return _capped(card, Earning(_pieces(card, purchase)))
    if purchase.amount_minor is None:
        return Earning(0, 0, (Step("missed", N_("Without an amount there are no stamps."), {}),))
    total = carried + matching_amount(card.goods, purchase)
    stamps, rest = divmod(total, card.step_minor)
    steps = (Step("carried", N_("Money from sales before counts too."), {}),) if carried else ()
    return _capped(card, Earning(stamps, rest - carried, steps))


def _missed(card: Card, ctx: LedgerContext, purchase: Purchase, *, is_first: bool) -> Step | None:
    """Which condition of a further card does not hold."""
    if not isinstance(card, StampCard):
        return None
    is_counted = purchase.counts is not None and not purchase.items
    conditions = card.besides_goods if is_counted else card
    return first_miss(conditions, card.title, ctx, purchase, is_first=is_first)


def _pieces(card: Card, purchase: Purchase) -> int:
    """Pieces on the lines that count; without any lines staff say how many."""
    if not purchase.items:
        return purchase.counted(card.unit)
    return sum(item.quantity for item in matching_items(card.goods, purchase))


def _capped(card: Card, earning: Earning) -> Earning:
    most = card.max_per_sale
    if earning.stamps <= most:
        return earning
    message = N_("At most one stamp in one sale.") if most == 1 else N_("At most {most} stamps in one sale.")
    step = Step("capped", message, {"most": most}, most - earning.stamps)
    return Earning(most, earning.carry, (*earning.steps, step))
