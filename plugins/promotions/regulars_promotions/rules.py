"""Which promotions a purchase gets, and what each gives: whole numbers, rounded down, never beyond what is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from regulars.sdk import N_, LedgerContext, Proposal, Purchase, Step
from regulars.sdk.rules import Matcher, by_identity, matching_amount
from regulars_promotions.settings import WHOLE, Promotion, PromotionSettings
from regulars_promotions.used import Left, Used

ADVANCED = "promotions.advanced"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one promotion gives to one purchase.

    Attributes:
        unit, units: what is added, empty and 0 for what concerns the bill.
        discount_minor: money off.
        item: what is handed over.
        cost_minor: what it costs the merchant, as far as that is known.
        steps: how it came about.
    """

    promotion: Promotion
    unit: str = ""
    units: int = 0
    discount_minor: int = 0
    item: str = ""
    cost_minor: int = 0
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What the promotions give, in the merchant's order, and why the others give nothing."""

    grants: tuple[Grant, ...]
    missed: tuple[Step, ...]


def settings_of(ctx: LedgerContext) -> PromotionSettings:
    """The plugin's settings of the program."""
    assert isinstance(ctx.settings, PromotionSettings)
    return ctx.settings


def decide_units(
    ctx: LedgerContext, purchase: Purchase, proposals: Sequence[Proposal], facts: Mapping[str, Any]
) -> Decision:
    """What is added to the units that a purchase gives.

    Every multiplier counts on what the purchase gives without promotions, so their order does not matter; gifts such as
    milestones are not multiplied.

    Args:
        ctx: with the plugin's settings.
        purchase: what was bought.
        proposals: what is given so far.
        facts: of the plugin.
    """
    settings = settings_of(ctx)
    grants: list[Grant] = []
    missed: list[Step] = []
    for promotion, left in _fitting(ctx, purchase, facts, missed, gives_units=True):
        unit = promotion.unit or next((one.draft.unit for one in proposals if one.draft.counts_for_limits), "")
        base = sum(one.draft.amount for one in proposals if one.draft.unit == unit and one.draft.counts_for_limits)
        if not any(one.draft.unit == unit for one in proposals):
            missed.append(_missed(promotion, N_("“{rule}” gives something that this purchase does not.")))
            continue
        grant = _units(promotion, purchase, unit, base, left, settings.hundred_units_minor)
        _keep(grant, promotion, grants, missed)
    return _stacked(settings, grants, missed)


def decide_bill(ctx: LedgerContext, purchase: Purchase, facts: Mapping[str, Any]) -> Decision:
    """What is taken off the bill or handed over; one promotion after the other, each of what is left of the bill.

    Args:
        ctx: with the plugin's settings.
        purchase: what was bought.
        facts: of the plugin.
    """
    settings = settings_of(ctx)
    bill = purchase.amount_minor or 0
    grants: list[Grant] = []
    missed: list[Step] = []
    for promotion, left in _fitting(ctx, purchase, facts, missed, gives_units=False):
        grant = _bill(promotion, purchase, bill, left)
        _keep(grant, promotion, grants, missed)
        if settings.stacking == "all":
            bill -= grant.discount_minor
    return _stacked(settings, grants, missed)


def _fitting(
    ctx: LedgerContext, purchase: Purchase, facts: Mapping[str, Any], missed: list[Step], *, gives_units: bool
) -> Iterator[tuple[Promotion, Left]]:
    """The promotions whose conditions hold and that are not used up; the others leave a step."""
    promotions, matcher = _by_kind(settings_of(ctx).promotions)[gives_units]
    found = matcher.matches(ctx, purchase, is_first=not facts["bought_before"])
    used = Used(facts["usage"]) if found.hits else Used(None)
    for place in range(len(promotions)) if ctx.explains else found.hits:
        promotion, miss = promotions[place], found.misses[place]
        if miss is not None:
            if promotion.ends_on is None or promotion.ends_on >= ctx.at.date():
                missed.append(miss)  # what is over for good would only make the explanation long
            continue
        left = used.left(promotion)
        miss = _limit(ctx, promotion, used, left)
        if miss is None:
            yield promotion, left
        else:
            missed.append(miss)


@by_identity
def _by_kind(promotions: tuple[Promotion, ...]) -> dict[bool, tuple[Sequence[Promotion], Matcher]]:
    """Those that are switched on: whether they give units → they, and what asks all of them."""
    kinds = {
        gives_units: [one for one in promotions if one.active and one.gives_units == gives_units]
        for gives_units in (True, False)
    }
    return {kind: (found, Matcher(found, [one.title for one in found])) for kind, found in kinds.items()}


def _limit(ctx: LedgerContext, promotion: Promotion, used: Used, left: Left) -> Step | None:
    if is_advanced(promotion) and not ctx.tenant.has(ADVANCED):
        return _missed(promotion, N_("“{rule}” needs another plan."))
    if promotion.not_after and used.by_member(promotion.not_after):
        return _missed(promotion, N_("“{rule}” is not for those who had another promotion before."))
    if left.own_uses is not None and left.own_uses <= 0:
        return _missed(promotion, N_("“{rule}” was used as often as one customer may."))
    return _missed(promotion, N_("“{rule}” is used up.")) if left.is_gone else None


def is_advanced(promotion: Promotion) -> bool:
    """Whether a promotion needs more than the basic plan: it is for some customers or some shops only."""
    return bool(promotion.segments or promotion.shops)


def _units(promotion: Promotion, purchase: Purchase, unit: str, base: int, left: Left, hundred: int | None) -> Grant:
    params = {"rule": promotion.title}
    if promotion.kind == "multiplier":
        share = _share(promotion, purchase, base)
        wanted = share * (promotion.basis_points - WHOLE) // WHOLE
        message = N_("“{rule}” makes {percent} % of {base}.")
        step = Step(
            "multiplied", message, {"rule": promotion.title, "percent": promotion.percent, "base": share}, wanted
        )
    else:
        wanted = promotion.units or 0
        step = Step("added", N_("“{rule}” gives {units} more."), {**params, "units": wanted}, wanted)
    most = [wanted]
    if left.units is not None:
        most.append(left.units)
    if left.money is not None and hundred:
        most.append(left.money * 100 // hundred)
    units = min(most)
    steps = [step]
    if units < wanted:
        message = N_("“{rule}” had only {left} left.")
        steps.append(Step("capped", message, {**params, "left": units}, units - wanted))
    return Grant(promotion, unit, units, cost_minor=units * (hundred or 0) // 100, steps=tuple(steps))


def _share(promotion: Promotion, purchase: Purchase, base: int) -> int:
    """The part of the base that the promotion's goods have earned."""
    if not promotion.categories and not promotion.products:
        return base
    amount = purchase.amount_minor or 0
    return base * matching_amount(promotion, purchase) // amount if amount else 0


def _bill(promotion: Promotion, purchase: Purchase, bill: int, left: Left) -> Grant:
    params = {"rule": promotion.title}
    if promotion.kind == "free_item":
        cost = promotion.item_cost_minor or 0
        if left.money is not None and cost > left.money:
            return Grant(promotion)
        message = N_("“{rule}” gives {item} for nothing.")
        step = Step("given", message, {**params, "item": promotion.item})
        return Grant(promotion, item=promotion.item, cost_minor=cost, steps=(step,))
    about = min(bill, matching_amount(promotion, purchase))
    if promotion.kind == "discount_percent":
        wanted = about * promotion.basis_points // WHOLE
    else:
        wanted = min(about, promotion.amount_minor or 0)
    off = wanted if left.money is None else min(wanted, left.money)
    step = Step("given", N_("“{rule}” takes something off the bill."), params)
    return Grant(promotion, discount_minor=off, cost_minor=off, steps=(step,))


def _keep(grant: Grant, promotion: Promotion, grants: list[Grant], missed: list[Step]) -> None:
    if grant.units or grant.discount_minor or grant.item:
        grants.append(grant)
    else:
        missed.append(_missed(promotion, N_("“{rule}” comes to nothing here.")))


def _stacked(settings: PromotionSettings, grants: Iterable[Grant], missed: Iterable[Step]) -> Decision:
    """All grants, or only the best for each unit and for the bill; of equals the first."""
    kept, lost = list(grants), list(missed)
    if settings.stacking == "best":
        best: dict[str, Grant] = {}
        for grant in kept:
            known = best.get(grant.unit)
            if known is None or _worth(grant) > _worth(known):
                best[grant.unit] = grant
        message = N_("“{rule}” gives less than “{better}”.")
        for grant in kept:
            better = best[grant.unit].promotion
            if better.key != grant.promotion.key:
                lost.append(replace(_missed(grant.promotion, message), params=_names(grant.promotion, better)))
        kept = [grant for grant in kept if best[grant.unit] is grant]
    return Decision(tuple(kept), tuple(lost))


def _worth(grant: Grant) -> int:
    return grant.units if grant.unit else grant.cost_minor


def _names(promotion: Promotion, better: Promotion) -> dict[str, str]:
    return {"rule": promotion.title, "better": better.title}


def _missed(promotion: Promotion, message: str) -> Step:
    return Step("missed", message, {"rule": promotion.title})
