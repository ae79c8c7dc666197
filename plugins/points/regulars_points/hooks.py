"""The rules of points: what a sale gives, what may be kept of it, what is carried over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regulars.sdk import (
    N_,
    Birthday,
    Enrolment,
    EntryDraft,
    LedgerContext,
    Occasion,
    Outcome,
    PostedEntry,
    Proposal,
    Purchase,
    Refusal,
    Step,
    Verdict,
    Write,
    hookimpl,
)
from regulars_points.earning import Earning, earning_of
from regulars_points.settings import UNIT, settings_of

SALE = "purchase"


class Hooks:
    """What the plugin says to a sale, an enrolment, a birthday and to taking back."""

    @hookimpl
    def check_earn(self, ctx: LedgerContext, occasion: Occasion) -> Verdict:
        """Refuse an amount that is most likely a slip of the finger."""
        limit = settings_of(ctx.settings).max_amount_minor
        if not isinstance(occasion, Purchase) or (occasion.amount_minor or 0) <= limit:
            return None
        message = N_("This amount is larger than a sale can be here. Please check it.")
        return Refusal("points.amount_too_large", message, {"limit_minor": limit}, status=422)

    @hookimpl
    def earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Sequence[EntryDraft]:
        """Points for the amount of a sale, for a new card, for a birthday."""
        settings = settings_of(ctx.settings)
        gifts = {Enrolment: ("welcome", settings.welcome_points), Birthday: ("birthday", settings.birthday_points)}
        if not isinstance(occasion, Purchase):
            rule, points = gifts.get(type(occasion), ("", 0))
            return (EntryDraft(UNIT, points, rule, counts_for_limits=False),) if points else ()
        earning = _earning(ctx, occasion, facts)
        if earning is None:
            return ()
        details = {"amount_minor": occasion.amount_minor, "currency": occasion.currency, "carry": earning.carry}
        return (EntryDraft(UNIT, earning.points, SALE, details, steps=earning.steps),)

    @hookimpl
    def cap_earn(
        self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal], facts: Mapping[str, Any]
    ) -> Sequence[Proposal]:
        """Keep to the limits of a sale, a day and a card, whoever gave the points."""
        if not isinstance(occasion, Purchase):
            return proposals
        settings, lifetime = settings_of(ctx.settings), ctx.account(UNIT).lifetime
        limits = (
            (settings.max_per_sale, 0, N_("At most {most} points in one sale.")),
            (settings.max_per_day, facts["today"], N_("At most {most} points in one day.")),
            (settings.max_per_member, lifetime + facts["waiting"], N_("At most {most} points on one card.")),
        )
        capped = tuple(proposals)
        for most, had, message in limits:
            if most is not None:
                capped = _cut(capped, max(0, most - had), Step("capped", message, {"most": most}))
        return capped

    @hookimpl
    def sale_posted(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Outcome | None:
        """Write down what is carried over."""
        earning = _earning(ctx, occasion, facts) if isinstance(occasion, Purchase) else None
        return _carried(earning.carry) if earning else None

    @hookimpl
    def reversal_posted(
        self, entries: Sequence[PostedEntry], reversed_entries: Sequence[PostedEntry], facts: Mapping[str, Any]
    ) -> Outcome | None:
        """Take back what a sale had carried over; after a part of it is taken back, parts of points are forgotten.

        A part cannot be told exactly without the sale; so nobody gains by buying and giving back in pieces.
        """
        change = 0
        for entry, original in zip(entries, reversed_entries, strict=True):
            if (original.unit, original.rule, original.kind) == (UNIT, SALE, "earn"):
                is_whole = entry.amount == -original.amount
                change -= original.explanation.get("carry", 0) if is_whole else max(0, facts["carry"])
        return _carried(change)


def _earning(ctx: LedgerContext, purchase: Purchase, facts: Mapping[str, Any]) -> Earning | None:
    return earning_of(ctx, purchase, facts["carry"], is_first=facts["is_first"])


def _carried(change: int) -> Outcome | None:
    return Outcome(writes=(Write("carried", [{"parts": change}]),)) if change else None


def _cut(proposals: Iterable[Proposal], room: int, step: Step) -> tuple[Proposal, ...]:
    """Give no more points than there is room for: the last bonus goes first."""
    kept = []
    for one in proposals:
        draft = one.draft
        if draft.unit != UNIT or not draft.counts_for_limits:
            kept.append(one)
            continue
        amount = min(draft.amount, room)
        room -= amount
        kept.append(one if amount == draft.amount else one.changed(amount, step))
    return tuple(kept)
