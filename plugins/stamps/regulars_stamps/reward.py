"""The reward of a full card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.sdk import LedgerContext, RewardOffer
from regulars_stamps import texts
from regulars_stamps.hooks import settings_of
from regulars_stamps.settings import Card, StampCard


class FullCard:
    """Provider of the reward kind `stamps.full_card`: costs exactly the target, surplus stays on the card."""

    kind = "stamps.full_card"

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        """One reward for each card; of a closed one only when it can be had, and until its last day."""
        cards = (card for card in settings_of(ctx).cards if not card.closed or _can_still_be_had(card, ctx))
        return tuple(self._offer(card, ctx) for card in cards)

    def _offer(self, card: Card, ctx: LedgerContext) -> RewardOffer:
        missing = texts.missing_stamps(card, ctx.account(card.unit).balance)
        return RewardOffer(
            kind=self.kind,
            key=card.key,
            title=card.reward_text,
            unit=card.unit,
            cost=card.target,
            value_minor=card.reward_value_minor,
            ready=missing == 0,
            missing=missing,
        )


def _can_still_be_had(card: Card, ctx: LedgerContext) -> bool:
    if texts.missing_stamps(card, ctx.account(card.unit).balance):
        return False
    return not isinstance(card, StampCard) or card.redeem_until is None or ctx.at.date() <= card.redeem_until
