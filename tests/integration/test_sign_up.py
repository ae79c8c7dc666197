"""A stranger opens a shop: three forms, once, at an address of its own."""

from __future__ import annotations

import asyncio

import pytest
from asyncpg import Connection
from redis.asyncio import Redis
from signing_up import link_mailed_to, owner, sell, stranger
from visitors import led_to, read

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.plugin import Servers
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World
from regulars.web.limits import SIGN_UPS, SIGN_UPS_OF_ADDRESS
from regulars.web.services import EXTENSION

TENANT = "SELECT * FROM core.tenant WHERE slug = $1"


@pytest.fixture(autouse=True)
async def nothing_counted(servers: Servers) -> None:
    """Nobody has signed up so far: the limits are the whole platform's, and all tests share one Redis."""
    async with Redis.from_url(servers.redis.url) as redis:
        await redis.flushdb()


@pytest.fixture
async def town(web: WebServer, sql: Connection, cafe: World) -> WebServer:
    """An installation with offerings, and one merchant at `cafe`."""
    await sell(sql)
    return web


async def test_the_shop_is_live_and_its_owner_is_in(town: WebServer, sql: Connection) -> None:
    address = await stranger(town).all_of_it("cafe-siauliu")
    assert address.startswith("http://cafe-siauliu.localhost:8000/manage/enter/")
    browser = await owner(town, address)
    dashboard = read(await browser.get("/manage"))
    assert "Café Šiaulių" in dashboard.text
    assert "Marie" in dashboard.text
    assert "Please confirm your mail address" in dashboard.text
    tenant = await sql.fetchrow(TENANT, "cafe-siauliu")
    assert (tenant["currency"], tenant["timezone"], tenant["country"]) == ("EUR", "Europe/Dublin", "IE")
    assert (tenant["offering"], tenant["status"]) == ("basic", "active")
    assert tenant["verify_by"] - tenant["signed_up_at"] == await sql.fetchval("SELECT interval '7 days'")
    sandbox = await sql.fetchrow(TENANT, "cafe-siauliu--test")
    assert sandbox["live_tenant_id"] == tenant["id"]
    key = tenant["id"]
    assert await sql.fetchval("SELECT name FROM core.shop WHERE tenant_id = $1", key) == "Café Šiaulių"
    program = await sql.fetchrow("SELECT kind, status, require_pin FROM core.program WHERE tenant_id = $1", key)
    assert tuple(program) == ("stamps", "setup", True)
    person = await sql.fetchrow("SELECT name, role, email, locale FROM core.staff WHERE tenant_id = $1", key)
    assert tuple(person) == ("Marie", "owner", "marie@example.com", "en")
    lines = await sql.fetch("SELECT action FROM core.audit_log WHERE tenant_id = $1", key)
    assert {"tenant.created", "staff.added", "program.created", "staff.link_sent", "staff.log_in"} <= {
        line["action"] for line in lines
    }
    told = await sql.fetchrow("SELECT reason, ip FROM core.platform_audit WHERE action = 'tenant.created'")
    assert tuple(told) == ("signed up", "127.0.0.1")


async def test_what_was_typed_survives(town: WebServer) -> None:
    visitor = stranger(town)
    await visitor.about(name="Café du Coin", country="LU")
    assert read(await visitor.browser.get("/sign-up")).fields["name"] == "Café du Coin"
    assert read(await visitor.browser.get("/sign-up/address")).fields["slug"] == "cafe-du-coin"
    await visitor.address("coin")
    assert read(await visitor.browser.get("/sign-up/address")).fields["slug"] == "coin"
    await visitor.about(name="Café de la Gare", country="LU")
    assert read(await visitor.browser.get("/sign-up/address")).fields["slug"] == "coin"
    assert "coin.localhost" in read(await visitor.browser.get("/sign-up/offering")).text


async def test_nobody_gets_ahead_without_the_steps_before(town: WebServer, sql: Connection) -> None:
    visitor = stranger(town)
    for path in ("/sign-up/address", "/sign-up/offering"):
        assert led_to(await visitor.browser.get(path)) == "/sign-up"
    assert led_to(await visitor.open()) == "/sign-up"
    assert led_to(await visitor.browser.submit("/sign-up/enter", {})) == "/sign-up"
    await visitor.about()
    assert led_to(await visitor.browser.get("/sign-up/offering")) == "/sign-up/address"
    assert led_to(await visitor.browser.get("/sign-up/address/check?slug=x")) == "/sign-up/address"
    left = await sql.fetchval("SELECT expires_at - now() FROM core.sign_up")
    assert 86_000 < left.total_seconds() <= 86_400
    await sql.execute("UPDATE core.sign_up SET expires_at = now()")
    assert led_to(await visitor.browser.get("/sign-up/address")) == "/sign-up"


async def test_every_fault_is_told_at_once_and_nothing_is_lost(town: WebServer, sql: Connection) -> None:
    page = read(await stranger(town).about(email="marie", name="", country="ZZ", terms=""), 422)
    for words in ("such as name@example.com", "name of your business", "choose the country", "accept the terms"):
        assert words in page.text
    assert page.fields["email"] == "marie"
    page = read(await stranger(town).about(website="http://spam.example"), 422)
    assert "Please leave the last field empty" in page.text
    assert await sql.fetchval("SELECT count(*) FROM core.sign_up") == 0


REFUSED = {
    "www": "is reserved",
    "console": "is reserved",
    "rnail": "looks like another one",
    "cafе": "Use 2 to 40 lower-case letters",
    "xn--caf-dma": "Use 2 to 40 lower-case letters",
    "cafe--test": "Use 2 to 40 lower-case letters",
    "a": "Use 2 to 40 lower-case letters",
    "cafe": "is taken",
    "old-cafe": "is taken",
}


async def test_what_cannot_be_had_is_refused_with_others(town: WebServer, sql: Connection, cafe: World) -> None:
    await sql.execute("INSERT INTO core.tenant_host VALUES ('old-cafe.localhost', $1, false)", cafe.tenant.id)
    visitor, htmx = stranger(town), {"HX-Request": "true"}
    await visitor.about()
    for slug, sentence in REFUSED.items():
        typed = await visitor.browser.get("/sign-up/address/check", params={"slug": slug}, headers=htmx)
        page = read(await visitor.address(slug), 422)
        assert page.fields["slug"] == slug
        for seen in (read(typed), page):
            assert sentence in seen.text, slug
            others = [link for link in seen.links if link.startswith("/sign-up/address?slug=")]
            assert len(others) == 3
        assert "is free" in read(await visitor.browser.get(others[0])).text
    assert await sql.fetchval("SELECT slug FROM core.sign_up") == ""


async def test_the_hosts_of_the_platform_itself_are_not_given_away(
    config: Config, probed_registry: PluginRegistry, sql: Connection, cafe: World
) -> None:
    await sell(sql)
    moved = config.model_copy(update={"console_host": "house.localhost"})
    async with serving(create_app(moved, registry=probed_registry)) as web:
        visitor = stranger(web)
        await visitor.about()
        assert "is taken" in read(await visitor.address("house"), 422).text


async def test_whoever_chooses_first_holds_the_address_for_a_while(town: WebServer, sql: Connection) -> None:
    first, second = stranger(town), stranger(town)
    await first.about()
    await second.about(email="paul@example.com")
    assert led_to(await first.address("kava")) == "/sign-up/offering"
    assert "is taken" in read(await second.address("kava"), 422).text
    await sql.execute("UPDATE core.sign_up SET claimed_until = now() - interval '1 second' WHERE slug = 'kava'")
    assert led_to(await second.address("kava")) == "/sign-up/offering"
    page = read(await first.open(), 422)
    assert "“kava” is taken" in page.text
    assert led_to(await second.open()).startswith("http://kava.localhost:8000/")
    assert await sql.fetchval("SELECT count(*) FROM core.tenant WHERE slug = 'kava'") == 1


async def test_of_many_at_once_one_gets_the_address(town: WebServer, sql: Connection) -> None:
    crowd = [stranger(town) for _ in range(6)]
    for number, one in enumerate(crowd):
        await one.about(email=f"guest{number}@example.com")
    answers = await asyncio.gather(*(one.address("kava") for one in crowd))
    assert sorted(answer.status_code for answer in answers) == [303, *[422] * 5]
    assert await sql.fetchval("SELECT count(*) FROM core.sign_up WHERE slug = 'kava'") == 1


async def test_a_form_that_is_sent_many_times_opens_one_shop(town: WebServer, sql: Connection) -> None:
    visitor = stranger(town)
    await visitor.about()
    await visitor.address("kava")
    answers = await asyncio.gather(*(visitor.open() for _ in range(5)))
    addresses = {led_to(answer) for answer in answers}
    assert len(addresses) == 5
    assert {address.partition("/manage")[0] for address in addresses} == {"http://kava.localhost:8000"}
    assert await sql.fetchval("SELECT count(*) FROM core.tenant WHERE slug LIKE 'kava%'") == 2
    assert await sql.fetchval("SELECT count(*) FROM core.staff WHERE email = 'marie@example.com'") == 1
    assert await sql.fetchval("SELECT count(*) FROM core.mail WHERE recipient = 'marie@example.com'") == 1


async def test_what_died_half_way_is_finished_by_the_next_try(town: WebServer, sql: Connection) -> None:
    visitor = stranger(town)
    await visitor.about()
    await visitor.address("kava")
    await sql.execute("ALTER TABLE core.staff_link RENAME TO staff_link_away")
    assert (await visitor.open()).status_code == 500
    assert await sql.fetchval("SELECT count(*) FROM core.staff WHERE email = 'marie@example.com'") == 0
    await sql.execute("ALTER TABLE core.staff_link_away RENAME TO staff_link")
    await owner(town, led_to(await visitor.open()))
    assert await sql.fetchval("SELECT count(*) FROM core.staff WHERE email = 'marie@example.com'") == 1


async def test_an_unknown_offering_is_none(town: WebServer, sql: Connection) -> None:
    visitor = stranger(town)
    await visitor.about(offering="plus")
    await visitor.address("kava")
    assert read(await visitor.browser.get("/sign-up/offering")).fields["offering"] == "plus"
    assert "Please choose an offering" in read(await visitor.open("gold"), 422).text
    assert await sql.fetchval("SELECT count(*) FROM core.tenant WHERE slug = 'kava'") == 0


async def test_no_offering_promises_what_is_not_installed(town: WebServer, sql: Connection) -> None:
    await sql.execute('UPDATE core.offering SET features = features || \'["campaigns", "segments"]\'')
    visitor = stranger(town)
    await visitor.about()
    await visitor.address("kava")
    text = read(await visitor.browser.get("/sign-up/offering")).text
    assert "Stamp cards" in text
    assert "1 shop, 1 program" in text
    assert "10 shops, 10 programs" in text
    assert not [word for word in ("Campaigns", "campaigns", "Segments", "segments") if word in text]


class TestGettingIn:
    """The link between the bare host and the own one."""

    async def test_a_link_is_good_once(self, town: WebServer) -> None:
        address = await stranger(town).all_of_it("kava")
        read(await town.at("kava.localhost").get(address.partition(":8000")[2]))
        await owner(town, address)  # looking has used nothing up
        other = town.at("kava.localhost")
        path = address.partition(":8000")[2]
        assert "This link has ended" in read(await other.get(path), 404).text
        assert "This link has ended" in read(await other.submit(path, {}), 404).text
        assert led_to(await other.get("/manage")).startswith("/manage/log-in")

    async def test_of_many_at_once_one_gets_in(self, town: WebServer) -> None:
        path = (await stranger(town).all_of_it("kava")).partition(":8000")[2]
        answers = await asyncio.gather(*(town.at("kava.localhost").submit(path, {}) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [303, *[404] * 4]

    async def test_it_ends_after_two_minutes(self, town: WebServer, sql: Connection) -> None:
        visitor = stranger(town)
        address = await visitor.all_of_it("kava")
        lifetime = await sql.fetchval("SELECT expires_at - created_at FROM core.staff_link WHERE kind = 'enter'")
        assert lifetime.total_seconds() == 120
        await sql.execute("UPDATE core.staff_link SET expires_at = now() - interval '1 second' WHERE kind = 'enter'")
        page = read(await town.at("kava.localhost").get(address.partition(":8000")[2]), 404)
        assert "http://localhost:8000/sign-up" in page.links
        assert "Café Šiaulių is open" in read(await visitor.browser.get("/sign-up")).text
        await owner(town, led_to(await visitor.browser.submit("/sign-up/enter", {})))
        left = await sql.fetchval("SELECT expires_at - now() FROM core.sign_up")
        assert 3500 < left.total_seconds() <= 3600
        await sql.execute("UPDATE core.sign_up SET expires_at = now()")
        assert led_to(await visitor.browser.submit("/sign-up/enter", {})) == "/sign-up"

    async def test_it_opens_no_other_shop_and_is_stored_nowhere(self, town: WebServer, sql: Connection) -> None:
        await stranger(town).all_of_it("arbata", email="paul@example.com")
        path = (await stranger(town).all_of_it("kava")).partition(":8000")[2]
        rows = await sql.fetch("SELECT to_jsonb(l)::text AS row FROM core.staff_link l")
        assert not [row for row in rows if path.rpartition("/")[2] in row["row"]]
        for host in ("arbata.localhost", "kava--test.localhost"):
            assert (await town.at(host).submit(path, {})).status_code == 404
        assert (await town.at("kava.localhost").submit(path, {})).status_code == 303

    async def test_a_browser_gets_in_again_until_there_is_a_password(self, town: WebServer, sql: Connection) -> None:
        visitor = stranger(town)
        browser = await owner(town, await visitor.all_of_it("kava"))
        link = await link_mailed_to(sql, "marie@example.com")
        assert led_to(await browser.submit(link, {"password": "ten letters"})) == "/manage"
        assert led_to(await visitor.browser.submit("/sign-up/enter", {})) == "http://kava.localhost:8000/manage/log-in"

    async def test_another_shop_is_another_sign_up(self, town: WebServer, sql: Connection) -> None:
        visitor = stranger(town)
        await visitor.all_of_it("kava")
        assert led_to(await visitor.browser.submit("/sign-up/another", {})) == "/sign-up"
        await visitor.all_of_it("arbata")
        assert await sql.fetchval("SELECT count(*) FROM core.staff WHERE email = 'marie@example.com'") == 2
        told = await sql.fetch("SELECT text_body FROM core.mail WHERE recipient = 'marie@example.com' ORDER BY id")
        assert "http://kava.localhost:8000/" in told[1]["text_body"]
        assert ["You also own" in row["text_body"] for row in told] == [False, True]


class TestAbuse:
    """Limits that are counted, and what happens when they cannot be."""

    async def test_an_address_opens_three_shops_a_day(self, town: WebServer, sql: Connection) -> None:
        parts = town.app.extensions[EXTENSION]
        for _ in range(SIGN_UPS_OF_ADDRESS.count):
            await parts.limiter.check(SIGN_UPS_OF_ADDRESS, None, "marie@example.com")
        visitor = stranger(town)
        await visitor.about()
        await visitor.address("pyragas")
        page = read(await visitor.open(), 429)
        assert "There were too many tries. Please wait 1440 minutes; what you typed is kept." in page.text
        assert await sql.fetchval("SELECT count(*) FROM core.tenant WHERE slug = 'pyragas'") == 0

    async def test_a_visitor_opens_ten_shops_an_hour(self, town: WebServer) -> None:
        parts = town.app.extensions[EXTENSION]
        for _ in range(SIGN_UPS.count):
            await parts.limiter.check(SIGN_UPS, None, "127.0.0.1")
        visitor = stranger(town)
        await visitor.about()
        await visitor.address("kava")
        assert (await visitor.open()).status_code == 429

    async def test_all_together_are_limited(
        self, config: Config, probed_registry: PluginRegistry, sql: Connection, cafe: World
    ) -> None:
        await sell(sql)
        async with serving(
            create_app(config.model_copy(update={"signups_per_hour": 1}), registry=probed_registry)
        ) as web:
            await stranger(web).all_of_it("kava")
            visitor = stranger(web)
            await visitor.about(email="paul@example.com")
            await visitor.address("arbata")
            assert "Please wait 60 minutes" in read(await visitor.open(), 429).text

    async def test_closed_means_ask_us(
        self, config: Config, probed_registry: PluginRegistry, sql: Connection, cafe: World
    ) -> None:
        await sell(sql)
        closed = config.model_copy(update={"signups_per_hour": 0, "contact": "hello@regulars.example"})
        async with serving(create_app(closed, registry=probed_registry)) as web:
            front = read(await web.at("localhost").get("/"))
            assert "Write to hello@regulars.example" in front.text
            assert not [link for link in front.links if link.startswith("/sign-up")]
            assert "Ask us" in read(await web.at("localhost").get("/sign-up")).text
            assert "Ask us" in read(await stranger(web).about()).text
        assert await sql.fetchval("SELECT count(*) FROM core.sign_up") == 0

    async def test_nobody_signs_up_while_it_cannot_be_counted(
        self, config: Config, probed_registry: PluginRegistry, sql: Connection, cafe: World
    ) -> None:
        await sell(sql)
        deaf = config.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
        async with serving(create_app(deaf, registry=probed_registry)) as web:
            page = read(await stranger(web).about(), 503)
        assert "Signing up does not work at this moment" in page.text
        assert page.fields["email"] == "marie@example.com"
        assert await sql.fetchval("SELECT count(*) FROM core.sign_up") == 0

    async def test_whose_address_is_known_is_not_told(self, town: WebServer, sql: Connection) -> None:
        await stranger(town).all_of_it("kava")
        known, unknown = stranger(town), stranger(town)
        await known.about()
        await unknown.about(email="nobody@example.com")
        pages = [read(await one.browser.get("/sign-up/address")).text for one in (known, unknown)]
        assert pages[0] == pages[1]
