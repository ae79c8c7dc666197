"""The plugin's parts of host pages."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from regulars.sdk import CardSlot, ProgramSlot, SlotContext
from regulars_tiers import texts
from regulars_tiers.repository import CLOCK, card_statement, found_of, parameters_for
from regulars_tiers.settings import TierSettings
from regulars_tiers.standing import next_tier, whole


async def portal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The member's tier, what it brings, and the way to the next."""
    return slot.render("tiers/slots/portal_card.html", **await _values(slot, data))


async def terminal_card(slot: SlotContext, data: CardSlot) -> Markup:
    """The tier in the customer view of the till."""
    return slot.render("tiers/slots/terminal_card.html", **await _values(slot, data))


async def program_preview(slot: SlotContext, data: ProgramSlot) -> Markup:
    """The ladder, beside the program's settings."""
    settings, currency = _settings(slot), data.program.currency
    steps = [(tier.title, texts.threshold(settings, tier, currency)) for tier in settings.ladder]
    return slot.render("tiers/slots/program_preview.html", steps=steps)


async def _values(slot: SlotContext, data: CardSlot) -> dict[str, Any]:
    settings, program = _settings(slot), data.program
    tenant_id, found = slot.context.tenant.id, []
    for clock in await slot.rows(CLOCK):  # a sample page has no rows
        parameters = parameters_for(tenant_id, program, settings, clock.now)
        rows = await slot.rows(card_statement(tenant_id, program.id, only=data.card.id), parameters)
        found = [found_of(row) for row in rows]
    if not found:
        return {"tier": None, "benefits": [], "way": "", "done": 0, "goal": 0}
    standing, amount = found[0].standing, whole(settings, found[0].count.best, program.currency)
    tier, following = settings.find(standing.tier), next_tier(settings, amount, standing.tier)
    return {
        "tier": tier,
        "benefits": texts.benefits(settings, tier) if tier else [],
        "way": texts.way(settings, standing, amount, program.currency),
        "done": amount,
        "goal": following.threshold if following else 0,
    }


def _settings(slot: SlotContext) -> TierSettings:
    assert isinstance(slot.settings, TierSettings)
    return slot.settings
