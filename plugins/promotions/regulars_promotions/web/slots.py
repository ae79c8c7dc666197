"""Promotions on the customer's card and at the till."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from markupsafe import Markup

from regulars.sdk import CardSlot, SlotContext
from regulars_promotions import texts
from regulars_promotions.queries import NOW, usage_statement, used_in
from regulars_promotions.settings import Promotion, PromotionSettings


@dataclass(frozen=True, slots=True)
class Offer:
    """A promotion as it is read on a card.

    Attributes:
        text: the merchant's own words.
        sentence: what it gives and when.
        period: its dates.
        is_coming: it has not begun yet.
    """

    title: str
    text: str
    sentence: str
    period: str
    is_coming: bool


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """What is running or coming, below the customer's card."""
    offers = await _offers(slot, data)
    return slot.render("promotions/slots/portal_card.html", offers=offers) if offers else Markup()


async def terminal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """What is running, for whoever stands at the till."""
    offers = [offer for offer in await _offers(slot, data) if not offer.is_coming]
    return slot.render("promotions/slots/terminal_card.html", offers=offers) if offers else Markup()


async def _offers(slot: SlotContext, data: CardSlot) -> list[Offer]:
    """What this member can still have, in the merchant's order; what is for some customers only is not advertised."""
    assert isinstance(slot.settings, PromotionSettings)
    wanted = [one for one in slot.settings.promotions if one.active and not one.segments]
    if not wanted:
        return []
    ((now,),) = await slot.rows(NOW)
    statement = usage_statement(slot.context.tenant.id, data.program.id, data.card.member_id)
    used = used_in(await slot.rows(statement))
    local = now.astimezone(ZoneInfo(data.program.timezone))
    offers = []
    for promotion in wanted:
        left = used.left(promotion)
        status = texts.status_of(promotion, left, local)
        is_done = left.own_uses is not None and left.own_uses <= 0
        barred = bool(promotion.not_after and used.by_member(promotion.not_after))
        if status in {"running", "scheduled"} and not is_done and not barred:
            offers.append(_offer(promotion, data.program.currency, is_coming=status == "scheduled"))
    return offers


def _offer(promotion: Promotion, currency: str, *, is_coming: bool) -> Offer:
    return Offer(
        promotion.title, promotion.text, texts.sentence(promotion, currency), texts.period(promotion), is_coming
    )
