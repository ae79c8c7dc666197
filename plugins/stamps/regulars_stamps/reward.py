"""The reward of a full card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.sdk import LedgerContext, RewardOffer
from regulars_stamps import texts
from regulars_stamps.hooks import settings_of
from regulars_stamps.settings import UNIT


class FullCard:
    """Provider of the reward kind `stamps.full_card`: costs exactly the target, surplus stays on the card."""

    kind = "stamps.full_card"

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        """The one reward of the program."""
        settings = settings_of(ctx)
        missing = texts.missing_stamps(settings, ctx.account(UNIT).balance)
        offer = RewardOffer(
            kind=self.kind,
            key="",
            title=settings.reward_text,
            unit=UNIT,
            cost=settings.target,
            value_minor=settings.reward_value_minor,
            ready=missing == 0,
            missing=missing,
        )
        return (offer,)
