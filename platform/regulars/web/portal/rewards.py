"""Rewards as the member reads them: what it costs, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.contracts.ledger import RewardOffer
from regulars.domain.cards.view import CardView, UnitView
from regulars.kernel.i18n import format_number
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class RewardLine:
    """A reward in the list.

    Attributes:
        cost: in words: "10 stamps".
        text: what is missing, or that it is ready.
        have: balance, for the bar; never more than `need`.
    """

    title: str
    cost: str
    text: str
    ready: bool
    have: int
    need: int


def reward_lines(view: CardView) -> Sequence[RewardLine]:
    """The rewards of a card, those that can be had first, then the nearest."""
    units = {unit.unit: unit for unit in view.units}
    lines = [_line(offer, units.get(offer.unit)) for offer in view.offers]
    return sorted(lines, key=lambda line: (not line.ready, line.need - line.have))


def _line(offer: RewardOffer, unit: UnitView | None) -> RewardLine:
    missing = _amount(offer.missing, unit)
    return RewardLine(
        title=offer.title,
        cost=_amount(offer.cost, unit),
        text=_("Ready. Ask for it at the till.") if offer.ready else _("%(missing)s more to go", missing=missing),
        ready=offer.ready,
        have=offer.cost - offer.missing,
        need=offer.cost,
    )


def _amount(number: int, unit: UnitView | None) -> str:
    return unit.words.amount(number) if unit and unit.words else format_number(number)
