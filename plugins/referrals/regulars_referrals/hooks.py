"""What bringing a friend gives."""

from __future__ import annotations

from collections.abc import Sequence

from regulars.sdk import N_, EntryDraft, LedgerContext, Occasion, Proposal, Referral, Step, hookimpl
from regulars_referrals.settings import ReferralSettings


class Hooks:
    """Both sides get their units."""

    @hookimpl
    def adjust_earn(self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
        """Add the reward of a referral; everything else stays as it is."""
        if not isinstance(occasion, Referral):
            return proposals
        assert isinstance(ctx.settings, ReferralSettings)
        is_friend = occasion.side == "friend"
        amount = ctx.settings.friend_reward if is_friend else ctx.settings.referrer_reward
        if not amount or not _gives(ctx, ctx.settings.unit):
            return proposals
        message = N_("Welcome: a friend has brought you.") if is_friend else N_("You have brought a friend.")
        step = Step("given", message, change=amount)
        details = {"referral": str(occasion.referral_id)}
        draft = EntryDraft(ctx.settings.unit, amount, "referral", details, counts_for_limits=False, steps=(step,))
        return [*proposals, Proposal("referrals", draft)]


def _gives(ctx: LedgerContext, unit: str) -> bool:
    """Whether the program gives a unit: nobody can be given another one."""
    return ctx.tenant.has(unit) and ctx.program.kind in {unit, "hybrid"}
