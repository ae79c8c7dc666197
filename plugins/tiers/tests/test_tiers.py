"""The rules of tiers: reaching, keeping, losing, and what a tier brings."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from regulars.sdk import (
    Birthday,
    Enrolment,
    EntryDraft,
    PostedEntry,
    Proposal,
    Purchase,
    Refusal,
    RewardOffer,
    Step,
)
from regulars.testing.contexts import NOON, ledger_context, program_info, tenant_snapshot
from regulars_tiers.hooks import Hooks
from regulars_tiers.segments import Reached
from regulars_tiers.settings import Tier, TierSettings, slug
from regulars_tiers.standing import Standing, after_gain, after_reversal, at_review, next_tier, reached, whole

HOOKS = Hooks()
SETTINGS = TierSettings()
DAY = timedelta(days=1)


def facts(tier="", value=0, previous=0, **more):
    stored = {"tier": tier, "since": NOON.isoformat(), "keep_until": None, "told_at": None, "granted": "", **more}
    return {"standing": stored if tier else None, "count": {"value": value, "previous": previous}}


def points(amount, **more):
    return Proposal("points", EntryDraft("points", amount, "rate", **more))


def entry(amount, unit="points"):
    return PostedEntry(UUID(int=9), unit, "earn", amount, amount, amount, "rate", unit)


@pytest.mark.parametrize(
    ("amount", "granted", "key"),
    [(0, "", "bronze"), (499, "", "bronze"), (500, "", "silver"), (1999, "", "silver"), (2000, "", "gold"),
     (0, "silver", "silver"), (2000, "silver", "gold"), (0, "platinum", "bronze")],
)  # fmt: skip
def test_the_highest_tier_of_an_amount(amount, granted, key):
    assert reached(SETTINGS, amount, granted).key == key


def test_nothing_is_reached_below_the_ladder():
    settings = TierSettings(ladder=[Tier(title="Gold", threshold=10)])
    assert reached(settings, 9) is None
    assert next_tier(settings, 9, "") == settings.ladder[0]
    assert next_tier(settings, 10, "gold") is None


def test_up_at_once_and_never_down_by_coming():
    held = Standing("silver", NOON)
    assert after_gain(SETTINGS, held, 2000, NOON + DAY) == Standing("gold", NOON + DAY)
    assert after_gain(SETTINGS, held, 100, NOON + DAY) == held
    in_grace = Standing("silver", NOON, NOON + DAY, NOON)
    assert after_gain(SETTINGS, in_grace, 500, NOON) == Standing("silver", NOON)
    assert after_gain(SETTINGS, in_grace, 499, NOON) == in_grace


def test_what_a_sale_brought_goes_with_it_at_once_even_where_nobody_is_downgraded():
    forever, held = TierSettings(keep_forever=True), Standing("gold", NOON)
    assert after_reversal(forever, held, 600, 600, NOON + DAY) == Standing("silver", NOON + DAY)
    assert after_reversal(forever, held, 2000, 2000, NOON) == held
    assert after_reversal(SETTINGS, held, 600, 2000, NOON + DAY) == Standing("silver", NOON + DAY)


def test_who_keeps_a_tier_keeps_it_when_something_else_is_taken_back():
    held, in_grace = Standing("gold", NOON), Standing("gold", NOON, NOON + DAY, NOON)
    assert after_reversal(TierSettings(keep_forever=True), held, 600, 2000, NOON) == held
    assert after_reversal(SETTINGS, in_grace, 600, 2000, NOON) == in_grace
    assert after_reversal(SETTINGS, in_grace, 600, 1999, NOON) == Standing("silver", NOON), "it had not been reached"


def test_a_tier_ends_after_grace_and_notice_in_this_order():
    held = Standing("gold", NOON)
    first = at_review(SETTINGS, held, 600, NOON)
    assert first == Standing("gold", NOON, NOON + 30 * DAY)
    assert at_review(SETTINGS, first, 600, NOON + 15 * DAY) == first
    told = at_review(SETTINGS, first, 600, NOON + 16 * DAY)
    assert told == Standing("gold", NOON, NOON + 30 * DAY, NOON + 16 * DAY)
    assert at_review(SETTINGS, told, 600, NOON + 29 * DAY) == told
    assert at_review(SETTINGS, told, 600, NOON + 30 * DAY) == Standing("silver", NOON + 30 * DAY)
    assert at_review(SETTINGS, told, 2000, NOON + 29 * DAY) == held


def test_nobody_falls_who_was_not_told_the_days_before():
    late = at_review(SETTINGS, Standing("gold", NOON, NOON + DAY), 0, NOON + 9 * DAY)
    assert late == Standing("gold", NOON, NOON + 23 * DAY, NOON + 9 * DAY)
    at_once = TierSettings(grace_days=0, notice_days=0)
    told = at_review(at_once, Standing("gold", NOON), 0, NOON)
    assert told == Standing("gold", NOON, NOON, NOON)
    assert at_review(at_once, told, 0, NOON + DAY) == Standing("bronze", NOON + DAY)


def test_never_downgrade_and_tiers_that_are_gone():
    assert at_review(TierSettings(keep_forever=True), Standing("gold", NOON), 0, NOON) == Standing("gold", NOON)
    assert at_review(SETTINGS, Standing("platinum", NOON), 600, NOON + DAY) == Standing("silver", NOON + DAY)


@given(
    st.lists(st.tuples(st.sampled_from(["gain", "back", "night"]), st.integers(0, 900)), max_size=60),
    st.booleans(), st.integers(0, 5), st.integers(0, 5),
)  # fmt: skip
def test_the_stored_tier_is_what_the_count_gives(acts, forever, grace, notice):
    """Whatever happens: never below what is reached, above it only in grace; a fall comes a notice after a mail."""
    settings = TierSettings(keep_forever=forever, grace_days=max(grace, notice), notice_days=notice)
    standing, amount, now = after_gain(settings, Standing(), 0, NOON), 0, NOON
    for act, number in acts:
        before = standing
        if act == "gain":
            amount += number
            standing = after_gain(settings, standing, amount, now)
        elif act == "back":
            amount = max(0, amount - number)
            standing = after_reversal(settings, standing, amount, amount, now)
        else:
            now, amount = now + DAY, max(0, amount - number)  # a day has left the window
            standing = at_review(settings, standing, amount, now)
            if settings.rank(standing.tier) < settings.rank(before.tier):
                assert before.told_at is not None
                assert now - before.told_at >= notice * DAY
                assert not forever
        right = settings.rank(reached(settings, amount).key)
        assert settings.rank(standing.tier) >= right
        if settings.rank(standing.tier) > right and act != "back":
            assert forever or standing.keep_until is not None or act == "gain"


def test_purchases_are_multiplied_by_the_tier_before_them():
    ctx = ledger_context(SETTINGS)
    given = [points(101), points(7, counts_for_limits=False), Proposal("stamps", EntryDraft("stamps", 3, "visit"))]
    changed = HOOKS.adjust_earn(ctx, Purchase(), given, facts("gold"))
    assert [one.draft.amount for one in changed] == [151, 7, 3]
    assert changed[0].draft.steps == (
        Step("multiplied", "×{factor} as {tier}, rounded down.", {"factor": "1.5", "tier": "Gold"}, 50),
    )
    (exact,) = HOOKS.adjust_earn(ctx, Purchase(), [points(100)], facts("silver"))
    assert exact.draft.steps == (Step("multiplied", "×{factor} as {tier}.", {"factor": "1.25", "tier": "Silver"}, 25),)
    for tier, occasion in (("bronze", Purchase()), ("", Purchase()), ("gold", Enrolment())):
        assert list(HOOKS.adjust_earn(ctx, occasion, [points(100)], facts(tier))) == [points(100)]


def test_the_birthday_gift_of_a_tier():
    settings = TierSettings(ladder=[Tier(title="Gold", birthday_gift=50)])
    points_too = tenant_snapshot(enabled=frozenset({"points"}))
    ctx = ledger_context(settings, tenant=points_too, program=program_info(kind="hybrid"))
    (gift,) = HOOKS.adjust_earn(ctx, Birthday(2026), [], facts("gold"))
    assert (gift.plugin, gift.draft.amount, gift.draft.rule, gift.draft.counts_for_limits) == (
        "tiers",
        50,
        "birthday",
        False,
    )
    for other in (ledger_context(settings), ledger_context(settings, tenant=points_too)):
        assert list(HOOKS.adjust_earn(other, Birthday(2026), [], facts("gold"))) == []


def test_a_sale_raises_the_tier_and_announces_it():
    ctx = ledger_context(SETTINGS)
    outcome = HOOKS.sale_posted(ctx, Purchase(), [entry(100), entry(900, "stamps")], facts("bronze", 400))
    assert [(write.name, write.rows[0]["tier"]) for write in outcome.writes] == [
        ("standing", "silver"),
        ("change", "silver"),
    ]
    assert [(event.name, event.payload["tier"], event.payload["before"]) for event in outcome.events] == [
        ("tier_reached", "silver", "bronze")
    ]
    assert HOOKS.sale_posted(ctx, Purchase(), [entry(99)], facts("bronze", 400)) is None
    (write, _change) = HOOKS.sale_posted(ctx, Enrolment(), [], facts()).writes
    assert write.rows[0]["tier"] == "bronze"


@pytest.mark.parametrize(
    ("basis", "value", "tier"), [("spend", 499_99 - 1, None), ("spend", 499_99, "silver"), ("visits", 499, "silver")]
)
def test_spend_and_visits_count_too(basis, value, tier):
    ctx = ledger_context(TierSettings(basis=basis))
    outcome = HOOKS.sale_posted(ctx, Purchase(amount_minor=1), [], facts("bronze", value))
    assert (outcome.writes[0].rows[0]["tier"] if outcome else None) == tier


def test_a_year_holds_to_the_end_of_the_next():
    assert HOOKS.sale_posted(ledger_context(SETTINGS), Purchase(), [entry(1)], facts("gold", 5, 2000)) is None


def test_money_is_compared_in_whole_units_of_the_currency():
    spend = TierSettings(basis="spend")
    assert (whole(spend, 499_99, "EUR"), whole(spend, 499, "JPY"), whole(SETTINGS, 499, "EUR")) == (499, 499, 499)


def test_exclusive_rewards_are_for_their_tier_and_above():
    settings = TierSettings(ladder=[Tier(title="Bronze"), Tier(title="Gold", threshold=9, rewards=("tour",))])
    ctx = ledger_context(settings)
    offer = RewardOffer("rewards.catalogue", "tour", "Tour", "points", 5, None, ready=True, missing=0)
    message, params = "For {tier}: {missing} more.", {"reward": "Tour", "tier": "Gold"}
    refusal = Refusal("tiers.exclusive", message, {**params, "missing": "7 points"})
    assert HOOKS.check_redemption(ctx, offer, facts("bronze", 2)) == refusal
    assert HOOKS.check_redemption(ctx, offer, facts("", 2)) == refusal
    there = Refusal("tiers.exclusive", "{reward} is for those who have reached {tier}.", params)
    assert HOOKS.check_redemption(ctx, offer, facts("bronze", 9)) == there
    assert HOOKS.check_redemption(ctx, offer, facts("gold")) is None


def test_a_reward_that_names_tiers_says_how_far_the_lowest_of_them_is():
    offer = RewardOffer(
        "rewards.catalogue", "tour", "Tour", "points", 5, None, ready=True, missing=0, groups=("tier:gold", "vip")
    )
    refusal = HOOKS.check_redemption(ledger_context(SETTINGS), offer, facts("silver", 600))
    assert (refusal.code, refusal.params["missing"]) == ("tiers.exclusive", "1,400 points")
    vip = ledger_context(SETTINGS, segments=frozenset({"vip"}))
    assert HOOKS.check_redemption(vip, offer, facts("silver", 600)) is None


def test_segments_are_all_tiers_that_were_reached():
    assert Reached().segments(ledger_context(SETTINGS), facts("silver")) == ["tier:bronze", "tier:silver"]
    assert Reached().segments(ledger_context(SETTINGS), facts()) == []


def test_settings_are_sorted_and_keyed():
    settings = TierSettings(ladder=[{"title": "Gold", "threshold": 9}, {"title": "Žalias lygis"}])
    assert [(tier.key, tier.threshold) for tier in settings.ladder] == [("zalias-lygis", 0), ("gold", 9)]
    assert slug("???") == "tier"
    for wrong, sentence in (
        ({"ladder": [{"title": "A"}, {"title": "B"}]}, "Two tiers begin at the same number"),
        ({"ladder": [{"title": "A"}, {"title": "a", "threshold": 1}]}, "Two tiers have the same key"),
        ({"grace_days": 3, "notice_days": 4}, "The notice cannot be longer than the grace"),
    ):
        with pytest.raises(ValidationError, match=sentence):
            TierSettings.model_validate(wrong)
