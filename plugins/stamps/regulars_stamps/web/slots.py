"""The plugin's parts of host pages."""

from __future__ import annotations

from typing import Any, get_args

from markupsafe import Markup

from regulars.sdk import AccountState, CardSlot, ProgramSlot, SlotContext
from regulars.sdk.i18n import _
from regulars_stamps import texts
from regulars_stamps.settings import Card, Icon, StampSettings


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The stamp grids below the customer's card."""
    return _cards(slot, data, "stamps/slots/portal_card.html")


async def terminal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The stamp grids in the customer view of the till."""
    return _cards(slot, data, "stamps/slots/terminal_card.html")


async def program_preview(slot: SlotContext, data: ProgramSlot) -> Markup:
    """Cards two stamps before their reward, beside the program's settings."""
    settings = _settings(slot)
    icons = [(choice, _icon(slot, choice)) for choice in get_args(Icon)]
    first, *more = (_values(slot, card, card.target - min(2, card.target - 1)) for card in settings.open_cards)
    values = {**first, "more": more, "icons": icons, "chosen": settings.icon}
    return slot.render("stamps/slots/program_preview.html", **values)


def _cards(slot: SlotContext, data: CardSlot, template: str) -> Markup:
    """All cards; a closed one as long as there is something on it. What is new is shown where it can be told."""
    settings = _settings(slot)
    states = [(card, data.accounts.get(card.unit) or AccountState(card.unit)) for card in settings.cards]
    shown = [
        {**_values(slot, card, account.balance), "just_earned": 0}
        for card, account in states
        if not card.closed or account.balance > 0
    ]
    if len(shown) == 1:
        shown[0]["just_earned"] = max(0, min(data.just_earned, shown[0]["count"]))
    return slot.render(template, cards=shown)


def _values(slot: SlotContext, card: Card, count: int) -> dict[str, Any]:
    settings = _settings(slot)
    return {
        "name": (card.title or _("Stamps")) if settings.more else "",
        "closed": card.closed,
        "count": count,
        "target": card.target,
        "reward": card.reward_text,
        "icon_name": _icon(slot, card.icon),
        "sentence": texts.progress_sentence(card, count),
        "short": texts.short_progress(card, count),
    }


def _icon(slot: SlotContext, choice: str) -> str:
    return slot.context.tenant.branding.icon if choice == "brand" else choice


def _settings(slot: SlotContext) -> StampSettings:
    assert isinstance(slot.settings, StampSettings)
    return slot.settings
