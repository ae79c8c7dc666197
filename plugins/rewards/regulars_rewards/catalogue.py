"""The offers of the catalogue for a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.sdk import N_, LedgerContext, Refusal, RewardOffer
from regulars_rewards.queries import KIND
from regulars_rewards.settings import Reward, RewardSettings


class Catalogue:
    """Provider of the reward kind `rewards.catalogue`."""

    kind = KIND

    def offers(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[RewardOffer]:
        """The rewards of the program that are to be seen today, those to be shown first at the beginning."""
        today = ctx.at.date()
        seen = [
            reward
            for reward in settings_of(ctx).rewards
            if reward.active and (reward.ends_on is None or today <= reward.ends_on)
        ]
        return [offer_of(reward, ctx, facts) for reward in sorted(seen, key=lambda reward: not reward.featured)]


def settings_of(ctx: LedgerContext) -> RewardSettings:
    """The plugin's settings of the program."""
    assert isinstance(ctx.settings, RewardSettings)
    return ctx.settings


def offer_of(reward: Reward, ctx: LedgerContext, facts: Mapping[str, Any]) -> RewardOffer:
    """A reward as a card sees it.

    Args:
        reward: in the catalogue.
        ctx: the card, with the plugin's settings.
        facts: what is out (`taken`), what the card has had (`had`), next free codes (`codes`).
    """
    missing = max(0, reward.cost - ctx.account(reward.unit).balance)
    taken = (facts.get("taken") or {}).get(reward.key, 0)
    codes = facts.get("codes") or {}
    return RewardOffer(
        kind=KIND,
        key=reward.key,
        title=reward.title,
        unit=reward.unit,
        cost=reward.cost,
        value_minor=reward.value_minor,
        ready=missing == 0,
        missing=missing,
        description=reward.description,
        image=reward.photo,
        category=reward.category,
        featured=reward.featured,
        refusal=_refusal(reward, ctx, facts, taken),
        fulfilment=reward.handing,
        left=None if reward.stock is None else max(0, reward.stock - taken),
        code=codes.get(reward.key) or "",
        hold_minutes=reward.hold_hours * 60,
        groups=reward.segments,
        shows_locked=reward.show_locked,
    )


def _refusal(reward: Reward, ctx: LedgerContext, facts: Mapping[str, Any], taken: int) -> Refusal | None:
    """Why it cannot be had though the balance may be enough; the first reason."""
    in_all, today = (facts.get("had") or {}).get(reward.key, (0, 0))
    codes = facts.get("codes") or {}
    params = {"reward": reward.title}
    if reward.starts_on is not None and ctx.at.date() < reward.starts_on:
        begin = {**params, "day": reward.starts_on.isoformat()}
        return Refusal("rewards.not_yet", N_("“{reward}” can be had from {day}."), begin)
    if (reward.stock is not None and taken >= reward.stock) or codes.get(reward.key, "-") is None:
        return Refusal("rewards.sold_out", N_("“{reward}” is gone."), params)
    if reward.most_per_member is not None and in_all >= reward.most_per_member:
        return Refusal("rewards.had_already", N_("You have had “{reward}” as often as possible."), params)
    if reward.most_per_day is not None and today >= reward.most_per_day:
        return Refusal("rewards.enough_today", N_("Enough of “{reward}” for today."), params)
    return None
