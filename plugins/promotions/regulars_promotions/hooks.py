"""What promotions say to a sale and to what is taken back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from regulars.sdk import (
    Benefit,
    CardMerge,
    EntryDraft,
    LedgerContext,
    Occasion,
    Outcome,
    Proposal,
    Purchase,
    Reversal,
    Write,
    hookimpl,
)
from regulars_promotions.rules import Grant, decide_bill, decide_units, settings_of
from regulars_promotions.used import EVERYBODY, What

NAME = "promotions"
RULE = "promotion_"
"""Before the promotion's key in the name of a rule, so that it is nobody else's."""


class Hooks:
    """Adds units, takes money off, hands items over; counts what is used and gives it back."""

    @hookimpl
    def adjust_earn(
        self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal], facts: Mapping[str, Any]
    ) -> Sequence[Proposal]:
        """A draft for every promotion that gives units; why the others do not stands with the first draft."""
        if not isinstance(occasion, Purchase) or not settings_of(ctx).promotions or not proposals:
            return proposals
        units = decide_units(ctx, occasion, proposals, facts)
        added = [_proposal(grant) for grant in units.grants]
        if not ctx.explains:
            return (*proposals, *added)
        bill = decide_bill(ctx, occasion, facts)
        steps = (*units.missed, *bill.missed, *(step for grant in bill.grants for step in grant.steps))
        first, *others = proposals
        return (first.noted(*steps), *others, *added)

    @hookimpl
    def sale_posted(
        self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal], facts: Mapping[str, Any]
    ) -> Outcome | None:
        """Count what was used, keep who took part, and tell the till what to take off or to hand over."""
        if not isinstance(occasion, Purchase) or ctx.sale_id is None:
            return None
        grants = [*_given(ctx, proposals), *decide_bill(ctx, occasion, facts).grants]
        if not grants:
            return None
        currency = occasion.currency or ctx.program.currency
        counted = [row for grant in grants for row in _counts(ctx, grant)]
        writes = (
            Write("counted", _in_order(counted), contended=True),
            Write("took_part", [_participation(ctx, grant, currency) for grant in grants]),
        )
        return Outcome(writes=writes, benefits=[_benefit(grant) for grant in grants if not grant.unit])

    @hookimpl
    def reversal_posted(
        self, ctx: LedgerContext, reversal: Reversal | None, facts: Mapping[str, Any]
    ) -> Outcome | None:
        """Give back what the sale had used: units as they are taken back, money off in proportion, a use in the end."""
        if reversal is None:
            return None
        changed, counted = [], []
        for known in facts.get("participations") or ():
            row, counts = _returned(ctx, known, reversal)
            if counts:
                changed.append(row)
                counted += counts
        if not changed:
            return None
        return Outcome(writes=(Write("counted", _in_order(counted), contended=True), Write("returned", changed)))

    @hookimpl
    def member_merged(self, ctx: LedgerContext, merge: CardMerge) -> Outcome | None:
        """Count what the other member has used as this one's, or no longer."""
        sign = -1 if merge.is_undone else 1
        rows = [
            _count(ctx, str(ctx.card.member_id), promotion, what, sign * used, None)
            for scope, promotion, what, used in merge.facts["usage"] or ()
            if scope != EVERYBODY and used
        ]
        return Outcome(writes=(Write("counted", _in_order(rows)),)) if rows else None


def _proposal(grant: Grant) -> Proposal:
    promotion = grant.promotion
    draft = EntryDraft(
        grant.unit,
        grant.units,
        RULE + promotion.key,
        {"promotion": promotion.key, "title": promotion.title},
        counts_for_limits=False,
        steps=grant.steps,
    )
    return Proposal(NAME, draft)


def _given(ctx: LedgerContext, proposals: Iterable[Proposal]) -> Iterator[Grant]:
    """What the promotions have really added: other plugins may have cut it."""
    settings = settings_of(ctx)
    by_rule = {RULE + promotion.key: promotion for promotion in settings.promotions}
    for one in proposals:
        if one.plugin == NAME and one.draft.amount:
            amount = one.draft.amount
            cost = amount * (settings.hundred_units_minor or 0) // 100
            yield Grant(by_rule[one.draft.rule], one.draft.unit, amount, cost_minor=cost)


def _counts(ctx: LedgerContext, grant: Grant) -> Iterator[dict[str, Any]]:
    """Rows of the counters; what has no limit is counted too, so that a later one knows what was used before."""
    promotion = grant.promotion
    key, member = promotion.key, str(ctx.card.member_id)
    yield _count(ctx, EVERYBODY, key, "uses", 1, promotion.max_uses)
    yield _count(ctx, member, key, "uses", 1, promotion.max_uses_per_member)
    if grant.units:
        yield _count(ctx, EVERYBODY, key, "units", grant.units, promotion.budget_units)
    if grant.cost_minor:
        yield _count(ctx, EVERYBODY, key, "money", grant.cost_minor, promotion.budget_minor)


def _count(ctx: LedgerContext, scope: str, promotion: str, what: What, used: int, most: int | None) -> dict[str, Any]:
    return {
        "program_id": str(ctx.program.id),
        "scope": scope,
        "promotion": promotion,
        "what": what,
        "used": used,
        "most": most,
    }


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Everybody locks counters in the same order, so that nobody waits in a circle."""
    return sorted(rows, key=lambda row: (row["scope"], row["promotion"], row["what"]))


def _participation(ctx: LedgerContext, grant: Grant, currency: str) -> dict[str, Any]:
    return {
        "sale_id": str(ctx.sale_id),
        "promotion": grant.promotion.key,
        "program_id": str(ctx.program.id),
        "shop_id": str(ctx.shop_id) if ctx.shop_id is not None else None,
        "title": grant.promotion.title,
        "unit": grant.unit,
        "units": grant.units,
        "discount_minor": grant.discount_minor,
        "item": grant.item,
        "cost_minor": grant.cost_minor,
        "currency": currency,
        "used_at": ctx.now.isoformat(),
        "units_returned": 0,
        "cost_returned_minor": 0,
        "returned_at": None,
    }


def _benefit(grant: Grant) -> Benefit:
    promotion = grant.promotion
    return Benefit(
        "item" if grant.item else "discount", promotion.key, promotion.title, grant.discount_minor, grant.item
    )


def _returned(
    ctx: LedgerContext, known: Mapping[str, Any], reversal: Reversal
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The participation after something was taken back, and the counters that get it; never more than it had.

    Args:
        ctx: of the reversal.
        known: the participation as it was.
        reversal: what is taken back, and what is left of the sale.
    """
    key = known["promotion"]
    units_left = known["units"] - known["units_returned"]
    cost_left = known["cost_minor"] - known["cost_returned_minor"]
    units = min(reversal.taken.get((NAME, known["unit"], RULE + key), 0), units_left)
    closes = units == units_left if known["units"] else reversal.is_whole
    if known["units"]:
        cost = known["cost_minor"] * (known["units_returned"] + units) // known["units"] - known["cost_returned_minor"]
    elif known["item"]:
        cost = cost_left if closes else 0
    else:
        kept = -(-known["cost_minor"] * reversal.left // reversal.whole)
        cost = max(0, cost_left - kept)
    taken: tuple[tuple[str, What, int], ...] = (
        (EVERYBODY, "units", units),
        (EVERYBODY, "money", cost),
        (EVERYBODY, "uses", int(closes)),
        (str(ctx.card.member_id), "uses", int(closes)),
    )
    counts = [_count(ctx, scope, key, what, -amount, None) for scope, what, amount in taken if amount]
    row = {
        "sale_id": str(ctx.sale_id),
        "promotion": key,
        "units_returned": known["units_returned"] + units,
        "cost_returned_minor": known["cost_returned_minor"] + cost,
        "returned_at": ctx.now.isoformat() if closes else None,
    }
    return row, counts
