"""Every hook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regulars.sdk import (
    N_,
    CardMerge,
    EntryDraft,
    EventDraft,
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
    Write,
    hookimpl,
)
from regulars.sdk.db import new_id
from regulars.sdk.i18n import _
from regulars.sdk.wallets import WalletField, WalletPart
from regulars_fixture.events import Taken
from regulars_fixture.settings import UNIT, Settings


class Hooks:
    """What the plugin says to the ledger."""

    @hookimpl
    def check_earn(self, ctx: LedgerContext, occasion: Occasion) -> Verdict:
        """Refuse too many at once."""
        assert isinstance(ctx.settings, Settings)
        most = ctx.settings.most
        if isinstance(occasion, Purchase) and occasion.quantity > most:
            return Refusal("sampler.too_many", N_("At most {most} samples."), {"most": most}, status=422)
        return None

    @hookimpl
    def earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Sequence[EntryDraft]:
        """Two samples for everything; the fact is written into the explanation."""
        if not isinstance(occasion, Purchase):
            return ()
        details = {name: facts[name] for name in ("taken_before", "most")} | {"segments": sorted(ctx.segments)}
        return (EntryDraft(UNIT, 2 * occasion.quantity, "sample", details, counts_for_limits=False),)

    @hookimpl
    def adjust_earn(self, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
        """Leave a word on every draft of its own."""
        looked = Step("given", N_("The sampler has looked at it."))
        return [one.noted(looked) if one.plugin == "sampler" else one for one in proposals]

    @hookimpl
    def cap_earn(self, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
        """At most ten of its own, which it says of every draft."""
        most = Step("capped", N_("Ten samples are enough."))
        return [one.changed(min(10, one.draft.amount), most) if one.draft.unit == UNIT else one for one in proposals]

    @hookimpl
    def sale_posted(self, ctx: LedgerContext, entries: Sequence[PostedEntry]) -> Outcome | None:
        """Keep a row of it and announce it."""
        ours = [entry for entry in entries if entry.unit == UNIT]
        if not ours:
            return None
        rows = [{"entry_id": entry.id, "state": "taken"} for entry in ours]
        taken = Taken(card_id=ctx.card.id, member_id=ctx.card.member_id, amount=sum(entry.amount for entry in ours))
        return Outcome(writes=(Write("taken", rows),), events=(EventDraft("taken", taken.model_dump(mode="json")),))

    @hookimpl
    def check_redemption(self, offer: RewardOffer) -> Verdict:
        """The golden badge is for nobody."""
        if offer.kind == "sampler.badge" and offer.key == "gold":
            return Refusal("sampler.no_gold", N_("The golden badge is for nobody."))
        return None

    @hookimpl
    def redemption_posted(self) -> Outcome:
        """Keep a note of it."""
        return Outcome(writes=(Write("noted", [{"id": new_id(), "text": "redemption"}]),))

    @hookimpl
    def reversal_posted(self, reversed_entries: Sequence[PostedEntry]) -> Outcome | None:
        """Mark the row of what was taken back."""
        ours = [entry for entry in reversed_entries if entry.unit == UNIT and entry.kind == "earn"]
        rows = [{"entry_id": entry.id, "state": "given_back"} for entry in ours]
        return Outcome(writes=(Write("given_back", rows),)) if rows else None

    @hookimpl
    def member_merged(self, merge: CardMerge, facts: Mapping[str, Any]) -> Outcome:
        """Keep a note of how many both have taken before."""
        word = "unmerged" if merge.is_undone else "merged"
        text = f"{word}: {facts['taken_before']} and {merge.facts['taken_before']}"
        return Outcome(writes=(Write("noted", [{"id": new_id(), "text": text}]),))

    @hookimpl
    def wallet_fields(
        self, ctx: LedgerContext, offers: Sequence[RewardOffer], facts: Mapping[str, Any]
    ) -> Sequence[WalletPart]:
        """How many samples there are."""
        count = str(ctx.account(UNIT).balance)
        return (WalletField("count", _("Samples"), count, "secondary", _("%(count)s samples now.", count=count)),)
