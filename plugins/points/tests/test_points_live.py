"""Points on a real database and over HTTP: one sale gives both units, parts of points are carried, limits hold."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from regulars.kernel import ids
from regulars.sdk import Purchase
from regulars.testing.till import content

PATH = "/api/v1/store/loyalty/points"
ENTRIES = "SELECT unit, amount FROM core.ledger_entry WHERE tenant_id = $1 ORDER BY unit, created_at, seq"
CARRY = "SELECT parts FROM plg_points.carry WHERE tenant_id = $1 AND card_id = $2"
POINT = 10**8
NINE = datetime(2026, 3, 10, 9, tzinfo=UTC)


def paid(minor, currency="EUR"):
    return Purchase(amount_minor=minor, currency=currency)


@pytest.fixture
async def till(make_till, cafe):
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
    return make_till(cafe)


@pytest.fixture
def carry(cafe, sql):
    async def read():
        return await sql.fetchval(CARRY, cafe.tenant.id, cafe.card.id)

    return read


async def test_one_sale_gives_points_by_amount_and_a_stamp(till, cafe, sql, healthy):
    answer = content(await till.sale(unit="points", purchase=paid(2500)))
    assert (answer["points_earned"], answer["points_balance"], answer["message"]) == (250, 250, "+250 points!")
    assert [tuple(row) for row in await sql.fetch(ENTRIES, cafe.tenant.id)] == [("points", 250), ("stamps", 1)]
    await healthy()


@pytest.mark.parametrize(("kind", "units"), [("points", ["points"]), ("stamps", ["stamps"])])
async def test_a_program_gives_the_units_of_its_kind(make_world, make_till, sql, kind, units):
    world = await make_world("cafe", kind=kind)
    await make_till(world).sale(unit=kind, purchase=paid(2500))
    assert [row["unit"] for row in await sql.fetch(ENTRIES, world.tenant.id)] == units


async def test_thirty_and_twenty_give_what_fifty_gives(till, cafe, carry, healthy):
    await cafe.set_settings("points", rate="0.33")
    given = [content(await till.sale(unit="points", purchase=paid(minor)))["points_earned"] for minor in (3000, 2000)]
    assert given == [9, 7]
    assert await carry() == POINT // 2


async def test_undo_takes_the_parts_back_too(till, carry, healthy):
    await till.sale(unit="points", purchase=paid(1005))
    assert await carry() == POINT // 2
    await till.sale(unit="points", purchase=paid(1009))
    assert await carry() == 40 * POINT // 100
    assert (await till.undo()).status == 200
    assert await carry() == POINT // 2
    await healthy()


async def test_a_rule_rests_until_its_time_is_over_or_its_sale_is_taken_back(till, cafe, clock, healthy):
    await clock.set(NINE)
    await cafe.set_settings("points", rules=[{"title": "Daily", "value": 5, "cooldown_hours": 24}])

    async def earned():
        return content(await till.sale(unit="points", purchase=paid(100)))["points_earned"]

    assert [await earned(), await earned()] == [15, 10]
    await till.undo()
    await till.undo()
    assert [await earned(), await earned()] == [15, 10]
    await clock.set(NINE + timedelta(hours=25))
    assert [await earned(), await earned()] == [15, 10]
    await healthy()


async def test_a_days_limit_holds_when_all_tills_ring_at_once(till, cafe, sql, healthy):
    await cafe.set_settings("points", max_per_day=1000)
    answers = await asyncio.gather(*(till.sale(unit="points", purchase=paid(2500)) for _ in range(8)))
    assert sorted(content(one)["points_earned"] for one in answers) == [0, 0, 0, 0, 250, 250, 250, 250]
    await till.undo()
    await healthy()


async def test_points_that_wait_count_for_the_limit_of_the_day(till, cafe, sql):
    await cafe.set_settings("points", max_per_day=300, pending_days=14)
    for _ in range(2):
        assert content(await till.sale(unit="points", purchase=paid(2500)))["points_balance"] == 0
    rows = await sql.fetch(
        "SELECT amount FROM core.ledger_pending WHERE tenant_id = $1 ORDER BY amount", cafe.tenant.id
    )
    assert [row["amount"] for row in rows] == [50, 250]


async def test_a_reward_is_paid_with_points(till, healthy):
    await till.sale(unit="points", purchase=paid(7500))
    answer = content(await till.redeem(unit="points"))
    assert answer == {
        "success": True,
        "points_redeemed": 500,
        "points_balance": 250,
        "reward": "free drink",
        "message": "−500 points, balance 250 points.",
    }
    assert (await till.redeem(unit="points")).status == 409
    await healthy()


async def test_what_one_shop_carries_is_no_other_shops(till, make_till, pizza, cafe, sql, carry):
    await till.sale(unit="points", purchase=paid(1005))
    await make_till(pizza).sale(unit="points", purchase=paid(1001))
    assert await carry() == POINT // 2
    assert await sql.fetchval(CARRY, pizza.tenant.id, pizza.card.id) == POINT // 10


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({}, "amount", "The amount of the sale is needed."),
        ({"amount": "0"}, "amount", "The amount must be more than nothing."),
        ({"amount": "-5"}, "amount", "An amount such as 25.00 is needed."),
        ({"amount": "1e3"}, "amount", "An amount such as 25.00 is needed."),
        ({"amount": "NaN"}, "amount", "An amount such as 25.00 is needed."),
        ({"amount": "1" + "0" * 14}, "amount", "This amount is too large."),
        ({"amount": 25}, "amount", 'Write the amount as a text such as "25.00".'),
        ({"amount": True}, "amount", 'Write the amount as a text such as "25.00".'),
        ({"amount": 25.5}, "amount", 'Write the amount as a text such as "25.00".'),
        ({"amount_minor": 0}, "amount_minor", "At least 1 is needed."),
        ({"amount_minor": 10**18}, "amount_minor", "At most 100000000000 is possible."),
        ({"amount_minor": "2500"}, "amount_minor", "A whole number is needed."),
        ({"amount": "25", "amount_minor": 2500}, "amount", "Send the amount once, as a text or in minor units."),
        ({"amount": "25", "points": 5}, "points", "This is not known here."),
        ({"amount": "25", "items": [{"amount": "x"}]}, "items.0.amount", "An amount such as 25.00 is needed."),
    ],
)
async def test_amounts_that_are_none_are_refused_with_a_sentence(web, cafe, sql, sent, field, sentence):
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    answer = await key.post(PATH, json=cafe.till_body(**sent), headers={"Idempotency-Key": "one"})
    assert (answer.status_code, answer.json()["fields"]) == (422, {field: sentence})
    assert await sql.fetch(ENTRIES, cafe.tenant.id) == []


async def test_amounts_as_people_write_them(web, cafe):
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=1000)
    await cafe.set_settings("points", category_rates=[{"category": "bakery", "rate": 20}], carry_over=False)
    key, earned = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}"), []
    bread = {"category": "Bakery", "amount": "5,00"}
    for at, sent in enumerate(
        ({"amount": "25,00"}, {"amount": "25.00"}, {"amount_minor": 2500}, {"amount": "25", "items": [bread]})
    ):
        answer = await key.post(PATH, json=cafe.till_body(**sent), headers={"Idempotency-Key": f"k{at}"})
        assert answer.status_code == 200, answer.text
        earned.append(answer.json()["points_earned"])
    assert earned == [250, 250, 250, 300]
    answer = await key.post(PATH, json=cafe.till_body(amount="25", currency="USD"), headers={"Idempotency-Key": "usd"})
    assert (answer.status_code, answer.json()["code"]) == (422, "sale.currency")
    answer = await key.post(PATH, json=cafe.till_body(amount="1000000"), headers={"Idempotency-Key": "slip"})
    assert (answer.status_code, answer.json()["code"]) == (422, "points.amount_too_large")


async def test_a_reported_event_gives_points_as_often_as_its_rule_says(web, cafe, pizza, sql, healthy):
    review = {"name": "review", "title": "Review", "points": 20, "most": 2}
    await cafe.set_settings("points", events=[review, {"name": "walk", "title": "Walk", "points": 5, "most": None}])
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")

    async def report(event, reference, idempotency=None):
        body = {"card": cafe.card.number, "event": event, "reference": reference}
        headers = {"Idempotency-Key": idempotency or f"{event}-{reference}"}
        answer = await key.post("/api/v1/store/loyalty/events", json=body, headers=headers)
        return answer.status_code, answer.json().get("given", answer.json().get("code"))

    assert await report("review", "a") == (201, {"points": 20})
    assert await report("review", "a") == (201, {"points": 20}), "the stored answer"
    assert await report("review", "a", "another") == (409, "event.already_counted")
    at_once = await asyncio.gather(*(report("review", f"b{n}") for n in range(5)))
    assert sorted(at_once, key=str) == [(201, {"points": 20})] + [(409, "event.nothing")] * 4
    assert [await report("walk", str(n)) for n in range(3)] == [(201, {"points": 5})] * 3
    assert [tuple(row) for row in await sql.fetch(ENTRIES, cafe.tenant.id)] == [
        ("points", 20),
        ("points", 20),
        ("points", 5),
        ("points", 5),
        ("points", 5),
    ]
    assert await sql.fetch(ENTRIES, pizza.tenant.id) == []
    await healthy()


async def test_the_till_asks_for_the_amount(web, cafe, visit):
    staff = await visit(cafe, "staff")
    card = f"/terminal/cards/{ids.show(ids.CARD, cafe.card.id)}"
    page = (await staff.get(card)).text
    assert 'name="amount"' in page
    assert 'inputmode="decimal"' in page
    form = {
        "unit": "points",
        "amount": "25,00",
        "key": "k",
        "staff": ids.show(ids.STAFF, cafe.anna.id),
        "pin": cafe.anna.pin,
    }
    done = await staff.submit(f"{card}/add", form)
    assert "+250 points!" in done.text


async def test_the_page_says_the_rules_in_plain_words(web, cafe, pizza, till, visit):
    await cafe.set_settings("points", rules=[{"title": "Saturdays", "type": "multiplier", "value": 200, "days": "sat"}])
    await till.sale(unit="points", purchase=paid(2500))
    page = (await (await visit(cafe, "manager")).get("/manage/p/points/")).text
    assert "Saturdays: double points" in page
    assert "On cards now: 250 points." in page
    assert "On cards now: 0 points." in (await (await visit(pizza, "manager")).get("/manage/p/points/")).text
