"""Tiers as groups of customers, for the conditions of other rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from regulars.sdk import LedgerContext
from regulars_tiers.hooks import settings_of
from regulars_tiers.settings import segment_of
from regulars_tiers.standing import Standing


class Reached:
    """Provider of the segments `tier:<key>`: the member's tier and all below it."""

    kind = "tiers.standing"

    def segments(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Iterable[str]:
        """Every tier that the card has reached, so that a rule for Silver is for Gold too."""
        settings = settings_of(ctx)
        rank = settings.rank(Standing.of(facts["standing"]).tier)
        return [segment_of(tier) for tier in settings.ladder[: rank + 1]]
