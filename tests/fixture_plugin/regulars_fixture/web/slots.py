"""A part for each slot."""

from __future__ import annotations

from markupsafe import Markup

from regulars.sdk import AccountState, CardSlot, ProgramSlot, SlotContext
from regulars_fixture.settings import UNIT


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """On the customer's card."""
    return _part(slot, "portal.card", (data.accounts.get(UNIT) or AccountState(UNIT)).balance)


async def terminal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """At the till."""
    return _part(slot, "terminal.card", (data.accounts.get(UNIT) or AccountState(UNIT)).balance)


async def program_preview(slot: SlotContext, data: ProgramSlot) -> Markup:
    """Beside the program's settings."""
    return _part(slot, "manage.program_preview", 0)


def _part(slot: SlotContext, place: str, count: int) -> Markup:
    return slot.render("sampler/part.html", place=place, count=count)
