"""The merchant's pages: who gets in, what each role sees, and that nobody sees another merchant's things."""

from __future__ import annotations

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, ROLES, MakeWorld, actions_of, as_role, give_password, open_shop, person
from visitors import led_to, read

from regulars.kernel import ids
from regulars.testing.web import WebServer

PASSWORD = "correct horse battery"
EVERYBODY, MANAGERS, OWNERS = frozenset(ROLES), frozenset({"owner", "manager"}), frozenset({"owner"})
PAGES = {
    "/manage/members": MANAGERS,
    "/manage/rewards": MANAGERS,
    "/manage/program": MANAGERS,
    "/manage/staff": MANAGERS,
    "/manage/staff/new": MANAGERS,
    "/manage/shops": MANAGERS,
    "/manage/shops/new": MANAGERS,
    "/manage/audit": MANAGERS,
    "/manage/plugins": OWNERS,
    "/manage/api-keys": OWNERS,
    "/manage/domains": OWNERS,
}


async def test_signing_in_and_out(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    email = await give_password(sql, cafe, "owner", PASSWORD)
    visitor = web.at(cafe.host)
    assert led_to(await visitor.get("/manage/members?q=mia")) == "/manage/log-in?next=%2Fmanage%2Fmembers%3Fq%3Dmia"
    page = read(await visitor.get("/manage/log-in?next=%2Fmanage%2Fmembers%3Fq%3Dmia"))
    assert page.fields["next"] == "/manage/members?q=mia"
    form = {"email": email.upper(), "password": PASSWORD, "next": page.fields["next"]}
    assert led_to(await visitor.submit("/manage/log-in", form)) == "/manage/members?q=mia"
    assert "Mia Ledoux" in read(await visitor.get("/manage/members?q=mia")).text
    assert led_to(await visitor.get("/manage/log-in")) == "/manage"
    assert led_to(await visitor.submit("/manage/log-out", {})) == "/manage/log-in"
    assert led_to(await visitor.get("/manage")) == "/manage/log-in?next=%2Fmanage"
    assert await actions_of(sql, cafe) == ["staff.log_in", "session.closed"]


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_way_back_stays_on_this_host(
    web: WebServer, make_world: MakeWorld, sql: Connection, next_: str
) -> None:
    cafe = await open_shop(make_world, "cafe")
    email = await give_password(sql, cafe, "owner", PASSWORD)
    visitor = web.at(cafe.host)
    form = {"email": email, "password": PASSWORD, "next": next_}
    assert led_to(await visitor.submit("/manage/log-in", form)) == "/manage"


async def test_a_wrong_password_is_told_and_the_sixth_try_does_not_count(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    email = await give_password(sql, cafe, "manager", PASSWORD)
    visitor = web.at(cafe.host)
    for _ in range(5):
        page = read(await visitor.submit("/manage/log-in", {"email": email, "password": "wrong"}), 401)
        assert "please wait 15 minutes" in page.text
        assert page.fields["email"] == email
    page = read(await visitor.submit("/manage/log-in", {"email": email, "password": PASSWORD}), 401)
    assert "please wait 15 minutes" in page.text
    stranger = read(await visitor.submit("/manage/log-in", {"email": "no@one.example", "password": "x"}), 401)
    assert "please wait 15 minutes" in stranger.text
    assert led_to(await visitor.get("/manage/members")).startswith("/manage/log-in")


async def test_who_works_at_the_till_is_taken_there(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    email = await give_password(sql, cafe, "staff", PASSWORD)
    visitor = web.at(cafe.host)
    assert led_to(await visitor.submit("/manage/log-in", {"email": email, "password": PASSWORD})) == "/terminal"
    assert led_to(await visitor.get("/manage")) == "/terminal"


@pytest.mark.parametrize("role", ROLES)
async def test_pages_and_menu_follow_the_role(
    web: WebServer, make_world: MakeWorld, sql: Connection, role: str
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, role)
    entries = {path for path in PAGES if path.count("/") == 2} - {"/manage/rewards"}
    menu = {path for path in entries if role in PAGES[path]}
    for path, allowed in PAGES.items():
        page = read(await visitor.get(path), 200 if role in allowed else 403)
        if role in allowed:
            assert entries & {*page.links} == menu


WRITES = {
    "/manage/members/export": MANAGERS,
    "/manage/program": MANAGERS,
    "/manage/program/preview": MANAGERS,
    "/manage/program/new": MANAGERS,
    "/manage/program/kind": MANAGERS,
    "/manage/staff/new": MANAGERS,
    "/manage/shops/new": MANAGERS,
    "/manage/plugins/stamps/off": OWNERS,
    "/manage/plugins/stamps/on": OWNERS,
    "/manage/api-keys/new": OWNERS,
}


@pytest.mark.parametrize("role", ["manager", "staff"])
async def test_changes_follow_the_role(web: WebServer, make_world: MakeWorld, sql: Connection, role: str) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, role)
    card, member = ids.show(ids.CARD, cafe.card.id), ids.show(ids.MEMBER, cafe.card.member_id)
    anna = f"/manage/staff/{ids.show(ids.STAFF, person(cafe, 'staff').id)}"
    shop = f"/manage/shops/{ids.show(ids.SHOP, cafe.shop_id)}"
    writes = {
        **WRITES,
        **dict.fromkeys((anna, f"{anna}/pin", f"{anna}/unlock", f"{anna}/dismiss"), MANAGERS),
        **dict.fromkeys((shop, f"{shop}/close", f"{shop}/open"), MANAGERS),
        f"/manage/members/{member}/edit": MANAGERS,
        f"/manage/members/{member}/cards/{card}/block": MANAGERS,
        f"/manage/members/{member}/cards/{card}/unblock": MANAGERS,
    }
    for path, allowed in writes.items():
        if role not in allowed:
            read(await visitor.submit(path, {}), 403)
    assert await actions_of(sql, cafe) == []


async def test_a_manager_does_not_touch_owners(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    olga = f"/manage/staff/{ids.show(ids.STAFF, person(cafe, 'owner').id)}"
    page = read(await visitor.get("/manage/staff"))
    assert olga not in page.links
    assert f"/manage/staff/{ids.show(ids.STAFF, person(cafe, 'staff').id)}" in page.links
    for path in (olga, f"{olga}/pin", f"{olga}/dismiss"):
        form = {"name": "Olga", "role": "staff", "pin_choice": "generate"}
        read(await visitor.submit(path, form), 403)
    new = {"name": "Eve", "role": "owner", "pin_choice": "none"}
    read(await visitor.submit("/manage/staff/new", new), 403)
    assert await actions_of(sql, cafe) == []


async def test_what_belongs_to_another_merchant_is_unknown(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    visitor = await as_role(web, sql, cafe, "owner")
    card, member = ids.show(ids.CARD, pizza.card.id), ids.show(ids.MEMBER, pizza.card.member_id)
    own = ids.show(ids.MEMBER, cafe.card.member_id)
    staff, shop = ids.show(ids.STAFF, pizza.anna.id), ids.show(ids.SHOP, pizza.shop_id)
    program, key = ids.show(ids.PROGRAM, pizza.program_id), ids.show(ids.API_KEY, pizza.api_key_id)
    for path in (f"/manage/members/{member}", f"/manage/members/{own}?card={card}", "/manage/members/mem_x"):
        read(await visitor.get(path), 404)
    for path in (
        f"/manage/members/{member}/edit",
        f"/manage/members/{member}/cards/{card}/block",
        f"/manage/members/{own}/cards/{card}/block",
        f"/manage/staff/{staff}",
        f"/manage/staff/{staff}/pin",
        f"/manage/staff/{staff}/dismiss",
        f"/manage/shops/{shop}",
        f"/manage/shops/{shop}/close",
        f"/manage/program?program={program}",
        f"/manage/api-keys/{key}/revoke",
        "/manage/staff/staff_",
        "/manage/plugins/nothing/off",
    ):
        read(await visitor.get(path), 404)
        read(await visitor.submit(path, {"name": "x", "role": "staff", "pin_choice": "generate"}), 404)
    assert await actions_of(sql, pizza) == []
    assert await actions_of(sql, cafe) == []


async def test_lists_show_the_own_tenant_only(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    await pizza.add_card("zed@pizza.example", name="Zed Ziegler")
    visitor = await as_role(web, sql, cafe, "owner")
    for path in ("/manage", "/manage/members", "/manage/members?q=zed", "/manage/rewards?show=all", "/manage/audit"):
        page = read(await visitor.get(path))
        assert "Zed Ziegler" not in page.text
        assert "pizza.example" not in page.text
    export = await visitor.submit("/manage/members/export", {})
    assert "pizza.example" not in export.text
    assert "mia@cafe.example" in export.text


async def test_a_session_of_another_merchant_is_none_here(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe, pizza = await open_shop(make_world, "cafe"), await open_shop(make_world, "pizza")
    visitor = await as_role(web, sql, pizza, "owner")
    stranger = web.at(cafe.host)
    stranger.client.cookies.set("rg_staff", visitor.client.cookies["rg_staff"])
    assert led_to(await stranger.get("/manage/members")).startswith("/manage/log-in")


async def test_without_a_feature_page_and_menu_are_gone(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    features = tuple(name for name in FEATURES if name not in {"stats", "staff_pins", "enrolment"})
    cafe = await open_shop(make_world, "cafe", features=features)
    visitor = await as_role(web, sql, cafe, "owner")
    assert led_to(await visitor.get("/manage")) == "/manage/members"
    for path in ("/manage/rewards", "/manage/feed"):
        read(await visitor.get(path), 404)
    members = read(await visitor.get("/manage/members"))
    assert members.links.count("/manage") == 1, "only the brand leads home, no menu entry"
    assert "Enrol a customer" not in members.text
    anna = f"/manage/staff/{ids.show(ids.STAFF, person(cafe, 'staff').id)}"
    read(await visitor.get(f"{anna}/pin"), 404)
    read(await visitor.submit(f"{anna}/pin", {"pin_choice": "generate"}), 404)
    assert "PIN" not in read(await visitor.get("/manage/staff/new")).text
