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
from regulars.sdk.wallets import WalletPart
from regulars_stamps import wallet
from regulars_stamps.earning import earning_of
from regulars_stamps.events import MilestoneReached
from regulars_stamps.settings import UNIT, Card, Milestone, StampCard, StampSettings, is_ours

_MILESTONE_RULE = re.compile(r"milestone_(\d+)")


class Hooks:
    """What the plugin says to a sale, an enrolment and an undo."""

    @hookimpl
    def check_earn(self, ctx: LedgerContext, occasion: Occasion) -> Verdict:
        """Refuse more stamps at once than a card allows, and stamps on a card that is closed."""
        if not isinstance(occasion, Purchase):
            return None
        return next((found for card in settings_of(ctx).cards if (found := refusal_of(card, occasion))), None)

    @hookimpl
    def earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Sequence[EntryDraft]:
        """On each card: stamps for visits, money or pieces, welcome stamps for a new member, bonuses of milestones."""
        drafts: list[EntryDraft] = []
        for card in settings_of(ctx).open_cards:
            base = base_draft(card, ctx, occasion, facts)
            if base is not None:
                lifetime, reached = ctx.account(card.unit).lifetime, of_unit(facts["milestones"], card.unit, [])
                passed = passed_milestones(card.milestones, lifetime, base.amount, reached)
                drafts += [base, *(bonus_draft(card, milestone) for milestone in passed)]
        return tuple(drafts)

    @hookimpl
    def sale_posted(
        self, ctx: LedgerContext, entries: Sequence[PostedEntry], proposals: Sequence[Proposal]
    ) -> Outcome | None:
        """Note the milestones that were reached and announce them; write down what is carried over."""
        reached = list(milestone_entries(entries))
        carries = {one.draft.unit: carry for one in proposals if (carry := carry_of(one))}
        carried = carry_writes(ctx, "of_sale", carries, carries) if carries else []
        if not reached:
            return Outcome(writes=carried) if carried else None
        at = ctx.now.isoformat()
        rows = [
            {"unit": entry.unit, "threshold": threshold, "bonus": entry.amount, "reached_at": at}
            for threshold, entry in reached
        ]
        events = [EventDraft("milestone_reached", _payload(ctx, threshold, entry)) for threshold, entry in reached]
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
        rows = [
            {"unit": entry.unit, "threshold": threshold}
            for threshold, entry in milestone_entries(reversed_entries)
            if threshold in of_unit(facts["milestones"], entry.unit, [])
        ]
        writes = [Write("undone", rows)] if rows else []
        if reversal is not None:
            back = {
                unit: -carried
                for unit, carried in (facts.get("of_sale") or {}).items()
                if carried > 0 or (carried and reversal.is_whole)
            }
            writes += carry_writes(ctx, "left_of_sale", back, dict.fromkeys(back, 0)) if back else []
        return Outcome(writes=tuple(writes)) if writes else None

    @hookimpl
    def member_merged(self, ctx: LedgerContext, merge: CardMerge, facts: Mapping[str, Any]) -> Outcome | None:
        """Carry over what the other card has carried over, or no longer; know its milestones, for good.

        So nobody reaches a milestone twice by merging and undoing it.
        """
        sign = -1 if merge.is_undone else 1
        carries = [{"unit": unit, "minor": sign * carry} for unit, carry in merge.facts["carry"].items() if carry]
        carried = [Write("carried", carries)] if carries else []
        if merge.is_undone:
            return Outcome(writes=carried) if carried else None
        at = ctx.now.isoformat()
        rows = [
            {"unit": card.unit, "threshold": one.at, "bonus": one.bonus, "reached_at": at}
            for card in settings_of(ctx).cards
            for one in card.milestones
            if one.at in of_unit(merge.facts["milestones"], card.unit, [])
            and one.at not in of_unit(facts["milestones"], card.unit, [])
        ]
        reached = [Write("reached", rows)] if rows else []
        return Outcome(writes=(*reached, *carried)) if rows or carried else None

    @hookimpl
    def wallet_fields(self, ctx: LedgerContext) -> Sequence[WalletPart]:
        """The row of stamps, how many there are and how far it is to the reward."""
        return tuple(wallet.parts(settings_of(ctx), ctx))


def settings_of(ctx: LedgerContext) -> StampSettings:
    """The plugin's settings of the program."""
    assert isinstance(ctx.settings, StampSettings)
    return ctx.settings


def refusal_of(card: Card, purchase: Purchase) -> Refusal | None:
    """Why a card cannot get what staff have counted for it."""
    quantity = purchase.counted(card.unit)
    if card.closed:
        if purchase.counts is None or not quantity:
            return None
        message = N_("“{card}” is closed: it gets no more stamps.")
        return Refusal("stamps.closed", message, {"card": card.title}, status=422)
    most = card.max_per_sale
    if quantity <= most:
        return None
    one = N_("Only one stamp can be given at once, not {quantity}.")
    message = one if most == 1 else N_("At most {limit} stamps can be given at once, not {quantity}.")
    return Refusal("stamps.too_many", message, {"limit": most, "quantity": quantity}, status=422)


def base_draft(card: Card, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> EntryDraft | None:
    """What an occasion gives on a card before bonuses, `None` when it gives nothing.

    Args:
        card: with its rules.
        ctx: when, where and who.
        occasion: what happened.
        facts: of the member's card.
    """
    named = {"card": card.title} if isinstance(card, StampCard) else {}
    if isinstance(occasion, Purchase):
        carried = of_unit(facts.get("carry"), card.unit, 0)
        earning = earning_of(card, ctx, occasion, carried, is_first=facts.get("is_first", False))
        details: dict[str, Any] = {"quantity": earning.stamps, **named}
        if card.per == "amount":
            money = {"amount_minor": occasion.amount_minor, "currency": occasion.currency}
            details = {**details, **money, "carry": earning.carry}
        return EntryDraft(card.unit, earning.stamps, card.per, details, steps=earning.steps)
    if isinstance(occasion, Enrolment) and card.welcome_stamps:
        return EntryDraft(card.unit, card.welcome_stamps, "welcome", named, counts_for_limits=False)
    if isinstance(occasion, Birthday) and card.birthday_stamps:
        return EntryDraft(card.unit, card.birthday_stamps, "birthday", named, counts_for_limits=False)
    return None


def of_unit(fact: Any, unit: str, nothing: Any) -> Any:
    """A fact about one card; what was kept when a program had one card only is about that one."""
    if isinstance(fact, Mapping):
        return fact.get(unit, nothing)
    return fact if unit == UNIT and fact is not None else nothing


def carry_of(proposal: Proposal) -> int:
    """Money that a proposal of ours carries over, in minor units."""
    is_by_amount = (proposal.plugin, proposal.draft.rule) == ("stamps", "amount")
    carry: int = proposal.draft.explanation["carry"] if is_by_amount else 0
    return carry


def carry_writes(
    ctx: LedgerContext, statement: str, changes: Mapping[str, int], of_sale: Mapping[str, int]
) -> list[Write]:
    """What each card carries over more or less, and what of it is the sale's; both unit → minor units."""
    sale = str(ctx.sale_id)
    return [
        Write("carried", [{"unit": unit, "minor": minor} for unit, minor in changes.items()]),
        Write(statement, [{"sale_id": sale, "unit": unit, "minor": minor} for unit, minor in of_sale.items()]),
    ]


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


def bonus_draft(card: Card, milestone: Milestone) -> EntryDraft:
    """The extra stamps of a milestone."""
    explanation: dict[str, Any] = {"milestone": milestone.at, "bonus": milestone.bonus}
    if isinstance(card, StampCard):
        explanation["card"] = card.title
    return EntryDraft(card.unit, milestone.bonus, f"milestone_{milestone.at}", explanation, counts_for_limits=False)


def milestone_entries(entries: Iterable[PostedEntry]) -> Iterator[tuple[int, PostedEntry]]:
    """The bonus entries among some, each with its threshold."""
    for entry in entries:
        match = _MILESTONE_RULE.fullmatch(entry.rule)
        if match and is_ours(entry.unit):
            yield int(match[1]), entry


def _payload(ctx: LedgerContext, threshold: int, entry: PostedEntry) -> Mapping[str, Any]:
    event = MilestoneReached(
        card_id=ctx.card.id, member_id=ctx.card.member_id, unit=entry.unit, threshold=threshold, bonus=entry.amount
    )
    return event.model_dump(mode="json")
