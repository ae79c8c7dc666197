"""Balances put right by hand: given, taken and moved after saying what it comes to; above the limit by two people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, actions_of, as_role, open_shop
from visitors import led_to, read

from regulars.domain.cards.numbers import format_number
from regulars.kernel import ids
from regulars.kernel.observability.metrics import REGISTRY
from regulars.testing.web import WebServer
from regulars.testing.world import TestCard, World

Healthy = Callable[[], Awaitable[None]]
METRIC = "regulars_ledger_operations_total"
BALANCE = "SELECT coalesce(sum(balance), 0)::int FROM core.account WHERE card_id = $1"


@pytest.fixture
async def cafe(make_world: MakeWorld) -> World:
    features = (*FEATURES, "points")
    return await open_shop(make_world, "cafe", features=features, plugins=("points",), kind="points")


def url(card: TestCard, what: str) -> str:
    """A form of a card."""
    return f"/manage/members/{ids.show(ids.MEMBER, card.member_id)}/cards/{ids.show(ids.CARD, card.id)}/{what}"


def home(card: TestCard) -> str:
    """Page of a card's member."""
    return f"/manage/members/{ids.show(ids.MEMBER, card.member_id)}"


async def test_given_and_taken_after_it_was_said_what_it_comes_to(
    web: WebServer, cafe: World, make_world: MakeWorld, sql: Connection, healthy: Healthy
) -> None:
    pizza = await open_shop(make_world, "pizza", features=(*FEATURES, "points"), plugins=("points",), kind="points")
    visitor, form = await as_role(web, sql, cafe, "manager"), url(cafe.card, "correct")
    assert form in read(await visitor.get(home(cafe.card))).links
    typed = {"direction": "give", "amount": "80", "reason": "the till was down"}
    for wrong, said in (
        ({"reason": " "}, "Say why"),
        ({"amount": "0"}, "At least 1 is needed."),
        ({"amount": "1e3"}, "whole number"),
        ({"amount": "1000000000001"}, "Enter a number that is not 0."),
        ({"direction": "take"}, "Only 0 can be taken from this card."),
    ):
        page = read(await visitor.submit(form, typed | wrong), 422)
        assert said in page.text, page.text
        assert page.fields["amount"] == (typed | wrong)["amount"]
    done = {"action": "points.adjust", "outcome": "done"}
    counted = REGISTRY.get_sample_value(METRIC, done) or 0
    asked = read(await visitor.submit(form, typed))
    assert (REGISTRY.get_sample_value(METRIC, done) or 0) == counted, "a rehearsal is not counted like the deed"
    for words in ("+80 points", "Points: 0 80", "Reason: the till was down", "Book it"):
        assert words in asked.text, words
    assert await sql.fetchval(BALANCE, cafe.card.id) == 0, "nothing is done before it is confirmed"
    for _twice in range(2):
        assert led_to(await visitor.submit(form, asked.fields | {"step": "confirmed"})) == home(cafe.card)
    assert REGISTRY.get_sample_value(METRIC, done) == counted + 1
    after = read(await visitor.get(home(cafe.card))).text
    for words in ("Booked: +80 points.", "A correction: the till was down"):
        assert words in after, words
    taken = read(await visitor.submit(form, typed | {"direction": "take", "amount": "30"}))
    await visitor.submit(form, taken.fields | {"step": "confirmed"})
    assert await sql.fetchval(BALANCE, cafe.card.id) == 50
    assert await actions_of(sql, cafe) == ["points.adjust", "points.adjust"]
    assert (await visitor.get(url(pizza.card, "correct"))).status_code == 404
    assert (await (await as_role(web, sql, cafe, "staff")).get(form)).status_code == 403
    await healthy()


async def test_above_the_limit_another_person_decides(
    web: WebServer, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    owner, manager = await as_role(web, sql, cafe, "owner"), await as_role(web, sql, cafe, "manager")
    assert "No corrections yet" in read(await owner.get("/manage/corrections")).text
    program = ids.show(ids.PROGRAM, cafe.program_id)
    bad = read(await owner.submit("/manage/corrections/limit", {"program": program, "limit": "-1"}), 422)
    assert bad.fields["limit"] == "-1"
    await owner.submit("/manage/corrections/limit", {"program": program, "limit": "50"})
    assert read(await owner.get("/manage/corrections/limit")).fields["limit"] == "50"

    form, typed = url(cafe.card, "correct"), {"amount": "51", "reason": "a party"}
    for _each in range(2):
        asked = read(await manager.submit(form, typed))
        assert "+51 points is more than one person may correct alone." in asked.text
        assert led_to(await manager.submit(form, asked.fields | {"step": "confirmed"})) == "/manage/corrections"
    own = read(await manager.get("/manage/corrections"))
    assert "Another person decides." in own.text
    assert [action for action in own.actions if "/corrections/adj_" in action] == []
    seen = read(await owner.get("/manage/corrections?show=waiting&q=mia"))
    assert "1–2 of 2" in seen.text
    wishes = sorted({action for action in seen.actions if "/corrections/adj_" in action})
    assert (await manager.submit(wishes[0], {"decision": "approve"})).status_code == 403
    assert led_to(await owner.submit(wishes[0], {"decision": "approve", "key": "k1"})) == "/manage/corrections"
    await owner.submit(wishes[1], {"decision": "refuse", "key": "k2"})
    await owner.submit(wishes[1], {"decision": "approve", "key": "k3"})
    assert "This correction was decided already." in read(await owner.get("/manage/corrections")).text
    assert await sql.fetchval(BALANCE, cafe.card.id) == 51
    exported = (await owner.submit("/manage/corrections/export", {"show": "refused"})).text
    assert ",points,51,a party,Refused,Ben,Olga," in exported.splitlines()[1]
    assert await actions_of(sql, cafe) == [
        *("program.adjust_limit_set", "points.adjust_asked", "points.adjust_asked", "points.adjust"),
        *("points.adjust_refused", "points.adjust", "points.corrections_exported"),
    ]
    await healthy()


async def test_units_are_moved_to_another_card(web: WebServer, cafe: World, sql: Connection, healthy: Healthy) -> None:
    visitor, form = await as_role(web, sql, cafe, "manager"), url(cafe.card, "transfer")
    tom = await cafe.add_card("tom@cafe.example", name="Tom Weber")
    await visitor.submit(
        url(cafe.card, "correct"), {"amount": "80", "reason": "a start", "step": "confirmed", "key": "k"}
    )
    typed = {"amount": "30", "to": format_number(tom.number), "reason": "a household"}
    for wrong, said in (
        ({"to": "nobody"}, "No card fits this."),
        ({"to": "example"}, "Several cards fit this."),
        ({"to": cafe.card.number}, "Choose two different cards."),
        ({"amount": "81"}, "Only 80 can be taken from this card."),
    ):
        assert said in read(await visitor.submit(form, typed | wrong), 422).text, said
    asked = read(await visitor.submit(form, typed))
    for words in ("−30 points Points: 80 50", "Tom Weber", "+30 points Points: 0 30"):
        assert words in asked.text, asked.text
    for _twice in range(2):
        await visitor.submit(form, asked.fields | {"step": "confirmed"})
    assert [await sql.fetchval(BALANCE, card.id) for card in (cafe.card, tom)] == [50, 30]
    assert "Moved to Tom Weber: 30 points." in read(await visitor.get(home(cafe.card))).text
    await healthy()
