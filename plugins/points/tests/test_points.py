"""The rules of points: rates, rules, rounding, what is carried over, limits, expiry, and what the API answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from regulars.sdk import (
    AccountState,
    Birthday,
    Enrolment,
    EntryDraft,
    Item,
    Outcome,
    PostedEntry,
    Proposal,
    Purchase,
    Refusal,
    Reversal,
    RewardOffer,
    Step,
    Write,
)
from regulars.testing.contexts import NOON, ledger_context, program_info
from regulars_points.earning import POINT, earning_of
from regulars_points.hooks import Hooks
from regulars_points.reward import Gift
from regulars_points.settings import PointSettings
from regulars_points.unit import PointBody, PointUnit

HOOKS = Hooks()
UNIT = PointUnit()
NOTHING = {"carry": 0, "today": 0, "waiting": 0, "is_first": False}
SATURDAY = datetime(2026, 3, 14, 11, tzinfo=UTC)
BREAD = Item("b1", "Bread", "Bakery", 1, 400)
MILK = Item("m1", "Milk", "dairy", 2, 600)


def context(balance=0, *, lifetime=None, now=NOON, currency="EUR", **settings):
    account = AccountState("points", balance, balance if lifetime is None else lifetime, 1, NOON)
    program = program_info(currency=currency)
    return ledger_context(PointSettings(**settings), account, now=now, program=program)


def paid(minor, *items, currency="EUR"):
    return Purchase(amount_minor=minor, currency=currency, items=items)


def points(purchase, *, carried=0, first=False, **settings):
    found = earning_of(context(**settings), purchase, carried, is_first=first)
    assert sum(step.change for step in found.steps) == found.points
    return found.points


def rule(**values):
    return {"rules": [{"title": "Rule", **values}]}


def test_the_sale_of_the_brief():
    assert HOOKS.earn(context(500), paid(2500), NOTHING) == (
        EntryDraft(
            "points",
            250,
            "purchase",
            {"amount_minor": 2500, "currency": "EUR", "carry": 0},
            steps=(
                Step(
                    "given",
                    "{rate} points for each {currency} of {amount}.",
                    {
                        "rate": "10",
                        "amount": {"minor": 2500, "currency": "EUR"},
                        "currency": {"currency": "EUR"},
                    },
                    250,
                ),
            ),
        ),
    )
    answer = UNIT.answer_earn(context(), AccountState("points", 750, 750), 250, None)
    assert answer.model_dump() == {
        "success": True,
        "points_earned": 250,
        "points_balance": 750,
        "points_until_reward": 0,
        "message": "+250 points!",
    }


@pytest.mark.parametrize(
    ("minor", "rate", "currency", "expected"),
    [
        (2500, "10", "EUR", 250),
        (2599, "10", "EUR", 259),
        (9, "10", "EUR", 0),
        (10, "10", "EUR", 1),
        (2500, "0.5", "EUR", 12),
        (2500, "0", "EUR", 0),
        (2500, "10", "JPY", 25000),
        (2500, "10", "KWD", 25),
        (10**11, "10000", "EUR", 10**11),
    ],
)
def test_rates(minor, rate, currency, expected):
    assert points(paid(minor, currency=currency), rate=rate, currency=currency) == expected


def test_categories_have_rates_of_their_own_and_lines_never_count_for_more_than_was_paid():
    rates = {"category_rates": [{"category": "bakery", "rate": 20}, {"category": "tobacco", "rate": 0}]}
    assert points(paid(1000, BREAD, MILK), **rates) == 4 * 20 + 6 * 10
    assert points(paid(2000, BREAD), **rates) == 4 * 20 + 16 * 10
    assert points(paid(300, BREAD, MILK), **rates) == 3 * 20
    assert points(paid(600, replace(MILK, category="Tobacco ")), **rates) == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"type": "fixed", "value": 50}, 150),
        ({"type": "percentage", "value": 10}, 101),
        ({"type": "multiplier", "value": 200}, 200),
        ({"type": "multiplier", "value": 200, "categories": ["bakery"]}, 140),
        ({"type": "percentage", "value": 100, "products": ["m1"]}, 106),
        ({"type": "dynamic", "formula": "items * 7 + if(weekday == 2, 1, 0)"}, 122),
        ({"type": "dynamic", "formula": "0 - 50"}, 100),
        ({"type": "fixed", "value": 50, "days": "sat"}, 100),
        ({"type": "fixed", "value": 50, "first_purchase": True}, 100),
        ({"type": "fixed", "value": 50, "categories": ["fish"]}, 100),
    ],
)
def test_rules_add_to_what_rates_give(values, expected):
    assert points(paid(1000, BREAD, MILK), **rule(**values)) == expected


def test_two_doubles_are_a_triple():
    doubles = [{"title": f"Double {day}", "type": "multiplier", "value": 200} for day in (1, 2)]
    assert points(paid(1000), rules=doubles) == 300


def test_steps_say_what_matched_and_what_missed():
    rules = [
        {"title": "Saturdays", "type": "multiplier", "value": 200, "days": "sat"},
        {"title": "Big", "type": "fixed", "value": 50, "min_amount_minor": 5000},
        {"title": "Half", "type": "dynamic", "formula": "1 / 0"},
    ]
    found = earning_of(context(now=SATURDAY, rules=rules), paid(1000), 0, is_first=False)
    assert [(step.kind, step.message, step.change) for step in found.steps] == [
        ("given", "{rate} points for each {currency} of {amount}.", 100),
        ("multiplied", "“{rule}” makes it {value} percent.", 100),
        ("missed", "“{rule}” asks for a larger amount.", 0),
        ("added", "“{rule}” adds {value} points.", 0),
        ("missed", "“{rule}” divides by nothing, which gives 0.", 0),
    ]


def test_a_rule_that_rests_gives_nothing_to_the_same_customer_and_says_so():
    waits = {"rules": [{"title": "Daily", "value": 5, "cooldown_hours": 24}, {"title": "Always", "value": 1}]}

    def given_after(hours):
        last = {"daily": (NOON - timedelta(hours=hours)).isoformat()}
        found = earning_of(context(**waits), paid(1000), 0, is_first=False, used=last)
        return found.points, found.used, [step.message for step in found.steps if step.kind == "missed"]

    assert given_after(24) == (106, ("daily",), [])
    assert given_after(23) == (101, (), ["“{rule}” gives only once in {hours} h."])


@pytest.mark.parametrize(
    ("rounding", "amounts", "carrying", "alone"),
    [
        ("down", (3, 3, 4), (0, 0, 1), (0, 0, 0)),
        ("nearest", (4, 4, 2), (0, 1, 0), (0, 0, 0)),
        ("nearest", (5, 5, 5), (1, 0, 1), (1, 1, 1)),
        ("up", (1, 1, 9), (1, 0, 1), (1, 1, 1)),
    ],
)
def test_rounding(rounding, amounts, carrying, alone):
    for carry_over, expected in ((True, carrying), (False, alone)):
        settings, carried, given_ = context(rounding=rounding, carry_over=carry_over), 0, []
        for minor in amounts:
            found = earning_of(settings, paid(minor), carried, is_first=False)
            carried += found.carry
            given_.append(found.points)
        assert tuple(given_) == expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=20),
    st.sampled_from(["down", "nearest", "up"]),
    st.decimals(0, 100, places=2),
    st.lists(st.tuples(st.sampled_from(["percentage", "multiplier"]), st.integers(101, 500)), max_size=2),
)
def test_splitting_a_sale_never_gains_nor_loses(amounts, rounding, rate, kinds):
    """Many small sales give exactly what one large sale gives, and what is carried over stays below a point."""
    rules = [{"title": f"R{at}", "type": kind, "value": value} for at, (kind, value) in enumerate(kinds)]
    ctx, carried, total = context(rate=rate, rounding=rounding, rules=rules), 0, 0
    for minor in amounts:
        found = earning_of(ctx, paid(minor), carried, is_first=False)
        carried, total = carried + found.carry, total + found.points
        assert abs(carried) < POINT
    assert total == earning_of(ctx, paid(sum(amounts)), 0, is_first=False).points


def test_a_sale_that_is_too_small_earns_nothing_and_carries_nothing():
    found = earning_of(context(min_amount_minor=500), paid(499), POINT // 2, is_first=False)
    assert (found.points, found.carry, found.steps[0].message) == (0, 0, "The sale is too small to earn points.")
    assert points(paid(500), min_amount_minor=500) == 50


def test_a_sale_without_amount_is_none_of_ours():
    assert HOOKS.earn(context(), Purchase(3), NOTHING) == ()
    assert HOOKS.sale_posted(context(), ()) is None
    assert HOOKS.check_earn(context(), Purchase(3)) is None


def test_slips_of_the_finger_are_refused():
    assert HOOKS.check_earn(context(), paid(500_000)) is None
    assert HOOKS.check_earn(context(), paid(500_001)) == Refusal(
        "points.amount_too_large",
        "This amount is larger than a sale can be here. Please check it.",
        {"limit_minor": 500_000},
        422,
    )


def test_gifts():
    gifts = context(welcome_points=50, birthday_points=100)
    assert HOOKS.earn(gifts, Enrolment(), NOTHING) == (EntryDraft("points", 50, "welcome", counts_for_limits=False),)
    assert HOOKS.earn(gifts, Birthday(2026), NOTHING) == (
        EntryDraft("points", 100, "birthday", counts_for_limits=False),
    )
    assert HOOKS.earn(context(), Enrolment(), NOTHING) == ()


def proposal(amount, plugin="points", *, counts=True, unit="points"):
    return Proposal(plugin, EntryDraft(unit, amount, "rule", counts_for_limits=counts))


@pytest.mark.parametrize(
    ("settings", "facts", "lifetime", "amounts"),
    [
        ({}, {}, 0, [400, 300, 5, 70]),
        ({"max_per_sale": 500}, {}, 0, [400, 100, 5, 70]),
        ({"max_per_sale": 300}, {}, 0, [300, 0, 5, 70]),
        ({"max_per_day": 1000}, {"today": 350}, 0, [400, 250, 5, 70]),
        ({"max_per_day": 1000}, {"today": 1200}, 0, [0, 0, 5, 70]),
        ({"max_per_member": 1000}, {"waiting": 100}, 600, [300, 0, 5, 70]),
        ({"max_per_sale": 650, "max_per_day": 600}, {"today": 100}, 0, [400, 100, 5, 70]),
    ],
)
def test_limits_hold_for_what_others_gave_too(settings, facts, lifetime, amounts):
    given_ = (
        proposal(400),
        proposal(300, "promotions"),
        proposal(5, "stamps", unit="stamps"),
        proposal(70, counts=False),
    )
    capped = HOOKS.cap_earn(context(lifetime=lifetime, **settings), paid(1000), given_, NOTHING | facts)
    assert [one.draft.amount for one in capped] == amounts
    assert all(
        one.draft.steps[-1].kind == "capped" for one, before in zip(capped, given_, strict=True) if one != before
    )


def posted(amount, kind="earn", rule="purchase", **details):
    return PostedEntry(UUID(int=9), "points", kind, amount, 0, 0, rule, "points", details)


def test_what_is_carried_over_is_written_and_taken_back():
    ctx, sale = replace(context(), sale_id=UUID(int=7)), str(UUID(int=7))

    def writes(change, name, left):
        return Outcome(writes=(Write("carried", [{"parts": change}]), Write(name, [{"sale_id": sale, "parts": left}])))

    def posted_sale(minor):
        (draft,) = HOOKS.earn(ctx, paid(minor), NOTHING)
        return HOOKS.sale_posted(ctx, [Proposal("points", draft), proposal(3, "promotions")])

    assert posted_sale(2599) == writes(90 * POINT // 100, "of_sale", 90 * POINT // 100)
    assert posted_sale(2500) is None
    part, gave, took = Reversal(1, 2), NOTHING | {"of_sale": 7}, NOTHING | {"of_sale": -7}
    assert HOOKS.reversal_posted(ctx, Reversal(), gave) == writes(-7, "left_of_sale", 0)
    assert HOOKS.reversal_posted(ctx, part, gave) == writes(-7, "left_of_sale", 0)
    assert HOOKS.reversal_posted(ctx, Reversal(), took) == writes(7, "left_of_sale", 0)
    assert HOOKS.reversal_posted(ctx, part, took) is None
    assert HOOKS.reversal_posted(ctx, None, NOTHING) is None, "a redemption"


@pytest.mark.parametrize(
    ("now", "zone", "expires"),
    [
        (datetime(2026, 3, 10, 11, tzinfo=UTC), "Europe/Luxembourg", datetime(2026, 3, 31, 22, tzinfo=UTC)),
        (datetime(2028, 2, 8, 11, tzinfo=UTC), "Europe/Luxembourg", datetime(2028, 2, 29, 23, tzinfo=UTC)),
        (datetime(2026, 3, 10, 23, 30, tzinfo=UTC), "Europe/Luxembourg", datetime(2026, 4, 1, 22, tzinfo=UTC)),
        (datetime(2026, 10, 10, 11, tzinfo=UTC), "Europe/Vilnius", datetime(2026, 10, 31, 22, tzinfo=UTC)),
    ],
)
def test_points_expire_at_the_end_of_a_day_of_the_programs_zone(now, zone, expires):
    ctx = ledger_context(PointSettings(expiry="age", expiry_days=21), now=now, program=program_info(timezone=zone))
    assert UNIT.expires_at(ctx) == expires
    assert UNIT.expires_at(context(expiry="inactivity")) is None
    assert (UNIT.idle_days(PointSettings(expiry="inactivity", expiry_days=90)), UNIT.idle_days(PointSettings())) == (
        90,
        None,
    )


def test_points_may_wait_and_may_be_owed():
    assert UNIT.pending_until(context()) is None
    assert UNIT.pending_until(context(pending_days=14)) == datetime(2026, 3, 24, 11, tzinfo=UTC)
    assert UNIT.floor(PointSettings(max_debt=300)) == -300
    assert UNIT.floor(PointSettings(refund_policy="clip")) == 0


def test_the_reward_costs_what_it_costs():
    assert Gift().offers(context(450, reward_value_minor=300), {}) == (
        RewardOffer("points.gift", "", "free drink", "points", 500, 300, ready=False, missing=50),
    )
    ctx = context(750)
    (offer,) = Gift().offers(ctx, {})
    assert UNIT.answer_redeem(ctx, AccountState("points", 250, 750), offer).model_dump() == {
        "success": True,
        "points_redeemed": 500,
        "points_balance": 250,
        "reward": "free drink",
        "message": "−500 points, balance 250 points.",
    }


@pytest.mark.parametrize(
    ("balance", "message", "ready", "close"),
    [
        (0, "500 points until your free drink!", False, False),
        (399, "101 points until your free drink!", False, False),
        (400, "100 points until your free drink!", False, True),
        (499, "1 point until your free drink!", False, True),
        (1250, "Your free drink is ready!", True, False),
        (-20, "520 points until your free drink!", False, False),
    ],
)
def test_progress(balance, message, ready, close):
    progress = UNIT.progress(AccountState("points", balance, 0), PointSettings())
    assert (progress.count, progress.message, progress.ready, progress.close) == (balance, message, ready, close)


def test_rules_get_short_names_that_stay():
    made = PointSettings(rules=[{"title": title, "value": 1} for title in ("Happy hour", "Happy hour", "Žalia!")])
    assert [one.key for one in made.rules] == ["happy_hour", "happy_hour_2", "alia"]
    again = PointSettings.model_validate(made.model_dump(mode="json"))
    assert again == made


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (rule(type="fixed"), "A number above 0 is needed"),
        (rule(type="multiplier", value=100), "above 100 percent"),
        (rule(type="dynamic", formula="amount +"), "ends too early"),
        ({"rules": [{"title": "A", "value": 1, "key": "a"}] * 2}, "same short name"),
        ({"category_rates": [{"category": "a", "rate": 1}, {"category": "A ", "rate": 2}]}, "two rates"),
        ({"rate": Decimal("0.001")}, "2 decimal places"),
        ({"rate": -1}, "greater than or equal"),
        ({"max_per_sale": 0}, "greater than or equal"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, sentence):
    with pytest.raises(ValidationError, match=sentence):
        PointSettings(**wrong)


def test_the_body_has_nothing_of_its_own():
    assert UNIT.purchase(PointBody()) == Purchase()
    with pytest.raises(ValidationError):
        PointBody.model_validate({"points": 5})
