"""The plugin's part of the customer's card page."""

from __future__ import annotations

from markupsafe import Markup

from regulars.sdk import CardSlot, SlotContext
from regulars_referrals.settings import ReferralSettings


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The way to the member's link."""
    assert isinstance(slot.settings, ReferralSettings)
    return slot.render("referrals/slots/portal_card.html")
