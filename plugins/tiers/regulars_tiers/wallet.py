"""What tiers show in the wallet of a phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from regulars.sdk import LedgerContext
from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletField, WalletPart, WalletTier
from regulars_tiers import texts
from regulars_tiers.settings import TierSettings
from regulars_tiers.standing import Count, Standing, whole


def parts(settings: TierSettings, ctx: LedgerContext, facts: Mapping[str, Any]) -> Iterator[WalletPart]:
    """The tier, and on the back the way to the next; nothing below the first one."""
    standing = Standing.of(facts["standing"])
    tier = settings.find(standing.tier)
    if tier is not None:
        yield WalletTier(tier.key, tier.title)
        changed = _("You are %(tier)s now.", tier=tier.title)
        yield WalletField("standing", _("Tier"), tier.title, "auxiliary", changed=changed, order=10)
    amount = whole(settings, Count(**facts["count"]).best, ctx.program.currency)
    way = texts.way(settings, standing, amount, ctx.program.currency)
    if way:
        yield WalletField("way", _("Tier"), way, "back", order=30)
