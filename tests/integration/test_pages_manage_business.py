"""Staff and PINs, shops, API keys, extensions and the audit log of the merchant's pages."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, actions_of, as_role, open_shop, person
from visitors import led_to, read

from regulars.kernel import ids
from regulars.testing.till import Till
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

STAFF, SHOPS, KEYS, PLUGINS, AUDIT = (
    "/manage/staff",
    "/manage/shops",
    "/manage/api-keys",
    "/manage/plugins",
    "/manage/audit",
)


def url(world: World, role: str) -> str:
    """Page of the first person of a role."""
    return f"{STAFF}/{ids.show(ids.STAFF, person(world, role).id)}"


async def pins_of(sql: Connection, world: World) -> int:
    return await sql.fetchval(
        "SELECT count(*) FROM core.staff WHERE tenant_id = $1 AND pin_hash IS NOT NULL", world.tenant.id
    )


async def test_a_new_person_gets_a_pin_that_is_shown_once(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    asked = read(await visitor.get(f"{STAFF}/new"))
    assert asked.fields["pin_choice"] == "generate"
    shown = read(await visitor.submit(f"{STAFF}/new", {"name": "Eve", "role": "staff", "pin_choice": "generate"}))
    found = re.search(r"data-pin-shown>(\d{4})<", shown.html)
    assert found is not None
    assert shown.fields.keys() == {"q"}, "nothing to send it again with"
    page = read(await visitor.get(STAFF))
    assert "Eve" in page.text
    assert "PINs stop unauthorised operations" in page.text
    assert "5 failed attempts lock a PIN for 30 minutes" in page.text
    assert found[1] not in page.html
    row = await sql.fetchrow(
        "SELECT id, pin_hash FROM core.staff WHERE tenant_id = $1 AND name = 'Eve'", cafe.tenant.id
    )
    eve = person(cafe, "staff").__class__(row["id"], "Eve", "staff", found[1])
    assert not (await make_till(cafe).sale(staff=eve)).refused
    assert await actions_of(sql, cafe) == ["staff.added", "staff.pin_set", "sale.record"]
    assert found[1].encode() not in row["pin_hash"]


async def test_a_form_that_is_sent_twice_adds_one_person(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "owner")
    key = read(await visitor.get(f"{STAFF}/new")).fields["key"]
    form = {"key": key, "name": "Eve", "role": "staff", "pin_choice": "generate"}
    read(await visitor.submit(f"{STAFF}/new", form))
    assert led_to(await visitor.submit(f"{STAFF}/new", form)) == STAFF
    assert await sql.fetchval("SELECT count(*) FROM core.staff WHERE name = 'Eve'") == 1


async def test_what_cannot_be_used_adds_nobody(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    base = {"name": "Eve", "role": "staff", "pin_choice": "choose", "pin": "1234"}
    for change, sentence in (
        ({}, "This PIN is too easy to guess."),
        ({"pin": "12"}, "A PIN has exactly four digits."),
        ({"name": " "}, "A name of at most 80 characters is needed."),
        ({"pin": "4951", "email": "ben@staff.example"}, "Somebody here has this e-mail address already."),
        ({"pin": "4951", "password": "long enough one"}, "Somebody who signs in needs an e-mail address."),
        ({"pin": "4951", "email": "eve@x.example", "password": "short"}, "A password has 10 to 256 characters."),
    ):
        page = read(await visitor.submit(f"{STAFF}/new", base | change), 422)
        assert sentence in page.text, sentence
        assert page.fields["name"] == (base | change)["name"]
        assert page.fields["pin_choice"] == "choose"
        assert (base | change)["pin"] not in page.fields.values(), "a PIN never comes back"
    assert await sql.fetchval("SELECT count(*) FROM core.staff WHERE tenant_id = $1", cafe.tenant.id) == 3
    assert await actions_of(sql, cafe) == []


async def test_a_locked_pin_is_shown_and_unlocked_at_once(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    anna, till = person(cafe, "staff"), make_till(cafe)
    for _ in range(5):
        assert (await till.sale(staff=anna, pin="0000")).refused
    assert (await till.sale(staff=anna)).refused
    visitor = await as_role(web, sql, cafe, "manager")
    page = read(await visitor.get(STAFF))
    assert "Locked until" in page.text
    assert f"{url(cafe, 'staff')}/unlock" in page.actions
    assert led_to(await visitor.submit(f"{url(cafe, 'staff')}/unlock", {})) == STAFF
    assert "Locked until" not in read(await visitor.get(STAFF)).text
    assert not (await till.sale(staff=anna)).refused


async def test_a_new_pin_replaces_the_old_one(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor, anna = await as_role(web, sql, cafe, "manager"), person(cafe, "staff")
    page = f"{url(cafe, 'staff')}/pin"
    assert "stops working at once" in read(await visitor.get(page)).text
    refused = read(await visitor.submit(page, {"pin_choice": "choose", "pin": "9999"}), 422)
    assert "This PIN is too easy to guess." in refused.text
    assert led_to(await visitor.submit(page, {"pin_choice": "choose", "pin": "8052"})) == STAFF
    assert (await make_till(cafe).sale(staff=anna)).refused
    assert not (await make_till(cafe).sale(staff=anna, pin="8052")).refused


async def test_changing_and_dismissing_somebody(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "owner")
    anna_there = await as_role(web, sql, cafe, "staff")
    form = read(await visitor.get(url(cafe, "staff")))
    assert form.fields["name"] == "Anna"
    assert form.fields["role"] == "staff"
    change = {"name": "Anna B.", "role": "manager", "email": "anna@b.example"}
    assert led_to(await visitor.submit(url(cafe, "staff"), change)) == STAFF
    page = read(await visitor.get(STAFF))
    assert "Anna B." in page.text
    assert "anna@b.example" in page.text
    question = read(await visitor.get(f"{url(cafe, 'staff')}/dismiss"))
    assert "PIN and password stop working at once" in question.text
    assert led_to(await visitor.submit(f"{url(cafe, 'staff')}/dismiss", {})) == STAFF
    assert "Anna B." not in read(await visitor.get(STAFF)).text.replace("Anna B. no longer has access.", "")
    assert led_to(await anna_there.get("/terminal")).startswith("/manage/log-in")
    read(await visitor.get(url(cafe, "staff")), 404)
    last = read(await visitor.submit(f"{url(cafe, 'owner')}/dismiss", {}), 409)
    assert "This is the last owner." in last.text
    assert await pins_of(sql, cafe) == 2


async def test_shops_up_to_the_limit(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    await open_shop(make_world, "big", offering="grand", limits={"shops": 10, "programs": 1})
    cafe = await open_shop(make_world, "cafe", limits={"shops": 2, "programs": 1})
    visitor = await as_role(web, sql, cafe, "manager")
    assert "1 of 2 open shops" in read(await visitor.get(SHOPS)).text
    wrong = read(await visitor.submit(f"{SHOPS}/new", {"name": "", "address": "Somewhere"}), 422)
    assert wrong.fields["address"] == "Somewhere"
    assert led_to(await visitor.submit(f"{SHOPS}/new", {"name": "Station", "address": "Platform 2"})) == SHOPS
    full = read(await visitor.get(SHOPS))
    assert "All shops of your offering are in use. For one more, Grand has room." in full.text
    assert f"{SHOPS}/new" not in full.links
    refused = read(await visitor.submit(f"{SHOPS}/new", {"name": "Third"}), 422)
    assert "You have used 2 of 2. Grand has more." in refused.text
    assert refused.fields["name"] == "Third"
    station = next(link for link in full.links if link.startswith(f"{SHOPS}/shop_") and link.endswith("close"))
    shop = station.removesuffix("/close")
    assert led_to(await visitor.submit(shop, {"name": "Main station", "address": ""})) == SHOPS
    assert "Nothing can be recorded there any more." in read(await visitor.get(f"{shop}/close")).text
    assert led_to(await visitor.submit(f"{shop}/close", {})) == SHOPS
    assert "1 of 2 open shops" in read(await visitor.get(SHOPS)).text
    assert led_to(await visitor.submit(f"{SHOPS}/new", {"name": "Third"})) == SHOPS
    assert led_to(await visitor.submit(f"{shop}/open", {})) == SHOPS
    assert "You have used 2 of 2. Grand has more." in read(await visitor.get(SHOPS)).text
    assert await actions_of(sql, cafe) == ["shop.added", "shop.changed", "shop.closed", "shop.added"]


async def test_without_api_access_the_page_names_the_offering(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    await open_shop(make_world, "big", offering="grand", features=(*FEATURES, "api_access"))
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "owner")
    page = read(await visitor.get(KEYS))
    assert "API access is part of Grand" in page.text
    assert f"{KEYS}/new" not in page.links
    read(await visitor.get(f"{KEYS}/new"), 404)
    refused = await visitor.submit(f"{KEYS}/new", {"name": "Till", "permissions": "sales.record"})
    assert "it is part of Grand" in read(refused, 403).text


async def test_a_key_is_shown_once_works_and_is_revoked(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe", features=(*FEATURES, "api_access"))
    visitor = await as_role(web, sql, cafe, "owner")
    form = read(await visitor.get(f"{KEYS}/new"))
    assert "Manage API keys" not in form.text.partition("What it may do")[2]
    wrong = read(await visitor.submit(f"{KEYS}/new", {"name": ""}), 422)
    assert "Choose at least one permission." in wrong.text
    too_much = {"name": "Evil", "permissions": "apikeys.manage"}
    assert "You cannot give these permissions" in read(await visitor.submit(f"{KEYS}/new", too_much), 422).text
    values = {"name": "Till two", "permissions": "programs.view", "shop": ids.show(ids.SHOP, cafe.shop_id)}
    shown = read(await visitor.submit(f"{KEYS}/new", values))
    found = re.search(r"data-key-shown>(rk_live_\w+)<", shown.html)
    assert found is not None
    till = web.at(cafe.host, authorization=f"Bearer {found[1]}")
    assert (await till.get("/api/v1/store/loyalty/program")).status_code == 200
    assert (await till.get("/api/v1/store/loyalty/stats")).status_code == 403
    page = read(await visitor.get(KEYS))
    assert found[1] not in page.html
    assert "Till two" in page.text
    assert "Main street" in page.text
    key = next(action for action in page.actions if action.startswith(f"{KEYS}/key_"))
    assert "A revoked key cannot be brought back." in read(await visitor.get(key)).text
    assert led_to(await visitor.submit(key, {})) == KEYS
    assert (await till.get("/api/v1/store/loyalty/program")).status_code == 401
    gone = [action for action in read(await visitor.get(KEYS)).actions if action == key]
    assert gone == []
    read(await visitor.get(key), 404)
    assert await actions_of(sql, cafe) == ["apikey.created", "apikey.revoked"]


async def test_an_extension_is_off_at_the_next_request_and_back(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "owner")
    page = read(await visitor.get(PLUGINS))
    assert "Stamp cards" in page.text
    assert "Not in your offering" in page.text, "the probe is not in the offering"
    question = read(await visitor.get(f"{PLUGINS}/stamps/off"))
    assert "Nobody can collect or redeem at the terminal: Stamps." in question.text
    assert "What it has stored stays." in question.text
    assert led_to(await visitor.submit(f"{PLUGINS}/stamps/off", {})) == PLUGINS
    assert "Stamps needed" not in read(await visitor.get("/manage/program")).text
    read(await visitor.get("/manage/p/stamps/"), 404)
    off = read(await visitor.get(PLUGINS))
    assert f"{PLUGINS}/stamps/on" in off.actions
    assert led_to(await visitor.submit(f"{PLUGINS}/stamps/on", {})) == PLUGINS
    assert "Stamps needed" in read(await visitor.get("/manage/program")).text
    refused = read(await visitor.submit(f"{PLUGINS}/probe/on", {}), 403)
    assert "This is switched off for you. Please ask us for it." in refused.text
    assert await actions_of(sql, cafe) == ["plugin.switched", "plugin.switched"]


async def lines(visitor: Browser, query: str = "") -> list[list[str]]:
    """The audit log as a file."""
    response = await visitor.get(f"{AUDIT}/export{query}")
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


async def test_the_audit_log_is_searched_filtered_and_exported(
    web: WebServer, make_world: MakeWorld, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    cafe = await open_shop(make_world, "cafe")
    till, visitor = make_till(cafe), await as_role(web, sql, cafe, "manager")
    await till.sale(staff=person(cafe, "staff"))
    await till.sale(staff=person(cafe, "staff"))
    assert led_to(await visitor.submit(f"{url(cafe, 'staff')}/unlock", {})) == STAFF
    page = read(await visitor.get(AUDIT))
    for words in ("Recorded a sale", "Refused", "antifraud.cooldown", "Unlocked a PIN", "1–3 of 3"):
        assert words in page.text, words
    sales = read(await visitor.get(f"{AUDIT}?action=sale."))
    assert "1–2 of 2" in sales.text
    assert "Unlocked a PIN" not in sales.text
    assert f"{AUDIT}/export?action=sale." in sales.links
    assert "1–1 of 1" in read(await visitor.get(f"{AUDIT}?q=ben")).text
    everything = await lines(visitor)
    assert everything[0][:5] == ["When", "Who", "Kind", "Action", "Outcome"]
    assert [(row[1], row[3], row[4]) for row in everything[1:]] == [
        ("Ben", "staff.pin_unlocked", "done"),
        ("Anna", "sale.record", "refused"),
        ("Anna", "sale.record", "done"),
    ]
    assert len(await lines(visitor, "?action=sale.")) == 3
