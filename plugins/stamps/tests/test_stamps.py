"""The rules of stamps: earning, milestones, reward, and what the API answers."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from regulars.sdk import (
    AccountState,
    Enrolment,
    EntryDraft,
    EventDraft,
    Item,
    Outcome,
    PostedEntry,
    Purchase,
    Refusal,
    RewardOffer,
    Write,
)
from regulars.testing.contexts import NOON, ledger_context
from regulars_stamps.hooks import Hooks
from regulars_stamps.reward import FullCard
from regulars_stamps.settings import Milestone, StampSettings
from regulars_stamps.unit import StampBody, StampUnit

HOOKS = Hooks()
UNIT = StampUnit()


def context(balance=0, lifetime=None, **settings):
    account = AccountState("stamps", balance, balance if lifetime is None else lifetime, 1, NOON)
    return ledger_context(StampSettings(**settings), account)


def earn(occasion, reached=(), **state):
    return [
        (draft.amount, draft.rule, draft.counts_for_limits)
        for draft in HOOKS.earn(context(**state), occasion, {"milestones": list(reached)})
    ]


def posted(amount, rule, unit="stamps"):
    return PostedEntry(UUID(int=9), unit, "earn", amount, 0, 0, rule, "stamps")


MILESTONES = [{"at": 50, "bonus": 5}, {"at": 53, "bonus": 1}, {"at": 100, "bonus": 10}]


def test_a_purchase_gives_what_the_till_says():
    assert HOOKS.earn(context(), Purchase(3), {"milestones": []}) == (
        EntryDraft("stamps", 3, "visit", {"quantity": 3}),
    )


COFFEE = Item("c1", "Coffee", "Coffee", 2, 700)
CAKE = Item("k1", "Cake", "cake", 1, 450)


def given_for(purchase, carried=0, **settings):
    [draft] = HOOKS.earn(context(**settings), purchase, {"milestones": [], "carry": carried})
    return draft.amount, draft.explanation.get("carry")


@pytest.mark.parametrize(
    ("purchase", "carried", "settings", "expected"),
    [
        (Purchase(amount_minor=2999, currency="EUR"), 0, {}, (2, 999)),
        (Purchase(amount_minor=1, currency="EUR"), 999, {}, (1, -999)),
        (Purchase(amount_minor=900, currency="EUR"), 0, {}, (0, 900)),
        (Purchase(3), 700, {}, (0, 0)),
        (Purchase(amount_minor=30000, currency="EUR"), 0, {"max_per_sale": 20}, (20, 0)),
        (Purchase(amount_minor=1150, currency="EUR", items=(COFFEE, CAKE)), 400, {"categories": ["coffee"]}, (1, -300)),
    ],
)
def test_stamps_for_money_carry_what_is_left_over(purchase, carried, settings, expected):
    assert given_for(purchase, carried, per="amount", step_minor=1000, **settings) == expected


@pytest.mark.parametrize(
    ("purchase", "settings", "expected"),
    [
        (Purchase(amount_minor=1150, currency="EUR", items=(COFFEE, CAKE)), {}, 3),
        (Purchase(items=(COFFEE, CAKE)), {"categories": ["COFFEE"]}, 2),
        (Purchase(items=(COFFEE, CAKE)), {"products": ["k1"]}, 1),
        (Purchase(items=(CAKE,)), {"categories": ["coffee"]}, 0),
        (Purchase(4), {"categories": ["coffee"]}, 4),
        (Purchase(items=(Item("c1", "Coffee", "coffee", 50, 1),)), {}, 10),
    ],
)
def test_stamps_for_pieces_count_the_lines_or_what_staff_say(purchase, settings, expected):
    assert given_for(purchase, per="item", **settings) == (expected, None)


def test_a_new_card_gets_the_welcome_stamps():
    assert earn(Enrolment()) == [(1, "welcome", False)]
    assert earn(Enrolment(), welcome_stamps=3) == [(3, "welcome", False)]
    assert earn(Enrolment(), welcome_stamps=0) == []


def test_more_than_the_limit_is_refused():
    assert HOOKS.check_earn(context(), Purchase(10)) is None
    assert HOOKS.check_earn(context(), Enrolment()) is None
    assert HOOKS.check_earn(context(max_per_sale=2), Purchase(3)) == Refusal(
        "stamps.too_many",
        "At most {limit} stamps can be given at once, not {quantity}.",
        {"limit": 2, "quantity": 3},
        422,
        None,
    )


@pytest.mark.parametrize(
    ("lifetime", "quantity", "reached", "rules"),
    [
        (48, 1, (), ["visit"]),
        (49, 1, (), ["visit", "milestone_50", "milestone_53"]),
        (40, 9, (), ["visit"]),
        (40, 10, (50,), ["visit"]),
        (40, 13, (50,), ["visit", "milestone_53"]),
        (50, 1, (), ["visit"]),
        (99, 2, (50, 53), ["visit", "milestone_100"]),
        (100, 2, (), ["visit"]),
    ],
)
def test_milestones_are_passed_once(lifetime, quantity, reached, rules):
    drafts = earn(Purchase(quantity), reached, balance=3, lifetime=lifetime, milestones=MILESTONES)
    assert [rule for _, rule, _ in drafts] == rules
    assert [counts for _, _, counts in drafts] == [True] + [False] * (len(rules) - 1)


def test_a_milestone_can_be_passed_by_the_welcome_stamps():
    assert earn(Enrolment(), welcome_stamps=5, milestones=[{"at": 5, "bonus": 2}]) == [
        (5, "welcome", False),
        (2, "milestone_5", False),
    ]


def test_reaching_a_milestone_is_written_and_announced():
    entries = [posted(1, "visit"), posted(5, "milestone_50"), posted(9, "milestone_50", unit="points")]
    ctx, at = context(), "2026-03-10T11:00:00+00:00"
    member = {"card_id": str(ctx.card.id), "member_id": str(ctx.card.member_id)}
    assert HOOKS.sale_posted(ctx, entries, []) == Outcome(
        writes=(Write("reached", [{"unit": "stamps", "threshold": 50, "bonus": 5, "reached_at": at}]),),
        events=[EventDraft("milestone_reached", {**member, "unit": "stamps", "threshold": 50, "bonus": 5})],
    )
    assert HOOKS.sale_posted(ctx, [posted(1, "visit")], []) is None


def test_undoing_takes_the_milestone_back():
    assert HOOKS.reversal_posted(
        context(), [posted(1, "visit"), posted(5, "milestone_50")], None, {"milestones": [50]}
    ) == Outcome(writes=(Write("undone", [{"unit": "stamps", "threshold": 50}]),))
    assert HOOKS.reversal_posted(context(), [posted(1, "visit")], None, {"milestones": [50]}) is None
    assert HOOKS.reversal_posted(context(), [posted(5, "milestone_50")], None, {"milestones": []}) is None, (
        "forgotten before"
    )


@given(
    st.lists(st.tuples(st.integers(1, 10), st.booleans()), max_size=60),
    st.lists(
        st.builds(Milestone, at=st.integers(2, 80), bonus=st.integers(1, 9)), max_size=6, unique_by=lambda m: m.at
    ),
)
def test_no_milestone_counts_twice_whatever_is_undone(actions, milestones):
    """Sales and undos in any order: the noted milestones are those whose bonus is on the card."""
    sales, reached = [], set()
    for quantity, is_undo in actions:
        if is_undo and sales:
            for entry in sales.pop():
                if entry.rule.startswith("milestone_"):
                    reached.remove(int(entry.rule.removeprefix("milestone_")))
            continue
        lifetime = sum(entry.amount for sale in sales for entry in sale)
        drafts = HOOKS.earn(
            context(balance=0, lifetime=lifetime, milestones=milestones),
            Purchase(quantity),
            {"milestones": sorted(reached)},
        )
        entries = [posted(draft.amount, draft.rule) for draft in drafts]
        outcome = HOOKS.sale_posted(context(), entries, [])
        for row in outcome.writes[0].rows if outcome else ():
            assert row["threshold"] not in reached
            reached.add(row["threshold"])
        sales.append(entries)
    total = sum(entry.amount for sale in sales for entry in sale)
    assert reached == {milestone.at for milestone in milestones if milestone.at <= total}


@given(st.integers(0, 40), st.integers(2, 20))
def test_the_reward_costs_exactly_the_target(balance, target):
    assert FullCard().offers(context(balance=balance, target=target, reward_value_minor=450), {}) == (
        RewardOffer(
            kind="stamps.full_card",
            key="",
            title="free coffee",
            unit="stamps",
            cost=target,
            value_minor=450,
            ready=balance >= target,
            missing=max(0, target - balance),
        ),
    )


def test_the_answer_of_the_brief():
    at = datetime(2026, 3, 10, 11, 15, tzinfo=UTC)
    answer = UNIT.answer_earn(context(), AccountState("stamps", 8, 8), 1, at)
    assert answer.model_dump(mode="json") == {
        "success": True,
        "stamp_count": 8,
        "stamps_target": 10,
        "stamps_until_reward": 2,
        "message": "2 more stamps until your free coffee!",
        "next_stamp_available": "2026-03-10T11:15:00Z",
    }
    assert UNIT.answer_earn(context(), AccountState("stamps", 8, 8), 1, None).next_stamp_available is None


def test_the_answer_after_redeeming():
    ctx = context(balance=12)
    (offer,) = FullCard().offers(ctx, {})
    assert UNIT.answer_redeem(ctx, AccountState("stamps", 2, 12), offer).model_dump(mode="json") == {
        "success": True,
        "stamp_count": 2,
        "stamps_target": 10,
        "stamps_until_reward": 8,
        "reward": "free coffee",
        "message": "Reward redeemed: free coffee. Stamps: 2.",
    }


@pytest.mark.parametrize(
    ("balance", "message", "ready", "close"),
    [
        (0, "10 more stamps until your free coffee!", False, False),
        (7, "3 more stamps until your free coffee!", False, False),
        (8, "2 more stamps until your free coffee!", False, True),
        (9, "1 more stamp until your free coffee!", False, True),
        (10, "Your free coffee is ready!", True, False),
        (12, "Your free coffee is ready!", True, False),
    ],
)
def test_progress(balance, message, ready, close):
    progress = UNIT.progress(AccountState("stamps", balance, balance), StampSettings())
    assert (progress.count, progress.target, progress.label) == (balance, 10, f"{balance} / 10 stamps")
    assert (progress.message, progress.ready, progress.close) == (message, ready, close)


@pytest.mark.parametrize(
    ("number", "balance", "sentence"), [(1, 8, "stamp #8"), (1, 1, "stamp #1"), (3, 9, "stamps #7 to #9")]
)
def test_the_feed_says_which_stamp_it_was(number, balance, sentence):
    assert UNIT.reached(number, balance) == sentence


def test_lists_find_full_cards_by_the_target():
    assert UNIT.ready_at(StampSettings(target=7)) == 7


def test_the_body_of_the_api():
    assert UNIT.purchase(StampBody()) == Purchase(quantity=1, counts={"stamps": 1})
    assert UNIT.purchase(StampBody(quantity=3)) == Purchase(quantity=3, counts={"stamps": 3})
    for wrong in ({"quantity": 0}, {"quantity": True}, {"quantity": "3"}, {"amount": 1}):
        with pytest.raises(ValidationError):
            StampBody.model_validate(wrong)


def test_defaults_are_those_of_the_brief():
    settings = StampSettings()
    assert (settings.target, settings.reward_text, settings.welcome_stamps) == (10, "free coffee", 1)
    assert settings.max_per_sale == 10


def test_milestones_are_sorted_and_unique():
    settings = StampSettings(milestones=[Milestone(at=100), Milestone(at=50)])
    assert [milestone.at for milestone in settings.milestones] == [50, 100]
    with pytest.raises(ValidationError, match="Two milestones have the same number of stamps"):
        StampSettings(milestones=[Milestone(at=50), Milestone(at=50, bonus=2)])
