"""What tiers do with a sale, a birthday and a redemption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from regulars.sdk import (
    N_,
    Birthday,
    CardMerge,
    EntryDraft,
    LedgerContext,
    Occasion,
    Outcome,
    PostedEntry,
    Proposal,
    Purchase,
    Refusal,
    RewardOffer,
    Step,
    Verdict,
    hookimpl,
)
from regulars.sdk.wallets import WalletPart
from regulars_tiers import wallet
from regulars_tiers.changes import outcome_of
from regulars_tiers.settings import PLAIN, Tier, TierSettings, segment_of
from regulars_tiers.standing import Count, Standing, after_gain, whole
from regulars_tiers.texts import measure


class Hooks:
    """Multiply, give for birthdays, keep rewards for those who have reached them, and raise the tier with the sale."""

    @hookimpl
    def adjust_earn(
        self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal], facts: Mapping[str, Any]
    ) -> Sequence[Proposal]:
        """Multiply what a purchase gives, by the tier before it; add the birthday gift."""
        settings = settings_of(ctx)
        tier = settings.find(Standing.of(facts["standing"]).tier)
        if tier is None:
            return proposals
        if isinstance(occasion, Purchase):
            return [_multiplied(one, tier) if one.draft.unit == settings.unit else one for one in proposals]
        if isinstance(occasion, Birthday) and tier.birthday_gift and _gives(ctx, settings.unit):
            step = Step("given", N_("A birthday present for {tier}."), {"tier": tier.title}, tier.birthday_gift)
            gift = EntryDraft(settings.unit, tier.birthday_gift, "birthday", counts_for_limits=False, steps=(step,))
            return [*proposals, Proposal("tiers", gift)]
        return proposals

    @hookimpl
    def sale_posted(
        self, ctx: LedgerContext, occasion: Occasion, entries: Sequence[PostedEntry], facts: Mapping[str, Any]
    ) -> Outcome | None:
        """Raise the tier; nobody falls by coming."""
        settings, standing = settings_of(ctx), Standing.of(facts["standing"])
        count = Count(**facts["count"])
        grown = replace(count, value=count.value + _gained(settings, occasion, entries))
        amount = whole(settings, grown.best, ctx.program.currency)
        return outcome_of(settings, ctx.card, standing, after_gain(settings, standing, amount, ctx.now), ctx.now)

    @hookimpl
    def check_redemption(self, ctx: LedgerContext, offer: RewardOffer, facts: Mapping[str, Any]) -> Verdict:
        """Keep exclusive rewards for their tier and those above, and say how far it is."""
        settings = settings_of(ctx)
        first = _first_tier(settings, offer, ctx.segments)
        if first is None or settings.rank(Standing.of(facts["standing"]).tier) >= settings.rank(first.key):
            return None
        params = {"reward": offer.title, "tier": first.title}
        missing = first.threshold - whole(settings, Count(**facts["count"]).best, ctx.program.currency)
        if missing <= 0:  # reached, and the tier comes with the next sale or the next night
            return Refusal("tiers.exclusive", N_("{reward} is for those who have reached {tier}."), params)
        way = measure(settings, missing, ctx.program.currency)
        return Refusal("tiers.exclusive", N_("For {tier}: {missing} more."), {**params, "missing": way})

    @hookimpl
    def member_merged(self, ctx: LedgerContext, merge: CardMerge, facts: Mapping[str, Any]) -> Outcome | None:
        """Have the higher of both tiers, and what both have done together; a review follows when it is undone."""
        if merge.is_undone:
            return None
        settings, standing, other = (
            settings_of(ctx),
            Standing.of(facts["standing"]),
            Standing.of(merge.facts["standing"]),
        )
        higher = max(standing, other, key=lambda one: settings.rank(one.tier))
        granted = max(standing.granted, other.granted, key=settings.rank)
        own, theirs = Count(**facts["count"]), Count(**merge.facts["count"])
        count = Count(own.value + theirs.value, own.previous + theirs.previous)
        amount = whole(settings, count.best, ctx.program.currency)
        after = after_gain(settings, replace(higher, granted=granted), amount, ctx.now)
        return outcome_of(settings, ctx.card, standing, after, ctx.now)

    @hookimpl
    def wallet_fields(self, ctx: LedgerContext, facts: Mapping[str, Any]) -> Sequence[WalletPart]:
        """The tier and the way to the next."""
        return tuple(wallet.parts(settings_of(ctx), ctx, facts))


def settings_of(ctx: LedgerContext) -> TierSettings:
    """The plugin's settings of the program."""
    assert isinstance(ctx.settings, TierSettings)
    return ctx.settings


def _gives(ctx: LedgerContext, unit: str) -> bool:
    """Whether the program gives a unit: nobody can be given another one."""
    return ctx.tenant.has(unit) and ctx.program.kind in {unit, "hybrid"}


def _first_tier(settings: TierSettings, offer: RewardOffer, segments: frozenset[str]) -> Tier | None:
    """The lowest tier that may have a reward: by the ladder, or by the reward's groups where the member is in none."""
    names = {offer.key, offer.kind, f"{offer.kind}/{offer.key}"} - {""}
    named = set() if segments & set(offer.groups) else set(offer.groups)
    return next(
        (tier for tier in settings.ladder if names & set(tier.rewards) or segment_of(tier) in named),
        None,
    )


def _multiplied(proposal: Proposal, tier: Tier) -> Proposal:
    draft = proposal.draft
    if tier.multiplier == PLAIN or not draft.counts_for_limits or not draft.amount:
        return proposal
    amount, rest = divmod(draft.amount * tier.multiplier, PLAIN)
    message = N_("×{factor} as {tier}, rounded down.") if rest else N_("×{factor} as {tier}.")
    return proposal.changed(amount, Step("multiplied", message, {"factor": tier.factor, "tier": tier.title}))


def _gained(settings: TierSettings, occasion: Occasion, entries: Sequence[PostedEntry]) -> int:
    """What an occasion adds to what counts; money in minor units."""
    if settings.basis == "spend":
        return (occasion.amount_minor or 0) if isinstance(occasion, Purchase) else 0
    if settings.basis == "visits":
        return int(isinstance(occasion, Purchase))
    return sum(entry.amount for entry in entries if entry.unit == settings.unit)
