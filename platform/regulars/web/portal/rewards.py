"""Rewards as the member reads them: what it costs, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.contracts.context import TenantSnapshot
from regulars.contracts.ledger import RewardOffer
from regulars.domain.cards.view import CardView, UnitView
from regulars.domain.ledger.problems import sentence
from regulars.kernel.i18n import format_number
from regulars.kernel.i18n import gettext as _
from regulars.web.assets import tenant_asset_url


@dataclass(frozen=True, slots=True)
class RewardLine:
    """A reward in the list.

    Attributes:
        cost: in words: "10 stamps".
        text: what is missing, why it cannot be had, or that it is ready.
        have: balance, for the bar; never more than `need`.
        reward: `<kind>/<key>`, as redeeming names it.
        image_url: of its photo, empty without one.
        left: how many there are still, in words; empty without a limit.
        is_online: it can be had from here, without going to the till.
        is_locked: it is for other customers; the text says what leads there.
    """

    title: str
    cost: str
    text: str
    ready: bool
    have: int
    need: int
    reward: str = ""
    description: str = ""
    category: str = ""
    image_url: str = ""
    left: str = ""
    is_online: bool = False
    is_locked: bool = False


def reward_lines(view: CardView, tenant: TenantSnapshot) -> Sequence[RewardLine]:
    """The rewards of a card: those that can be had first, then the nearest, then those for others."""
    units = {unit.unit: unit for unit in view.units}
    lines = [_line(offer, units.get(offer.unit), view, tenant) for offer in view.offers]
    return sorted(lines, key=lambda line: (not line.ready, line.is_locked, line.need - line.have))


def _line(offer: RewardOffer, unit: UnitView | None, view: CardView, tenant: TenantSnapshot) -> RewardLine:
    ready, is_online = offer.ready and offer.refusal is None, offer.fulfilment != "counter"
    if offer.refusal is not None:
        text = sentence(offer.refusal, view.program.timezone, view.now)
    elif not ready:
        text = _("%(missing)s more to go", missing=_amount(offer.missing, unit))
    else:
        text = _("You can have it now.") if is_online else _("Ready. Ask for it at the till.")
    return RewardLine(
        title=offer.title,
        cost=_amount(offer.cost, unit),
        text=text,
        ready=ready,
        have=offer.cost - offer.missing,
        need=offer.cost,
        reward=f"{offer.kind}/{offer.key}" if offer.key else offer.kind,
        description=offer.description,
        category=offer.category,
        image_url=tenant_asset_url(tenant, offer.image) if offer.image else "",
        left="" if offer.left is None else _("%(count)s left", count=format_number(offer.left)),
        is_online=is_online,
        is_locked=offer.is_locked,
    )


def _amount(number: int, unit: UnitView | None) -> str:
    return unit.words.amount(number) if unit and unit.words else format_number(number)
