"""What the plugin says to a redemption: limits, stock, codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from regulars.sdk import (
    N_,
    LedgerContext,
    Outcome,
    PostedEntry,
    Refusal,
    RewardOffer,
    Verdict,
    Write,
    hookimpl,
)
from regulars.sdk.wallets import WalletPart
from regulars_rewards import wallet
from regulars_rewards.catalogue import settings_of
from regulars_rewards.queries import KIND


class Hooks:
    """Keeps rewards for their customers, counts what is out; what else cannot be had, `Catalogue` says."""

    @hookimpl
    def check_redemption(self, ctx: LedgerContext, offer: RewardOffer) -> Verdict:
        """Keep a reward for the groups that it is for; plugins before this one may have said how far it is."""
        if not offer.groups or ctx.segments & set(offer.groups):
            return None
        return Refusal("rewards.not_for_you", N_("“{reward}” is for other customers."), {"reward": offer.title})

    @hookimpl
    def redemption_posted(self, ctx: LedgerContext, offer: RewardOffer, redemption_id: UUID) -> Outcome | None:
        """Take one from the stock, and its code from the pool; both only if nobody was faster."""
        reward = settings_of(ctx).find(offer.key) if offer.kind == KIND else None
        if reward is None:
            return None
        place = {"program_id": str(ctx.program.id), "reward_key": reward.key}
        writes = [Write("stock", [{**place, "taken": 1, "most": reward.stock}], contended=True)]
        if offer.code:
            taken = {"code": offer.code, "redemption_id": str(redemption_id), "taken_at": ctx.now.isoformat()}
            writes.append(Write("code", [{**place, **taken}], contended=True))
        return Outcome(writes=writes)

    @hookimpl
    def reversal_posted(self, ctx: LedgerContext, reversed_entries: Sequence[PostedEntry]) -> Outcome | None:
        """Put back what is given back. A code that somebody has seen is not given to anybody else."""
        keys = [entry.rule.removeprefix(f"{KIND}/") for entry in reversed_entries if entry.rule.startswith(f"{KIND}/")]
        rows: list[Mapping[str, Any]] = [
            {"program_id": str(ctx.program.id), "reward_key": key, "taken": -1, "most": None} for key in keys
        ]
        return Outcome(writes=(Write("stock", rows),)) if rows else None

    @hookimpl
    def wallet_fields(self, offers: Sequence[RewardOffer]) -> Sequence[WalletPart]:
        """What can be had now."""
        return tuple(wallet.parts(offers))
