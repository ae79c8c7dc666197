"""The rules of points: what a sale gives, what may be kept of it, what is carried over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regulars.sdk import (
    N_,
    Birthday,
    CardMerge,
    Custom,
    Enrolment,
    EntryDraft,
    LedgerContext,
    Occasion,
    Outcome,
    Proposal,
    Purchase,
    Refusal,
    Reversal,
    Step,
    Verdict,
    Write,
    hookimpl,
)
from regulars.sdk.wallets import WalletPart
from regulars_points import wallet
from regulars_points.earning import earning_of
from regulars_points.settings import UNIT, PointSettings, settings_of

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
        """Points for the amount of a sale, for a new card, for a birthday, for what else the merchant rewards."""
        settings = settings_of(ctx.settings)
        gifts = {Enrolment: ("welcome", settings.welcome_points), Birthday: ("birthday", settings.birthday_points)}
        if isinstance(occasion, Custom):
            return event_drafts(settings, occasion)
        if not isinstance(occasion, Purchase):
            rule, points = gifts.get(type(occasion), ("", 0))
            return (EntryDraft(UNIT, points, rule, counts_for_limits=False),) if points else ()
        earning = earning_of(ctx, occasion, facts["carry"], is_first=facts["is_first"], used=facts.get("used"))
        if earning is None:
            return ()
        details: dict[str, Any] = {
            "amount_minor": occasion.amount_minor,
            "currency": occasion.currency,
            "carry": earning.carry,
        }
        if earning.used:
            details["used"] = list(earning.used)
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
    def sale_posted(self, ctx: LedgerContext, proposals: Sequence[Proposal]) -> Outcome | None:
        """Write down what is carried over, and which rules now wait before they give again."""
        own = [one.draft.explanation for one in proposals if (one.draft.unit, one.draft.rule) == (UNIT, SALE)]
        carry = sum(details["carry"] for details in own)
        uses = [{"sale_id": str(ctx.sale_id), "rule": rule} for details in own for rule in details.get("used", ())]
        writes = (*(_carried(ctx, "of_sale", carry, carry).writes if carry else ()), *_uses(uses))
        return Outcome(writes=writes) if writes else None

    @hookimpl
    def reversal_posted(
        self, ctx: LedgerContext, reversal: Reversal | None, facts: Mapping[str, Any]
    ) -> Outcome | None:
        """Take back what a sale had carried over; of a part, all that it had added.

        What the rest would have carried over is forgotten, less than a point: so nobody gains by buying and giving back
        in pieces.
        """
        parts = facts.get("of_sale") or 0
        if reversal is None or not parts or (parts < 0 and not reversal.is_whole):
            return None
        return _carried(ctx, "left_of_sale", -parts, 0)

    @hookimpl
    def member_merged(self, merge: CardMerge) -> Outcome | None:
        """Carry over what the other card has carried over, or no longer."""
        parts = -merge.facts["carry"] if merge.is_undone else merge.facts["carry"]
        return Outcome(writes=(Write("carried", [{"parts": parts}]),)) if parts else None

    @hookimpl
    def wallet_fields(self, ctx: LedgerContext) -> Sequence[WalletPart]:
        """The balance and the next reward."""
        return tuple(wallet.parts(ctx))


def event_drafts(settings: PointSettings, event: Custom) -> Sequence[EntryDraft]:
    """What an event besides sales gives; nothing when no rule names it, or when it has counted often enough."""
    rule = next((one for one in settings.events if one.name == event.name), None)
    if rule is None or (rule.most is not None and event.earlier >= rule.most):
        return ()
    details = {"title": rule.title, "event": rule.name}
    return (EntryDraft(UNIT, rule.points, "event", details, counts_for_limits=False),)


def _carried(ctx: LedgerContext, statement: str, change: int, of_sale: int) -> Outcome:
    row = {"sale_id": str(ctx.sale_id), "parts": of_sale}
    return Outcome(writes=(Write("carried", [{"parts": change}]), Write(statement, [row])))


def _uses(rows: Sequence[Mapping[str, Any]]) -> tuple[Write, ...]:
    return (Write("used", rows),) if rows else ()


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
