"""Promotions on a real database: what the till is told, budgets under parallel sales, what undoing gives back."""

import asyncio
import json

from regulars.testing.till import content
from regulars.testing.world import HOST_FEATURES

BONUS = {"kind": "bonus_points", "units": 3}
DOUBLE = {"kind": "multiplier", "percent": 200}
TENTH = {"kind": "discount_percent", "percent": 10}
COFFEE = {"kind": "free_item", "item": "Espresso", "item_cost_minor": 60}
ENTRIES = "SELECT plugin, rule, amount FROM core.ledger_entry WHERE tenant_id = $1 ORDER BY seq"
USAGE = (
    "SELECT promotion, what, used FROM plg_promotions.usage "
    "WHERE tenant_id = $1 AND scope = '' ORDER BY promotion, what"
)
MINE = "SELECT promotion, used FROM plg_promotions.usage WHERE tenant_id = $1 AND scope <> '' ORDER BY promotion"
TOOK_PART = (
    "SELECT promotion, units, discount_minor, item, cost_minor, returned_at IS NOT NULL AS returned "
    "FROM plg_promotions.participation WHERE tenant_id = $1 ORDER BY used_at, promotion"
)
BENEFITS = "SELECT benefits FROM core.sale WHERE tenant_id = $1"


async def rows(sql, query, world):
    return [tuple(row) for row in await sql.fetch(query, world.tenant.id)]


async def test_a_sale_gives_units_money_off_and_an_item(open_shop, sell, sql, healthy):
    cafe, pizza = (
        await open_shop("cafe", DOUBLE, TENTH, COFFEE, hundred_units_minor=1000),
        await open_shop("pizza", BONUS),
    )
    answer = content(await sell(cafe, quantity=2, amount_minor=1250, currency="EUR"))
    assert (answer["stamp_count"], answer["benefits"]) == (
        4,
        [
            {
                "plugin": "promotions",
                "kind": "discount",
                "key": "p2",
                "title": "P2",
                "amount_minor": 125,
                "item": "",
                "currency": "EUR",
            },
            {
                "plugin": "promotions",
                "kind": "item",
                "key": "p3",
                "title": "P3",
                "amount_minor": 0,
                "item": "Espresso",
                "currency": "EUR",
            },
        ],
    )
    assert await rows(sql, ENTRIES, cafe) == [("stamps", "visit", 2), ("promotions", "promotion_p1", 2)]
    assert [one["key"] for one in json.loads(await sql.fetchval(BENEFITS, cafe.tenant.id))] == ["p2", "p3"]
    assert await rows(sql, TOOK_PART, cafe) == [
        ("p1", 2, 0, "", 20, False),
        ("p2", 0, 125, "", 125, False),
        ("p3", 0, 0, "Espresso", 60, False),
    ]
    answer = content(await sell(pizza))
    assert (answer["stamp_count"], "benefits" in answer) == (4, False)
    assert await rows(sql, USAGE, pizza) == [("p1", "units", 3), ("p1", "uses", 1)]
    await healthy()


async def test_a_promotion_counts_on_what_the_tier_gives(make_world, sell, sql):
    """Base, then the tier, then promotions, each multiplier of what stands before it: 2 × 2 = 4, and 4 more."""
    cafe = await make_world("cafe", features=("stamps", "promotions", "tiers", *HOST_FEATURES))
    await cafe.set_settings("promotions", promotions=[{"title": "P1", "key": "p1", **DOUBLE}])
    await cafe.set_settings("stamps", max_per_sale=100, milestones=[])
    await cafe.set_settings("tiers", unit="stamps", ladder=[{"title": "Regular", "multiplier": 200}])
    for _first_reaches_the_tier in range(2):
        await sell(cafe, quantity=2)
    assert await rows(sql, ENTRIES, cafe) == [
        ("stamps", "visit", 2), ("promotions", "promotion_p1", 2),
        ("stamps", "visit", 4), ("promotions", "promotion_p1", 4),
    ]  # fmt: skip
    query = "SELECT explanation->'steps' FROM core.ledger_entry WHERE tenant_id = $1 ORDER BY seq OFFSET 2 LIMIT 1"
    steps = json.loads(await sql.fetchval(query, cafe.tenant.id))
    assert [(step["kind"], step["change"]) for step in steps] == [("multiplied", 2)]


async def test_why_these_stamps_names_what_matched_and_what_missed(open_shop, sell, sql):
    cafe = await open_shop("cafe", {**DOUBLE, "title": "Double day"}, {**BONUS, "title": "Wednesdays", "days": "wed"})
    await sell(cafe)
    query = "SELECT explanation FROM core.ledger_entry WHERE tenant_id = $1 ORDER BY seq"
    visit, extra = [json.loads(row["explanation"]) for row in await sql.fetch(query, cafe.tenant.id)]
    said = [step["message"].format(**step["params"]) for step in (*visit["steps"], *extra["steps"])]
    today = await sql.fetchval("SELECT extract(isodow FROM core.now() AT TIME ZONE 'Europe/Luxembourg')::int")
    missed = [] if today == 3 else ["“Wednesdays” does not hold on this day."]
    assert said[: len(missed) + 1] == [*missed, "“Double day” makes 200 % of 1."]
    assert extra["title"] == "Double day"


async def test_a_budget_is_used_to_the_last_and_never_over(open_shop, sell, sql, healthy):
    """Sixty cards at once want 7 each of a budget of 100; the uses of another are up after 5."""
    cafe = await open_shop("cafe", {"kind": "bonus_points", "units": 7, "budget_units": 100}, {**COFFEE, "max_uses": 5})
    cards = [cafe.card, *[await cafe.add_card(f"m{number}@example.com") for number in range(59)]]
    answers = await asyncio.gather(*(sell(cafe, card=card) for card in cards))
    assert {answer.status for answer in answers} == {200}
    assert await rows(sql, USAGE, cafe) == [
        ("p1", "units", 100),
        ("p1", "uses", 15),
        ("p2", "money", 300),
        ("p2", "uses", 5),
    ]
    given = sorted(amount for plugin, _, amount in await rows(sql, ENTRIES, cafe) if plugin == "promotions")
    assert given == [2, *[7] * 14]
    assert sum("benefits" in content(answer) for answer in answers) == 5
    await healthy()


async def test_one_card_at_many_tills_uses_a_promotion_once(open_shop, sell, sql):
    cafe = await open_shop("cafe", {**BONUS, "max_uses_per_member": 1})
    answers = await asyncio.gather(*(sell(cafe) for _ in range(12)))
    assert max(content(answer)["stamp_count"] for answer in answers) == 12 + 3
    assert await rows(sql, MINE, cafe) == [("p1", 1)]


async def test_undoing_gives_budget_and_participation_back(open_shop, sell, make_till, sql, healthy):
    once = {"max_uses_per_member": 1, "max_uses": 1}
    cafe = await open_shop("cafe", {**BONUS, "budget_units": 3, **once}, {**TENTH, "budget_minor": 100, **once})
    for _ in range(2):
        assert len(content(await sell(cafe, amount_minor=1000))["benefits"]) == 1
        assert [row[-1] for row in await rows(sql, USAGE, cafe)] == [3, 1, 100, 1]
        assert "benefits" not in content(await sell(cafe, amount_minor=1000))
        assert (await make_till(cafe).undo()).status == 200
        assert [row[-1] for row in await rows(sql, USAGE, cafe)] == [3, 1, 100, 1]
        assert (await make_till(cafe).undo()).status == 200
        assert [row[-1] for row in await rows(sql, USAGE, cafe)] == [0, 0, 0, 0]
        assert await rows(sql, MINE, cafe) == [("p1", 0), ("p2", 0)]
    assert [row[-1] for row in await rows(sql, TOOK_PART, cafe)] == [True] * 4
    await healthy()


async def test_a_limit_that_comes_later_knows_what_was_used_before(open_shop, sell, sql):
    cafe = await open_shop("cafe", BONUS)
    await sell(cafe)
    await cafe.set_settings("promotions", promotions=[{"title": "P1", "key": "p1", **BONUS, "budget_units": 4}])
    assert content(await sell(cafe))["stamp_count"] == 4 + 1 + 1
    await cafe.set_settings("promotions", promotions=[{"title": "P1", "key": "p1", **BONUS, "budget_units": 2}])
    assert content(await sell(cafe))["stamp_count"] == 7
    assert await rows(sql, USAGE, cafe) == [("p1", "units", 4), ("p1", "uses", 2)]


async def test_a_limit_for_each_member_knows_the_other_card(open_shop, sell, make_till, sql, healthy):
    cafe = await open_shop("cafe", {**BONUS, "max_uses_per_member": 1})
    mia, twin, till = cafe.card, await cafe.add_card("twin@cafe.example"), make_till(cafe)
    await sell(cafe, card=twin)
    merged = await till.merge(twin, mia)
    for card in (mia, twin):
        await sell(cafe, card=card)
    balance = "SELECT balance FROM core.account WHERE card_id = $1"
    assert await sql.fetchval(balance, mia.id) == 4 + 1 + 1
    await till.unmerge(merged)
    await sell(cafe, card=mia)
    await sell(cafe, card=twin)
    assert [await sql.fetchval(balance, card.id) for card in (mia, twin)] == [2 + 4, 4 + 1]
    await healthy()
