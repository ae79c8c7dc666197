"""Testing rules on a typed-in sale: in the API and on the merchant's page, saved or not; nothing is written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, as_role, open_shop
from visitors import read

from regulars.kernel import ids
from regulars.testing.clock import Clock
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

TEST = "/api/v1/store/loyalty/programs/test"
PAGE = "/manage/program/test"
MILESTONE = {"stamps": {"milestones": [{"at": 3, "bonus": 5}]}}
COUNTS = (
    "SELECT (SELECT count(*) FROM core.sale) + (SELECT count(*) FROM core.ledger_entry) "
    "+ (SELECT count(*) FROM core.outbox_event) + (SELECT count(*) FROM core.audit_log) "
    "+ (SELECT count(*) FROM core.account)"
)


@pytest.fixture
async def cafe(make_world: MakeWorld) -> World:
    """A shop with the probe, which adds one to seven."""
    return await open_shop(make_world, "cafe", features=(*FEATURES, "probe", "api_access"))


def caller(web: WebServer, world: World) -> Browser:
    return web.at(world.host, authorization=f"Bearer {world.api_key}")


async def test_the_api_judges_and_writes_nothing(web: WebServer, cafe: World, sql: Connection) -> None:
    before = await sql.fetchval(COUNTS)
    plain = (await caller(web, cafe).post(TEST, json={"quantity": 3})).json()
    assert (plain["accepted"], plain["refusal"], plain["total"]) == (True, None, {"stamps": 3})
    tried = (await caller(web, cafe).post(TEST, json={"quantity": 3, "settings": MILESTONE})).json()
    assert tried["total"] == {"stamps": 8}
    assert [(gain["rule"], gain["amount"]) for gain in tried["gives"]] == [("visit", 3), ("milestone_3", 5)]
    assert tried["gives"][0]["why"] == "One stamp for each of 3 items or visits."
    assert (await caller(web, cafe).post(TEST, json={"quantity": 3})).json()["total"] == {"stamps": 3}
    assert await sql.fetchval(COUNTS) == before


async def test_a_refused_sale_says_what_it_would_give(web: WebServer, cafe: World, clock: Clock) -> None:
    visitor, seven = caller(web, cafe), {"quantity": 7}
    refused = (await visitor.post(TEST, json=seven)).json()
    assert (refused["accepted"], refused["refusal"]["code"], refused["total"]) == (
        False,
        "antifraud.daily_limit",
        {"stamps": 8},
    )
    assert [step["kind"] for step in refused["gives"][0]["why_steps"]] == ["missed", "added"]
    looser = {**seven, "settings": {"antifraud": {"max_daily_stamps": 20}}}
    assert (await visitor.post(TEST, json=looser)).json()["accepted"] is True
    earned = await visitor.post("/api/v1/store/loyalty/stamp", json=cafe.till_body(), headers={"Idempotency-Key": "1"})
    assert earned.status_code == 200
    own = {"card": cafe.card.number}
    assert (await visitor.post(TEST, json=own)).json()["refusal"]["code"] == "antifraud.cooldown"
    later = (await clock.now() + timedelta(hours=1)).isoformat()
    assert (await visitor.post(TEST, json={**own, "at": later})).json()["accepted"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount_minor": -1}, "amount_minor"),
        ({"quantity": True}, "quantity"),
        ({"at": "2026-01-01T12:00:00"}, "at"),
        ({"settings": {"stamps": {"target": 1}}}, "settings.stamps.target"),
        ({"settings": {"nothing": {}}}, "settings.nothing"),
    ],
)
async def test_what_cannot_be_tried(web: WebServer, cafe: World, body: dict[str, object], field: str) -> None:
    answer = await caller(web, cafe).post(TEST, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert list(answer.json()["fields"]) == [field]


async def test_the_unsaved_form_is_tested(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await as_role(web, sql, cafe, "manager")
    form = read(await visitor.get("/manage/program")).fields
    form |= {"_program.timezone": "Europe/Luxembourg", "_program.currency": "EUR"}
    form |= {"stamps.milestones.0.at": "3", "stamps.milestones.0.bonus": "5"}
    page = read(await visitor.submit(PAGE, form))
    assert "Tested is what stands in it: Stamp cards." in page.text
    tried = read(await visitor.submit(PAGE, {**page.fields, "_trial.quantity": "3", "step": "try"}))
    assert "3 stamps" in tried.text
    assert "5 stamps" in tried.text
    assert "The till would refuse" not in tried.text
    assert tried.fields["stamps.milestones.0.at"] == "3"
    assert tried.fields["_trial.quantity"] == "3"
    back = read(await visitor.submit("/manage/program", {**tried.fields, "step": "edit"}))
    assert back.fields["stamps.milestones.0.bonus"] == "5"
    saved = "SELECT count(*) FROM core.plugin_settings WHERE tenant_id = $1"
    assert await sql.fetchval(saved, cafe.tenant.id) == 0
    wrong = read(await visitor.submit(PAGE, {**form, "stamps.target": "1"}), 422)
    assert wrong.fields["stamps.target"] == "1"


async def test_a_typed_sale_on_the_page(web: WebServer, cafe: World, make_world: MakeWorld, sql: Connection) -> None:
    visitor = await as_role(web, sql, cafe, "manager")
    empty = read(await visitor.get(PAGE))
    assert "Nothing tested yet" in empty.text
    seven = read(await visitor.submit(PAGE, {"step": "try", "_trial.quantity": "7", "_trial.amount_minor": "12.50"}))
    for words in ("The till would refuse this sale", "8 stamps", "“Lucky number” gives more. +1"):
        assert words in seven.text, words
    other = await make_world("other")
    for name, text, sentence in (
        ("_trial.card", other.card.number, "We could not find this card."),
        ("_trial.shop", ids.show(ids.SHOP, other.shop_id), "There is no such shop here."),
        ("_trial.amount_minor", "1e3", "An amount such as 4.50 is needed."),
        ("_trial.lines.0.quantity", "0", "Pieces: "),
    ):
        page = read(await visitor.submit(PAGE, {"step": "try", "_trial.quantity": "2", name: text}), 422)
        assert sentence in page.text, (name, page.text)
        assert page.fields["_trial.quantity"] == "2"
