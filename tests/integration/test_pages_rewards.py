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
