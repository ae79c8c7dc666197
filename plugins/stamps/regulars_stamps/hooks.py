"""The rules of stamps: how many an occasion gives, and what milestones add."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from regulars.sdk import (
    N_,
    Birthday,
    CardMerge,
    Enrolment,
    EntryDraft,
    EventDraft,
    LedgerContext,
    Occasion,
    Outcome,
    PostedEntry,
    Proposal,
    Purchase,
    Refusal,
    Reversal,
    Verdict,
    Write,
    hookimpl,
)
from regulars_stamps.earning import earning_of
from regulars_stamps.events import MilestoneReached
from regulars_stamps.settings import UNIT, Milestone, StampSettings

_MILESTONE_RULE = re.compile(r"milestone_(\d+)")


class Hooks:
    """What the plugin says to a sale, an enrolment and an undo."""

    @hookimpl
    def check_earn(self, ctx: LedgerContext, occasion: Occasion) -> Verdict:
        """Refuse more stamps at once than the program allows."""
        limit = settings_of(ctx).max_per_sale
        if not isinstance(occasion, Purchase) or occasion.quantity <= limit:
            return None
        message = N_("At most {limit} stamps can be given at once, not {quantity}.")
        return Refusal("stamps.too_many", message, {"limit": limit, "quantity": occasion.quantity}, status=422)

    @hookimpl
    def earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Sequence[EntryDraft]:
        """A stamp for each visit or item, the welcome stamps for a new card, and bonuses of milestones."""
        settings = settings_of(ctx)
        base = base_draft(settings, occasion, facts.get("carry", 0))
        if base is None:
            return ()
        lifetime = ctx.account(UNIT).lifetime
        passed = passed_milestones(settings.milestones, lifetime, base.amount, facts["milestones"])
        return (base, *(bonus_draft(milestone) for milestone in passed))

    @hookimpl
    def sale_posted(
        self, ctx: LedgerContext, entries: Sequence[PostedEntry], proposals: Sequence[Proposal]
    ) -> Outcome | None:
        """Note the milestones that were reached and announce them; write down what is carried over."""
        reached = dict(milestone_entries(entries))
        carry = sum(carry_of(one) for one in proposals)
        carried = carry_writes(ctx, "of_sale", carry, carry) if carry else []
        if not reached:
            return Outcome(writes=carried) if carried else None
        at = ctx.now.isoformat()
        rows = [{"threshold": at_, "bonus": entry.amount, "reached_at": at} for at_, entry in reached.items()]
        events = [EventDraft("milestone_reached", _payload(ctx, at_, entry)) for at_, entry in reached.items()]
        return Outcome(writes=(Write("reached", rows), *carried), events=events)

    @hookimpl
    def reversal_posted(
        self,
        ctx: LedgerContext,
        reversed_entries: Sequence[PostedEntry],
        reversal: Reversal | None,
        facts: Mapping[str, Any],
    ) -> Outcome | None:
        """Forget the milestones of a sale that is taken back, so that they can be reached again, and what it carried.

        Refunded in parts, a milestone is forgotten with the first. What the rest of the sale would have carried over is
        forgotten, less than a stamp's worth: so nobody gains by buying and giving back in pieces.
        """
        reached, carried = facts["milestones"], facts.get("of_sale") or 0
        rows = [
            {"threshold": threshold} for threshold, _ in milestone_entries(reversed_entries) if threshold in reached
        ]
        writes = [Write("undone", rows)] if rows else []
        if reversal is not None and (carried > 0 or (carried and reversal.is_whole)):
            writes += carry_writes(ctx, "left_of_sale", -carried, 0)
        return Outcome(writes=tuple(writes)) if writes else None

    @hookimpl
    def member_merged(self, ctx: LedgerContext, merge: CardMerge, facts: Mapping[str, Any]) -> Outcome | None:
        """Carry over what the other card has carried over, or no longer; know its milestones, for good.

        So nobody reaches a milestone twice by merging and undoing it.
        """
        carry = merge.facts.get("carry", 0)
        carried = [Write("carried", [{"minor": -carry if merge.is_undone else carry}])] if carry else []
        if merge.is_undone:
            return Outcome(writes=carried) if carried else None
        known = {*merge.facts["milestones"]} - {*facts["milestones"]}
        at = ctx.now.isoformat()
        rows = [
            {"threshold": one.at, "bonus": one.bonus, "reached_at": at}
            for one in settings_of(ctx).milestones
            if one.at in known
        ]
        reached = [Write("reached", rows)] if rows else []
        return Outcome(writes=(*reached, *carried)) if rows or carried else None


def settings_of(ctx: LedgerContext) -> StampSettings:
    """The plugin's settings of the program."""
    assert isinstance(ctx.settings, StampSettings)
    return ctx.settings


def base_draft(settings: StampSettings, occasion: Occasion, carried: int = 0) -> EntryDraft | None:
    """What an occasion gives before bonuses, `None` when it gives nothing.

    Args:
        settings: of the program.
        occasion: what happened.
        carried: money that the card has carried over, in minor units.
    """
    if isinstance(occasion, Purchase):
        earning = earning_of(settings, occasion, carried)
        details: dict[str, Any] = {"quantity": earning.stamps}
        if settings.per == "amount":
            money = {"amount_minor": occasion.amount_minor, "currency": occasion.currency}
            details = {**details, **money, "carry": earning.carry}
        return EntryDraft(UNIT, earning.stamps, settings.per, details, steps=earning.steps)
    if isinstance(occasion, Enrolment) and settings.welcome_stamps:
        return EntryDraft(UNIT, settings.welcome_stamps, "welcome", counts_for_limits=False)
    if isinstance(occasion, Birthday) and settings.birthday_stamps:
        return EntryDraft(UNIT, settings.birthday_stamps, "birthday", counts_for_limits=False)
    return None


def carry_of(proposal: Proposal) -> int:
    """Money that a proposal of ours carries over, in minor units."""
    is_ours = (proposal.plugin, proposal.draft.rule) == ("stamps", "amount")
    carry: int = proposal.draft.explanation["carry"] if is_ours else 0
    return carry


def carry_writes(ctx: LedgerContext, statement: str, change: int, of_sale: int) -> list[Write]:
    """What the card carries over more or less, and what of it is the sale's."""
    row = {"sale_id": str(ctx.sale_id), "minor": of_sale}
    return [Write("carried", [{"minor": change}]), Write(statement, [row])]


def passed_milestones(
    milestones: Iterable[Milestone], lifetime: int, amount: int, reached: Iterable[int]
) -> Iterator[Milestone]:
    """Which milestones an earning passes; a bonus may carry the card past the next one.

    Args:
        milestones: of the program, lowest first.
        lifetime: stamps ever collected before.
        amount: stamps of this earning.
        reached: thresholds that the card has reached already.
    """
    known = frozenset(reached)
    total = lifetime + amount
    for milestone in milestones:
        if lifetime < milestone.at <= total and milestone.at not in known:
            total += milestone.bonus
            yield milestone


def bonus_draft(milestone: Milestone) -> EntryDraft:
    """The extra stamps of a milestone."""
    explanation = {"milestone": milestone.at, "bonus": milestone.bonus}
    return EntryDraft(UNIT, milestone.bonus, f"milestone_{milestone.at}", explanation, counts_for_limits=False)


def milestone_entries(entries: Iterable[PostedEntry]) -> Iterator[tuple[int, PostedEntry]]:
    """The bonus entries among some, each with its threshold."""
    for entry in entries:
        match = _MILESTONE_RULE.fullmatch(entry.rule)
        if entry.unit == UNIT and match:
            yield int(match[1]), entry


def _payload(ctx: LedgerContext, threshold: int, entry: PostedEntry) -> Mapping[str, Any]:
    event = MilestoneReached(card_id=ctx.card.id, member_id=ctx.card.member_id, threshold=threshold, bonus=entry.amount)
    return event.model_dump(mode="json")
