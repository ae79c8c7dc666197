"""The rules of promotions: what fits, what it gives, what is left, what is given back. Pure and exact."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.sdk import Enrolment, EntryDraft, Item, Proposal, Purchase, Reversal
from regulars.testing.contexts import NOON, ledger_context, tenant_snapshot
from regulars_promotions.hooks import Hooks
from regulars_promotions.settings import PromotionSettings

HOOKS = Hooks()
SALE = UUID(int=77)
TEN_EURO = Purchase(amount_minor=1000)
NOTHING = {"usage": [], "bought_before": False}


def context(*promotions, at=NOON, features=("promotions.advanced",), segments=(), **settings):
    rows = [{"title": f"P{number}", **row} for number, row in enumerate(promotions, 1)]
    tenant = tenant_snapshot(features=frozenset(features))
    ctx = ledger_context(PromotionSettings(promotions=rows, **settings), now=at, tenant=tenant)
    return replace(ctx, sale_id=SALE, segments=frozenset(segments))


def base(amount, unit="points", **draft):
    return Proposal(unit, EntryDraft(unit, amount, "purchase", **draft))


def facts(bought_before=False, **used):
    """`p1_uses=3` of everybody, `my_p1=1` of the member."""
    rows = []
    for name, number in used.items():
        mine = name.startswith("my_")
        promotion, what = (name.removeprefix("my_"), "uses") if mine else name.split("_")
        rows.append([str(UUID(int=4)) if mine else "", promotion, what, number])
    return {"usage": rows, "bought_before": bought_before}


def given_units(ctx, purchase=TEN_EURO, known=NOTHING, proposals=None):
    return [
        (one.draft.rule, one.draft.unit, one.draft.amount)
        for one in HOOKS.adjust_earn(ctx, purchase, proposals or (base(100),), known)
        if one.plugin == "promotions"
    ]


def missed(ctx, purchase=TEN_EURO, known=NOTHING):
    first = HOOKS.adjust_earn(ctx, purchase, (base(100),), known)[0]
    return [step.message for step in first.draft.steps if step.kind == "missed"]


def benefits(ctx, purchase=TEN_EURO, known=NOTHING):
    outcome = HOOKS.sale_posted(ctx, purchase, (), known)
    return [(one.key, one.amount_minor or one.item) for one in outcome.benefits] if outcome else []


def counted(outcome):
    write = next(write for write in outcome.writes if write.name == "counted")
    assert write.contended is True
    return [(row["scope"], row["promotion"], row["what"], row["used"], row["most"]) for row in write.rows]


BONUS = {"kind": "bonus_points", "units": 50}
DOUBLE = {"kind": "multiplier", "percent": 200}
TENTH = {"kind": "discount_percent", "percent": 10}
FIVER = {"kind": "discount_fixed", "amount_minor": 500}
COFFEE = {"kind": "free_item", "item": "Espresso", "item_cost_minor": 60}
ME = str(UUID(int=4))


@pytest.mark.parametrize(
    ("promotion", "units"),
    [
        (BONUS, 50),
        (DOUBLE, 100),
        ({"kind": "multiplier", "percent": 150}, 50),
        ({"kind": "multiplier", "percent": 101}, 1),
        ({**DOUBLE, "categories": ["bakery"]}, 25),
    ],
)
def test_units_come_on_top(promotion, units):
    purchase = Purchase(amount_minor=1000, items=(Item("b", "Bread", "Bakery", 1, 250),))
    assert given_units(context(promotion), purchase) == [("promotion_p1", "points", units)]


def test_the_draft_says_how_it_came_about():
    *_, one = HOOKS.adjust_earn(context({**DOUBLE, "title": "Double Tuesday"}), TEN_EURO, [base(100)], NOTHING)
    assert (one.draft.counts_for_limits, one.draft.explanation) == (
        False,
        {"promotion": "double_tuesday", "title": "Double Tuesday"},
    )
    (step,) = one.draft.steps
    assert step.message.format(**step.params) == "“Double Tuesday” makes 200 % of 100."
    assert (step.kind, step.change) == ("multiplied", 100)


def test_gifts_are_not_multiplied_and_multipliers_do_not_multiply_each_other():
    proposals = (base(100), base(40, counts_for_limits=False))
    assert given_units(context(DOUBLE, {"kind": "multiplier", "percent": 150}), proposals=proposals) == [
        ("promotion_p1", "points", 100),
        ("promotion_p2", "points", 50),
    ]


def test_a_purchase_that_gives_two_units():
    both = (base(100), base(2, "stamps"))
    assert given_units(context(DOUBLE, {**DOUBLE, "unit": "stamps"}, {**BONUS, "unit": "miles"}), proposals=both) == [
        ("promotion_p1", "points", 100),
        ("promotion_p2", "stamps", 2),
    ]


@pytest.mark.parametrize(
    ("promotion", "purchase", "taken"),
    [
        (TENTH, Purchase(amount_minor=1000), [("p1", 100)]),
        (TENTH, Purchase(amount_minor=19), [("p1", 1)]),
        (TENTH, Purchase(amount_minor=9), []),
        ({**TENTH, "percent": 100}, Purchase(amount_minor=1000), [("p1", 1000)]),
        (FIVER, Purchase(amount_minor=1000), [("p1", 500)]),
        (FIVER, Purchase(amount_minor=300), [("p1", 300)]),
        (FIVER, Purchase(), []),
        (FIVER, Purchase(amount_minor=0), []),
        (COFFEE, Purchase(), [("p1", "Espresso")]),
        (
            {**TENTH, "categories": ["bakery"]},
            Purchase(amount_minor=1000, items=(Item("b", "Bread", "bakery", 1, 400),)),
            [("p1", 40)],
        ),
    ],
)
def test_the_bill(promotion, purchase, taken):
    assert benefits(context(promotion), purchase) == taken


def test_discounts_take_their_share_of_what_is_left_and_never_more():
    assert benefits(context(FIVER, {**TENTH, "percent": 50}, FIVER)) == [("p1", 500), ("p2", 250), ("p3", 250)]


def test_the_best_for_points_and_the_best_for_the_bill():
    ctx = context(BONUS, DOUBLE, TENTH, FIVER, COFFEE, stacking="best")
    assert given_units(ctx) == [("promotion_p2", "points", 100)]
    assert benefits(ctx) == [("p4", 500)]
    assert missed(ctx) == ["“{rule}” gives less than “{better}”."] * 3


def test_of_equals_the_first_is_the_best():
    assert benefits(context(FIVER, FIVER, stacking="best")) == [("p1", 500)]


@pytest.mark.parametrize(
    ("conditions", "known", "message"),
    [
        ({"min_amount_minor": 1001}, NOTHING, "“{rule}” asks for a larger amount."),
        ({"days": "wed"}, NOTHING, "“{rule}” does not hold on this day."),
        ({"from_time": time(16), "to_time": time(18)}, NOTHING, "“{rule}” does not hold at this hour."),
        ({"starts_on": date(2026, 3, 11)}, NOTHING, "“{rule}” has not begun yet."),
        ({"segments": ["gold"]}, NOTHING, "“{rule}” is for other customers."),
        ({"first_purchase": True}, facts(bought_before=True), "“{rule}” is for the first purchase."),
        ({"max_uses": 3}, facts(p1_uses=3), "“{rule}” is used up."),
        ({"max_uses_per_member": 1}, facts(my_p1=1), "“{rule}” was used as often as one customer may."),
        ({"budget_units": 10}, facts(p1_units=10), "“{rule}” is used up."),
        ({"not_after": "other"}, facts(my_other=1), "“{rule}” is not for those who had another promotion before."),
    ],
)
def test_each_reason_to_give_nothing(conditions, known, message):
    ctx = context({**BONUS, **conditions})
    assert (given_units(ctx, known=known), missed(ctx, known=known)) == ([], [message])


@pytest.mark.parametrize("quiet", [{"active": False}, {"ends_on": date(2026, 3, 9)}])
def test_what_is_switched_off_or_over_is_not_spoken_of(quiet):
    ctx = context({**BONUS, **quiet})
    assert (given_units(ctx), missed(ctx)) == ([], [])


@pytest.mark.parametrize(
    ("hour", "given"),
    [(14, []), (15, [("promotion_p1", "points", 100)]), (16, [("promotion_p1", "points", 100)]), (17, [])],
)
def test_a_happy_hour_goes_by_the_programs_clock(hour, given):
    happy = {**DOUBLE, "from_time": time(16), "to_time": time(18)}  # Luxembourg is one hour ahead
    assert given_units(context(happy, at=datetime(2026, 3, 10, hour, tzinfo=UTC))) == given


def test_some_customers_or_shops_only_need_the_larger_plan():
    gold = {**BONUS, "segments": ["gold"]}
    assert given_units(context(gold, segments=("gold",))) == [("promotion_p1", "points", 50)]
    small = context(gold, segments=("gold",), features=("promotions.basic",))
    assert (given_units(small), missed(small)) == ([], ["“{rule}” needs another plan."])


@pytest.mark.parametrize(
    ("promotion", "known", "given"),
    [
        ({**BONUS, "budget_units": 1000}, facts(p1_units=970), 30),
        ({**BONUS, "budget_minor": 100}, facts(p1_money=90), 20),
        ({**DOUBLE, "budget_units": 1000}, facts(p1_units=1), 100),
    ],
)
def test_the_last_one_gets_what_is_left(promotion, known, given):
    assert given_units(context(promotion, hundred_units_minor=50), known=known) == [("promotion_p1", "points", given)]


def test_the_last_discount_gets_what_is_left_and_an_item_is_whole_or_not():
    assert benefits(context({**FIVER, "budget_minor": 2000}), known=facts(p1_money=1700)) == [("p1", 300)]
    assert benefits(context({**COFFEE, "budget_minor": 100}), known=facts(p1_money=40)) == [("p1", "Espresso")]
    assert benefits(context({**COFFEE, "budget_minor": 100}), known=facts(p1_money=41)) == []


def test_an_enrolment_is_no_purchase():
    ctx = context(BONUS)
    assert HOOKS.adjust_earn(ctx, Enrolment(), (base(5),), NOTHING) == (base(5),)
    assert HOOKS.sale_posted(ctx, Enrolment(), (base(5),), NOTHING) is None


def test_what_is_used_is_counted_and_kept():
    ctx = context(
        {**BONUS, "budget_units": 1000, "max_uses_per_member": 2}, {**FIVER, "max_uses": 9}, hundred_units_minor=70
    )
    proposals = HOOKS.adjust_earn(ctx, TEN_EURO, [base(100)], NOTHING)
    cut = [*proposals[:-1], replace(proposals[-1], draft=replace(proposals[-1].draft, amount=30))]  # by somebody's cap
    outcome = HOOKS.sale_posted(ctx, TEN_EURO, cut, NOTHING)
    assert counted(outcome) == [
        ("", "p1", "money", 21, None),
        ("", "p1", "units", 30, 1000),
        ("", "p1", "uses", 1, None),
        ("", "p2", "money", 500, None),
        ("", "p2", "uses", 1, 9),
        (ME, "p1", "uses", 1, 2),
        (ME, "p2", "uses", 1, None),
    ]
    first, second = outcome.writes[1].rows
    assert (first["promotion"], first["units"], first["cost_minor"], first["sale_id"]) == ("p1", 30, 21, str(SALE))
    assert (second["promotion"], second["discount_minor"], second["cost_minor"], second["currency"]) == (
        "p2",
        500,
        500,
        "EUR",
    )


def test_a_bonus_that_was_capped_away_is_not_counted():
    ctx = context(BONUS)
    (first, bonus) = HOOKS.adjust_earn(ctx, TEN_EURO, [base(100)], NOTHING)
    nothing = replace(bonus, draft=replace(bonus.draft, amount=0))
    assert HOOKS.sale_posted(ctx, TEN_EURO, [first, nothing], NOTHING) is None


def known(units=50, cost=25, units_returned=0, cost_returned=0):
    return {
        "promotion": "p1",
        "unit": "points",
        "item": "",
        "units": units,
        "cost_minor": cost,
        "units_returned": units_returned,
        "cost_returned_minor": cost_returned,
    }


def reverse(reversal, *participations):
    return HOOKS.reversal_posted(context(BONUS), reversal, {"participations": list(participations)})


def taken(units, left=0, whole=1):
    return Reversal(left, whole, {("promotions", "points", "promotion_p1"): units, ("points", "points", "purchase"): 9})


def test_undoing_gives_everything_back():
    outcome = reverse(taken(50), known())
    assert counted(outcome) == [
        ("", "p1", "money", -25, None),
        ("", "p1", "units", -50, None),
        ("", "p1", "uses", -1, None),
        (ME, "p1", "uses", -1, None),
    ]
    (row,) = outcome.writes[1].rows
    assert (row["units_returned"], row["cost_returned_minor"], row["returned_at"]) == (50, 25, NOON.isoformat())


def test_a_part_gives_its_part_back_and_the_last_part_the_rest():
    part = reverse(taken(20, 3, 5), known())
    assert counted(part) == [("", "p1", "money", -10, None), ("", "p1", "units", -20, None)]
    assert part.writes[1].rows[0]["returned_at"] is None
    rest = reverse(taken(30, 1, 5), known(units_returned=20, cost_returned=10))
    assert counted(rest) == [
        ("", "p1", "money", -15, None),
        ("", "p1", "units", -30, None),
        ("", "p1", "uses", -1, None),
        (ME, "p1", "uses", -1, None),
    ]


def test_what_was_spent_and_let_go_is_not_given_back():
    """Who keeps the units has used the promotion."""
    assert counted(reverse(taken(20), known())) == [("", "p1", "money", -10, None), ("", "p1", "units", -20, None)]
    assert reverse(Reversal(), known()) is None


def test_money_off_comes_back_in_proportion_and_an_item_with_the_whole():
    discount = known(units=0, cost=100)
    assert counted(reverse(Reversal(2, 3), discount)) == [("", "p1", "money", -33, None)]
    rest = reverse(Reversal(), discount | {"cost_returned_minor": 33})
    assert counted(rest) == [("", "p1", "money", -67, None), ("", "p1", "uses", -1, None), (ME, "p1", "uses", -1, None)]
    item = known(units=0, cost=60) | {"item": "Espresso"}
    assert reverse(Reversal(2, 3), item) is None
    assert [row[3] for row in counted(reverse(Reversal(), item))] == [-60, -1, -1]


def test_what_concerns_no_promotion_gives_nothing_back():
    assert reverse(Reversal(taken={("points", "points", "purchase"): 20}, left=1, whole=2), known()) is None
    assert HOOKS.reversal_posted(context(BONUS), Reversal(), {"participations": None}) is None
    assert HOOKS.reversal_posted(context(BONUS), None, {"participations": [known()]}) is None, "a redemption"


@given(
    st.integers(1, 500),
    st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=60),
    st.sampled_from([None, 0, 33, 100]),
)
def test_a_budget_is_never_exceeded_and_used_up_when_there_is_demand(budget, sales, hundred):
    """Sales and undos in any order: what is out never exceeds the budget, and no sale gets less than it could."""
    used = {"uses": 0, "units": 0, "money": 0}
    standing = []
    for amount, is_undo in sales:
        ctx = context({**DOUBLE, "budget_units": budget}, hundred_units_minor=hundred)
        if is_undo and standing:
            units, cost = standing.pop()
            outcome = reverse(taken(units), known(units, cost))
        else:
            facts_now = {"usage": [["", "p1", what, number] for what, number in used.items()], "bought_before": True}
            proposals = HOOKS.adjust_earn(ctx, TEN_EURO, [base(amount)], facts_now)
            got = sum(one.draft.amount for one in proposals if one.plugin == "promotions")
            assert got == min(amount, budget - used["units"])
            outcome = HOOKS.sale_posted(ctx, TEN_EURO, proposals, facts_now)
            if outcome:
                standing.append((got, outcome.writes[1].rows[0]["cost_minor"]))
        for scope, _, what, number, _ in counted(outcome) if outcome else ():
            if scope == "":
                used[what] += number
        assert 0 <= used["units"] <= budget
    assert used == {
        "uses": len(standing),
        "units": sum(units for units, _ in standing),
        "money": sum(cost for _, cost in standing),
    }


@given(
    st.integers(0, 10**6),
    st.lists(
        st.one_of(
            st.builds(lambda p: {"kind": "discount_percent", "percent": p}, st.integers(1, 100)),
            st.builds(lambda a: {"kind": "discount_fixed", "amount_minor": a}, st.integers(1, 10**6)),
        ),
        max_size=6,
    ),
    st.sampled_from(["all", "best"]),
)
def test_discounts_never_exceed_the_bill(amount, promotions, stacking):
    found = benefits(context(*promotions, stacking=stacking), Purchase(amount_minor=amount))
    assert 0 <= sum(off for _, off in found) <= amount
