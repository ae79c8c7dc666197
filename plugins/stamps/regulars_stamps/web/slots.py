"""The plugin's parts of host pages."""

from __future__ import annotations

from typing import Any, get_args

from markupsafe import Markup

from regulars.sdk import AccountState, CardSlot, ProgramSlot, SlotContext
from regulars_stamps import texts
from regulars_stamps.settings import UNIT, Icon, StampSettings


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The stamp grid below the customer's card."""
    return _card(slot, data, "stamps/slots/portal_card.html")


async def terminal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The stamp grid in the customer view of the till."""
    return _card(slot, data, "stamps/slots/terminal_card.html")


async def program_preview(slot: SlotContext, data: ProgramSlot) -> Markup:
    """A card two stamps before its reward, beside the program's settings."""
    settings = _settings(slot)
    count = settings.target - min(2, settings.target - 1)
    icons = [(choice, _icon(slot, choice)) for choice in get_args(Icon)]
    values = _values(slot, settings, count) | {"icons": icons, "chosen": settings.icon}
    return slot.render("stamps/slots/program_preview.html", **values)


def _card(slot: SlotContext, data: CardSlot, template: str) -> Markup:
    account = data.accounts.get(UNIT) or AccountState(UNIT)
    return slot.render(
        template,
        **_values(slot, _settings(slot), account.balance),
        just_earned=max(0, min(data.just_earned, account.balance)),
    )


def _values(slot: SlotContext, settings: StampSettings, count: int) -> dict[str, Any]:
    return {
        "count": count,
        "target": settings.target,
        "reward": settings.reward_text,
        "icon_name": _icon(slot, settings.icon),
        "sentence": texts.progress_sentence(settings, count),
        "short": texts.short_progress(settings, count),
    }


def _icon(slot: SlotContext, choice: str) -> str:
    return slot.context.tenant.branding.icon if choice == "brand" else choice


def _settings(slot: SlotContext) -> StampSettings:
    assert isinstance(slot.settings, StampSettings)
    return slot.settings
