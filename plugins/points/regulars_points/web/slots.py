"""The plugin's parts of host pages."""

from __future__ import annotations

from markupsafe import Markup

from regulars.sdk import AccountState, CardSlot, ProgramSlot, SlotContext
from regulars_points import texts
from regulars_points.queries import shop_names
from regulars_points.settings import UNIT, settings_of

CARD = "points/slots/card.html"


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The points below the customer's card."""
    return _card(slot, data.accounts.get(UNIT) or AccountState(UNIT))


async def terminal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The points in the customer view of the till."""
    return _card(slot, data.accounts.get(UNIT) or AccountState(UNIT))


async def program_preview(slot: SlotContext, data: ProgramSlot) -> Markup:
    """A card half-way to its reward, with the rules in words."""
    settings = settings_of(slot.settings)
    account = AccountState(UNIT, settings.reward_cost // 2)
    names_shops = any(rule.shops for rule in settings.rules)
    shops = await shop_names(slot.context.tenant.id, slot.rows) if names_shops else {}
    rules = tuple(texts.rules(settings, data.program.currency, shops))
    return slot.render("points/slots/preview.html", card=_card(slot, account), rules=rules)


def _card(slot: SlotContext, account: AccountState) -> Markup:
    settings = settings_of(slot.settings)
    return slot.render(
        CARD,
        count=account.balance,
        target=settings.reward_cost,
        amount=texts.amount(account.balance),
        reward=settings.reward_text,
        sentence=texts.progress(settings, account.balance),
        missing=texts.missing(settings, account.balance),
    )
