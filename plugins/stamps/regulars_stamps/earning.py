"""How many stamps a sale gives: by visits, by money with what is carried over, by pieces."""

from __future__ import annotations

from dataclasses import dataclass

from regulars.sdk import N_, Purchase, Step
from regulars.sdk.rules import matching_amount, matching_items
from regulars_stamps.settings import StampSettings


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


def earning_of(settings: StampSettings, purchase: Purchase, carried: int) -> Earning:
    """Compute what a sale earns.

    Args:
        settings: of the program.
        purchase: what was bought.
        carried: money that the card has carried over, in minor units.
    """
    if settings.per == "visit":
        return Earning(purchase.quantity)
    if settings.per == "item":
        return _capped(settings, Earning(_pieces(settings, purchase)))
    if purchase.amount_minor is None:
        return Earning(0, 0, (Step("missed", N_("Without an amount there are no stamps."), {}),))
    total = carried + matching_amount(settings.goods, purchase)
    stamps, rest = divmod(total, settings.step_minor)
    steps = (Step("carried", N_("Money from sales before counts too."), {}),) if carried else ()
    return _capped(settings, Earning(stamps, rest - carried, steps))


def _pieces(settings: StampSettings, purchase: Purchase) -> int:
    """Pieces on the lines that count; without any lines staff say how many."""
    if not purchase.items:
        return purchase.quantity
    return sum(item.quantity for item in matching_items(settings.goods, purchase))


def _capped(settings: StampSettings, earning: Earning) -> Earning:
    most = settings.max_per_sale
    if earning.stamps <= most:
        return earning
    step = Step("capped", N_("At most {most} stamps in one sale."), {"most": most}, most - earning.stamps)
    return Earning(most, earning.carry, (*earning.steps, step))
