"""The catalogue from end to end over pages: the merchant adds a reward, the member gets it, the till hands it out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from visitors import member_at, staff_at

from regulars.kernel import ids
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World

CATALOGUE = "/manage/p/rewards/"
SAME = {"Sec-Fetch-Site": "same-origin"}
FORM = {
    "key": "mug",
    "title": "Mug <b>blue</b>",
    "kind": "physical",
    "unit": "stamps",
    "cost": "2",
    "value_minor": "12,50",
    "handing": "code",
    "hold_hours": "24",
    "stock": "1",
    "category": "For home",
    "active": "1",
}
PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
async def shop(make_world: Callable[..., Awaitable[World]], clock: Clock) -> World:
    await clock.set(datetime(2026, 3, 10, 11, tzinfo=UTC))
    world = await make_world("shop", offering="all", features=EVERYTHING)
    await world.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    return world


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return found[1]


async def test_from_the_merchants_form_to_the_customers_hand(
    web: WebServer,
    shop: World,
    make_till: Callable[[World], Till],
    sql: Connection,
    healthy: Callable[[], Awaitable[None]],
) -> None:
    manager, member = await staff_at(web, sql, shop), await member_at(web, sql, shop)
    assert "No rewards yet" in plain((await manager.get(CATALOGUE)).text)
    assert 'name="title" type="text" value=""' in (await manager.get(f"{CATALOGUE}reward")).text
    bad = await manager.post(f"{CATALOGUE}reward", data=FORM | {"cost": "0"}, headers=SAME)
    assert bad.status_code == 422
    assert "Mug &lt;b&gt;blue&lt;/b&gt;" in bad.text
    files = {"photo_file": ("mug.png", PIXEL, "image/png")}
    saved = await manager.post(f"{CATALOGUE}reward", data=FORM, files=files, headers=SAME)
    assert saved.status_code == 303, plain(saved.text)
    shown = (await manager.get(CATALOGUE)).text
    assert "Mug &lt;b&gt;blue&lt;/b&gt;" in shown
    assert "Left: 1 of 1" in plain(shown)
    assert re.search(r'src="[^"]*photo-[0-9a-f]+\.webp', shown)
    twice = await manager.post(f"{CATALOGUE}reward", data=FORM, headers=SAME)
    assert "Another reward has this short name." in plain(twice.text)

    await make_till(shop).sale(1)
    poor = plain((await member.get("/rewards")).text)
    assert "1 stamp more to go" in poor
    assert "Get it" not in poor
    await make_till(shop).sale(1)
    page = (await member.get("/rewards?category=For+home")).text
    assert "You can have it now. · 1 left" in plain(page)
    ask = await member.get("/rewards/get?reward=rewards.catalogue/mug")
    sent = {name: hidden(ask.text, name) for name in ("card", "reward", "key")}
    for _twice in range(2):
        assert (await member.post("/rewards/get", data=sent, headers=SAME)).status_code == 303
    row = await sql.fetchrow("SELECT id, code, status FROM core.redemption")
    assert row["status"] == "held"
    own = (await member.get("/rewards")).text
    assert row["code"] in own
    assert "Put aside" in plain(own)
    assert "“Mug <b>blue</b>” is gone." in plain(own).replace("&lt;", "<").replace("&gt;", ">")

    listed = (await manager.get(f"/manage/redemptions?show=held&q={row['code'].lower()}")).text
    assert "Handed out" in plain(listed)
    staff = await staff_at(web, sql, shop, shop.anna, shop.shop_id)
    found = await staff.post("/terminal/find", data={"card": row["code"].lower()}, headers=SAME)
    assert found.headers["Location"] == f"/terminal/cards/{ids.show(ids.CARD, shop.card.id)}"
    customer = (await staff.get(found.headers["Location"])).text
    assert "Hand out: Mug" in plain(customer)
    public = ids.show(ids.REDEMPTION, row["id"])
    sheet = await staff.get(f"{found.headers['Location']}/hand-out?redemption={public}")
    form = {"redemption": public, "key": hidden(sheet.text, "key"), "staff": ids.show(ids.STAFF, shop.anna.id)}
    done = await staff.post(f"{found.headers['Location']}/hand-out", data=form | {"pin": shop.anna.pin}, headers=SAME)
    assert "Please hand it over" in plain(done.text)
    assert await sql.fetchval("SELECT status FROM core.redemption") == "captured"
    assert "Handed out: 1" in plain((await manager.get("/manage/p/rewards/")).text)
    exported = await manager.post("/manage/redemptions/export", headers=SAME)
    assert "Mug <b>blue</b>" in exported.text
    await healthy()


async def test_a_member_gives_it_back_and_nobody_else_does(
    web: WebServer,
    shop: World,
    make_world: Callable[..., Awaitable[World]],
    make_till: Callable[[World], Till],
    sql: Connection,
    healthy: Callable[[], Awaitable[None]],
) -> None:
    await shop.set_settings(
        "rewards", rewards=[{"key": "mug", "title": "Mug", "unit": "stamps", "cost": 2, "handing": "shipping"}]
    )
    other = await make_world("other", offering="all", features=EVERYTHING)
    await make_till(shop).sale(2)
    member, stranger = await member_at(web, sql, shop), await member_at(web, sql, other)
    ask = await member.get("/rewards/get?reward=rewards.catalogue/mug")
    sent = {name: hidden(ask.text, name) for name in ("card", "reward", "key")}
    nowhere = await member.post("/rewards/get", data=sent, headers=SAME)
    assert nowhere.status_code == 422
    assert "Say where we should send it" in plain(nowhere.text)
    sent["key"] = hidden(nowhere.text, "key")
    await member.post("/rewards/get", data=sent | {"ship_to": "Mia\n1, rue Haute"}, headers=SAME)
    found = await sql.fetchval("SELECT id FROM core.redemption")
    release = f"/rewards/{ids.show(ids.REDEMPTION, found)}/release"
    assert (await stranger.post(release, headers=SAME)).status_code == 404
    assert "To be sent" in plain((await member.get("/rewards")).text)
    page = await (await staff_at(web, sql, shop)).get(f"/manage/redemptions/{ids.show(ids.REDEMPTION, found)}")
    assert "1, rue Haute" in page.text
    assert (await member.post(release, headers=SAME)).status_code == 303
    assert [tuple(row) for row in await sql.fetch("SELECT status, fulfilment, ship_to FROM core.redemption")] == [
        ("released", "cancelled", "")
    ]
    assert await sql.fetchval("SELECT balance FROM core.account") == 2
    await healthy()


async def test_what_is_for_gold_is_locked_for_others_and_says_what_is_missing(
    web: WebServer,
    clock: Clock,
    make_world: Callable[..., Awaitable[World]],
    make_till: Callable[[World], Till],
    sql: Connection,
) -> None:
    await clock.set(datetime(2026, 3, 10, 11, tzinfo=UTC))
    shop = await make_world("lounge", offering="best", features=(*EVERYTHING, "tiers"))
    await shop.set_settings("antifraud", cooldown_minutes=0)
    gold = {"title": "Tour", "unit": "stamps", "cost": 2, "handing": "code"}
    rewards = [
        {**gold, "key": "tour", "segments": ["tier:gold"]},
        {**gold, "key": "secret", "title": "Secret", "segments": ["tier:gold"], "show_locked": False},
        {**gold, "key": "visit", "title": "Visit"},
    ]
    await shop.set_settings("rewards", rewards=rewards)
    ladder = [{"title": "Bronze"}, {"title": "Gold", "threshold": 5, "rewards": ["visit"]}]
    await shop.set_settings("tiers", unit="stamps", ladder=ladder)
    till, member = make_till(shop), await member_at(web, sql, shop)
    staff = await staff_at(web, sql, shop, shop.anna, shop.shop_id)
    at_till = f"/terminal/cards/{ids.show(ids.CARD, shop.card.id)}"
    await till.sale(3)
    for page in (await member.get("/rewards"), await staff.get(at_till)):
        assert plain(page.text).count("For Gold: 2 stamps more.") == 2
        assert "Secret" not in page.text
        assert "Get it" not in page.text
        assert "Redeem: Tour" not in page.text
    card = (await member.get("/api/v1/storefront/loyalty/card")).json()
    assert [(one["key"], one["locked"], one["reason"]) for one in card["rewards"] if one["key"]] == [
        ("tour", True, "For Gold: 2 stamps more."),
        ("visit", True, "For Gold: 2 stamps more."),
    ]
    for key, status in (("tour", 303), ("visit", 303), ("secret", 404)):
        form = {"card": card["id"], "key": key, "reward": f"rewards.catalogue/{key}"}
        assert (await member.post("/rewards/get", data=form, headers=SAME)).status_code == status
    assert await sql.fetchval("SELECT count(*) FROM core.redemption") == 0
    await till.sale(2)
    page = plain((await member.get("/rewards")).text)
    assert page.count("You can have it now.") == 3


async def test_no_more_rewards_than_the_offering_has_room_for(
    web: WebServer, make_world: Callable[..., Awaitable[World]], sql: Connection
) -> None:
    limits = {"shops": None, "programs": None, "rewards.items": 1}
    shop = await make_world("booth", offering="small", features=EVERYTHING, limits=limits)
    manager, form = await staff_at(web, sql, shop), f"{CATALOGUE}reward"
    assert (await manager.post(form, data=FORM, headers=SAME)).status_code == 303
    assert "1 of 1 rewards of your offering" in plain((await manager.get(CATALOGUE)).text)
    refused = await manager.post(form, data=FORM | {"key": "hat", "title": "A hat"}, headers=SAME)
    assert (refused.status_code, "You have used 1 of 1." in plain(refused.text)) == (422, True)
    assert 'value="A hat"' in refused.text
    same = await manager.post(f"{form}?key=mug", data=FORM | {"title": "Cup"}, headers=SAME)
    assert same.status_code == 303, "what is there can be changed"
    shop_system = web.at(shop.host, authorization=f"Bearer {shop.api_key}")
    rewards = [{"key": key, "title": key, "unit": "stamps"} for key in ("mug", "hat")]
    answer = await shop_system.send(
        "PATCH", "/api/v1/store/loyalty/program", json={"settings": {"rewards": {"rewards": rewards}}}
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (
        403,
        "limit_reached",
        "rewards.items",
    )
    assert await sql.fetchval("SELECT jsonb_array_length(values->'rewards') FROM core.plugin_settings") == 1
