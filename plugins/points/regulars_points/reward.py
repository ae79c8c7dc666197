"""The one reward that points come with; catalogues of rewards are a plugin of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.sdk import LedgerContext, RewardOffer
from regulars_points import texts
from regulars_points.settings import UNIT, settings_of


class Gift:
    """Provider of the reward kind `points.gift`."""

    kind = "points.gift"

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        """The reward of the program."""
        settings = settings_of(ctx.settings)
        missing = texts.missing(settings, ctx.account(UNIT).balance)
        offer = RewardOffer(
            kind=self.kind,
            key="",
            title=settings.reward_text,
            unit=UNIT,
            cost=settings.reward_cost,
            value_minor=settings.reward_value_minor,
            ready=missing == 0,
            missing=missing,
        )
        return (offer,)
