"""Several stamp cards in one program."""

from datetime import date, time

import pytest
from pydantic import ValidationError

from regulars.kernel import ids
from regulars.sdk import AccountState, Enrolment, Item, Purchase, Refusal
from regulars.testing.contexts import NOON, ledger_context
from regulars_stamps.hooks import Hooks
from regulars_stamps.reward import FullCard
from regulars_stamps.settings import StampSettings
from regulars_stamps.unit import StampBody, StampUnit

HOOKS = Hooks()
LUNCH = {"title": "Lunch", "target": 8, "reward_text": "free menu", "welcome_stamps": 0, "milestones": ()}
MENU = Item("m1", "Menu", "lunch", 2, 2400)


def program(*more, **first):
    return StampSettings(title="Coffee", milestones=(), more=[{**LUNCH, **one} for one in more], **first)


def context(settings, **balances):
    accounts = [AccountState(unit.replace("_", "."), held, held, 1, NOON) for unit, held in balances.items()]
    return ledger_context(settings, *accounts)


def earned(settings, occasion, **facts):
    drafts = HOOKS.earn(context(settings), occasion, {"milestones": {}, **facts})
    return {draft.unit: draft.amount for draft in drafts if draft.amount}


def test_each_card_has_a_unit_that_stays():
    settings = program({}, {"title": "Lunch"}, {"title": "Ice cream", "key": "ice"})
    assert [card.unit for card in settings.cards] == ["stamps", "stamps.lunch", "stamps.lunch_2", "stamps.ice"]
    assert [one.title() for one in StampUnit().units(settings)] == ["Coffee", "Lunch", "Lunch", "Ice cream"]
    assert (StampUnit().member("ice_cream").title(), StampUnit().member("No!")) == ("Ice cream", None)
    with pytest.raises(ValidationError, match="Two cards have the same short name"):
        program({"key": "a"}, {"key": "a"})


@pytest.mark.parametrize(
    ("lunch", "purchase", "expected"),
    [
        ({}, Purchase(2), {"stamps": 2, "stamps.lunch": 2}),
        ({}, Purchase(3, counts={"stamps": 1, "stamps.lunch": 2}), {"stamps": 1, "stamps.lunch": 2}),
        ({}, Purchase(2, counts={"stamps.lunch": 2}), {"stamps.lunch": 2}),
        ({"per": "item", "categories": ["lunch"]}, Purchase(items=(MENU,)), {"stamps": 1, "stamps.lunch": 2}),
        ({"categories": ["lunch"]}, Purchase(), {"stamps": 1}),
        ({"categories": ["lunch"]}, Purchase(counts={"stamps.lunch": 1}), {"stamps.lunch": 1}),
        ({"from_time": time(14)}, Purchase(counts={"stamps.lunch": 1}), {}),
        ({"per": "amount"}, Purchase(amount_minor=2500, currency="EUR"), {"stamps": 1, "stamps.lunch": 2}),
        ({"first_purchase": True}, Purchase(), {"stamps": 1}),
        ({"closed": True}, Purchase(), {"stamps": 1}),
        ({"max_per_sale": 1, "per": "item"}, Purchase(items=(MENU,)), {"stamps": 1, "stamps.lunch": 1}),
    ],
)
def test_one_sale_stamps_the_cards_that_it_is_about(lunch, purchase, expected):
    assert earned(program(lunch), purchase) == expected


def test_every_card_has_its_own_remainder_and_what_was_kept_before_is_the_first_ones():
    settings = program({"per": "amount"}, per="amount")
    bought = Purchase(amount_minor=400, currency="EUR")
    assert earned(settings, bought, carry={"stamps": 700, "stamps.lunch": 100}) == {"stamps": 1}
    assert earned(settings, bought, carry=700) == {"stamps": 1}


def test_a_new_member_gets_the_welcome_stamps_of_each_card():
    assert earned(program({"welcome_stamps": 2}, {}), Enrolment()) == {"stamps": 1, "stamps.lunch": 2}


def test_a_closed_card_gets_nothing_and_its_reward_can_be_had_until_its_last_day():
    settings = program({"closed": True, "redeem_until": date(2026, 3, 10)})
    refused = HOOKS.check_earn(context(settings), Purchase(counts={"stamps.lunch": 1}))
    assert refused == Refusal(
        "stamps.closed", "“{card}” is closed: it gets no more stamps.", {"card": "Lunch"}, status=422
    )
    assert HOOKS.check_earn(context(settings), Purchase()) is None
    over = program({"closed": True, "redeem_until": date(2026, 3, 9)})
    keys = [
        [offer.key for offer in FullCard().offers(context(one, stamps_lunch=held), {})]
        for one, held in ((settings, 7), (settings, 8), (over, 8))
    ]
    assert keys == [[""], ["", "lunch"], [""]]


def test_what_tills_ask_for():
    """One card asks how many; several ask for each; money is asked for once, and what staff count besides."""
    asked = [
        list(StampUnit().units(settings)[0].earn_body.model_fields)
        for settings in (program(), program({}), program({"per": "amount"}), program({}, per="amount"))
    ]
    assert asked == [["quantity"], ["count_", "count_lunch"], ["quantity"], ["count_lunch"]]
    several = StampUnit().units(program({}))[0]
    with pytest.raises(ValidationError, match="Say how many stamps"):
        several.earn_body(count_=0)
    assert several.purchase(several.earn_body()) == Purchase(1, counts={"stamps": 1, "stamps.lunch": 0})
    body = several.earn_body(count_=0, count_lunch=2)
    assert several.purchase(body) == Purchase(2, counts={"stamps": 0, "stamps.lunch": 2})
    assert StampUnit("stamps.lunch").purchase(StampBody(quantity=2)) == Purchase(2, counts={"stamps.lunch": 2})


async def test_two_cards_at_the_till_and_back(web, cafe, pizza, sql, healthy, visit):
    """One sale stamps both, each reward costs its own stamps, a part is refunded; the other tenant has one card."""
    lunch = {**LUNCH, "target": 2, "milestones": [{"at": 2, "bonus": 1}]}
    await cafe.set_settings("stamps", title="Coffee", more=[lunch], welcome_stamps=0)
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    balances = "SELECT unit, balance FROM core.account WHERE tenant_id = $1 ORDER BY unit"
    reached = "SELECT unit, threshold FROM plg_stamps.milestone WHERE tenant_id = $1"

    async def post(path, reference, **body):
        headers = {"Idempotency-Key": reference}
        answer = await key.post(f"/api/v1/store/loyalty/{path}", json=body, headers=headers)
        return answer.status_code, answer.json()

    async def held():
        return dict([tuple(row) for row in await sql.fetch(balances, cafe.tenant.id)])

    both = {"stamps": 1, "stamps.lunch": 2}
    status, first = await post("stamp", "a", **cafe.till_body(counts=both, unit="stamps.lunch", external_ref="a"))
    assert (status, first["stamp_count"], first["stamps_target"]) == (200, 3, 2)
    assert (await held(), [tuple(row) for row in await sql.fetch(reached, cafe.tenant.id)]) == (
        {"stamps": 1, "stamps.lunch": 3},
        [("stamps.lunch", 2)],
    )
    status, _ = await post("stamp", "b", **cafe.till_body(unit="stamps.lunch"))
    assert (status, await held()) == (200, {"stamps": 1, "stamps.lunch": 4})
    status, done = await post("stamp/redeem", "c", **cafe.till_body(unit="stamps.lunch"))
    assert (status, done["reward"], await held()) == (200, "free menu", {"stamps": 1, "stamps.lunch": 2})
    for wrong, expected in (("stamps.tea", "sale.unknown_unit"), ("points", "invalid_input")):
        status, problem = await post("stamp", f"no-{wrong}", **cafe.till_body(unit=wrong))
        assert (status, problem["type"].rpartition("/")[2]) == (422, expected)
    status, _ = await post("refunds", "back", sale_ref="a", quantity=1)
    assert (status, (await held())["stamps"]) == (200, 1)
    page = (await (await visit(cafe, "staff")).get(f"/terminal/cards/{ids.show(ids.CARD, cafe.card.id)}")).text
    assert [name in page for name in ('name="count_lunch"', 'name="quantity"', "Coffee", "Lunch")] == [
        True,
        False,
        True,
        True,
    ]
    other = (await (await visit(pizza, "staff")).get(f"/terminal/cards/{ids.show(ids.CARD, pizza.card.id)}")).text
    assert ('name="count_lunch"' in other, 'name="quantity"' in other) == (False, True)
    await healthy()
