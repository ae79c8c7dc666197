"""The rules of the catalogue: what is offered, and why something cannot be had."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from regulars.sdk import AccountState, Outcome, PostedEntry, Write
from regulars.testing.contexts import NOON, ledger_context
from regulars_rewards.catalogue import Catalogue
from regulars_rewards.codes import read_codes
from regulars_rewards.hooks import Hooks
from regulars_rewards.queries import PLACES, place_of
from regulars_rewards.settings import Reward, RewardSettings

PROGRAM = str(UUID(int=2))
RED = UUID(int=9)


def reward(**more):
    return {"key": "mug", "title": "Mug", "unit": "stamps", "cost": 5, **more}


def context(*rewards, balance=10, **changes):
    account = AccountState("stamps", balance, balance, 1, NOON)
    return ledger_context(RewardSettings(rewards=rewards), account, **changes)


def offers(*rewards, taken=None, had=None, codes=None, **changes):
    facts = {"taken": taken, "had": had, "codes": codes}
    return Catalogue().offers(context(*rewards, **changes), facts)


def refused(taken=None, had=None, codes=None, segments=frozenset(), **more):
    (offer,) = offers(reward(**more), taken=taken, had=had, codes=codes, segments=segments)
    return offer.refusal.code if offer.refusal else ""


def test_an_offer_says_what_it_costs_and_what_is_missing():
    (offer,) = offers(reward(stock=3, hold_hours=2, handing="code"), taken={"mug": 1}, balance=4)
    assert (offer.kind, offer.key, offer.cost, offer.ready, offer.missing) == ("rewards.catalogue", "mug", 5, False, 1)
    assert (offer.left, offer.hold_minutes, offer.fulfilment, offer.refusal) == (2, 120, "code", None)


def test_featured_ones_come_first_and_hidden_ones_not_at_all():
    shown = offers(
        reward(),
        reward(key="hat", featured=True),
        reward(key="off", active=False),
        reward(key="old", ends_on=date(2026, 3, 9)),
    )
    assert [offer.key for offer in shown] == ["hat", "mug"]


def test_the_last_day_is_a_day_of_the_program():
    assert [offer.key for offer in offers(reward(ends_on=date(2026, 3, 10)))] == ["mug"]
    assert refused(starts_on=date(2026, 3, 11)) == "rewards.not_yet"
    assert refused(starts_on=date(2026, 3, 10)) == ""


def test_stock_limits_and_customers():
    assert refused(stock=2, taken={"mug": 1}) == ""
    assert refused(stock=2, taken={"mug": 2}) == "rewards.sold_out"
    assert refused(stock=0) == "rewards.sold_out"
    assert refused(most_per_member=2, had={"mug": [2, 0]}) == "rewards.had_already"
    assert refused(most_per_member=3, most_per_day=1, had={"mug": [2, 1]}) == "rewards.enough_today"
    assert refused(segments=("gold",)) == ""
    assert refused(codes={"mug": None}) == "rewards.sold_out"
    assert refused(codes={"hat": None}) == ""


def test_for_some_customers_only():
    facts = {"taken": None, "had": None, "codes": None}
    gold = reward(segments=("gold", "silver"))
    others, theirs = context(gold), context(gold, segments=frozenset({"gold"}))
    (offer,) = Catalogue().offers(others, facts)
    assert (offer.groups, offer.refusal, offer.shows_locked) == (("gold", "silver"), None, True)
    assert Hooks().check_redemption(others, offer).code == "rewards.not_for_you"
    assert Hooks().check_redemption(theirs, offer) is None


def test_one_is_taken_from_stock_and_pool():
    (offer,) = offers(reward(stock=2), codes={"mug": "ABC"})
    place = {"program_id": PROGRAM, "reward_key": "mug"}
    assert Hooks().redemption_posted(context(reward(stock=2)), offer, RED) == Outcome(
        writes=[
            Write("stock", [{**place, "taken": 1, "most": 2}], contended=True),
            Write(
                "code",
                [{**place, "code": "ABC", "redemption_id": str(RED), "taken_at": NOON.isoformat()}],
                contended=True,
            ),
        ]
    )


def test_what_is_given_back_is_in_stock_again_and_others_entries_are_not_ours():
    ours = PostedEntry(RED, "stamps", "redeem", -5, 0, 0, "rewards.catalogue/mug", "rewards")
    other = PostedEntry(RED, "stamps", "redeem", -5, 0, 0, "stamps.full_card", "stamps")
    row = {"program_id": PROGRAM, "reward_key": "mug", "taken": -1, "most": None}
    assert Hooks().reversal_posted(context(), [ours]) == Outcome(writes=(Write("stock", [row]),))
    assert Hooks().reversal_posted(context(), [other]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Mug"},
        {"cost": 0},
        {"cost": 10**10},
        {"kind": "discount_percent"},
        {"kind": "discount_percent", "percent": 101},
        {"kind": "discount_fixed"},
        {"starts_on": date(2026, 2, 2), "ends_on": date(2026, 2, 1)},
        {"photo": "../secret.png/"},
        {"stock": -1},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Reward(**reward(**wrong))


def test_a_short_name_is_there_once():
    with pytest.raises(ValidationError):
        RewardSettings(rewards=(reward(), reward()))


def test_a_list_of_codes_is_read_line_by_line():
    codes, faults = read_codes("code;note\nA-1;x\n\n A-2 \nA-1\n" + "z" * 81 + "\n")
    assert list(codes) == ["A-1", "A-2"]
    assert [line for line, _sentence in faults] == [6]


@given(st.text(max_size=80))
def test_every_code_has_its_place(code):
    assert 0 <= place_of(code) < PLACES
