"""Links to a new password: who gets one, what it proves, and what happens to merchants that prove nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from asyncpg import Connection
from redis.asyncio import Redis
from signing_up import link_mailed_to, owner, sell, stranger
from visitors import led_to, read, staff_at

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.messaging.office import HELD_BACK, UNPROVED_MAILS
from regulars.domain.signup.jobs import suspend_unverified
from regulars.domain.tenants.service import set_status
from regulars.domain.upkeep.repository import delete_old
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import CronTick
from regulars.testing.clock import Clock
from regulars.testing.plugin import Servers
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

EMAIL = "marie@example.com"
NEW = {"password": "correct horse battery"}


@pytest.fixture(autouse=True)
async def nothing_counted(servers: Servers) -> None:
    """Nobody has signed up so far: the limits are the whole platform's, and all tests share one Redis."""
    async with Redis.from_url(servers.redis.url) as redis:
        await redis.flushdb()


@pytest.fixture
async def kava(web: WebServer, sql: Connection, cafe: World) -> Browser:
    """The owner of a shop that has just been opened at `kava`."""
    await sell(sql)
    return await owner(web, await stranger(web).all_of_it("kava"))


async def verify_by(sql: Connection) -> object:
    return await sql.fetchval("SELECT verify_by FROM core.tenant WHERE slug = 'kava'")


async def test_the_welcome_mail_leads_to_a_password_and_proves_the_address(
    web: WebServer, sql: Connection, kava: Browser
) -> None:
    link = await link_mailed_to(sql, EMAIL)
    elsewhere = web.at("kava.localhost")
    assert "You sign in with marie@example.com" in read(await elsewhere.get(link)).text
    assert "at least" in read(await elsewhere.submit(link, {"password": "short"}), 422).text.lower()
    assert await verify_by(sql) is not None
    assert led_to(await elsewhere.submit(link, NEW)) == "/manage"
    assert "Please confirm" not in read(await elsewhere.get("/manage")).text
    assert await verify_by(sql) is None
    lines = await sql.fetch("SELECT action FROM core.audit_log ORDER BY id DESC LIMIT 3")
    assert {line["action"] for line in lines} == {"staff.password_set", "tenant.verified", "staff.log_in"}
    assert led_to(await kava.get("/manage")).startswith("/manage/log-in"), "other sessions end"
    assert "This link has ended" in read(await elsewhere.submit(link, NEW), 404).text
    log_in = {"email": EMAIL, **NEW}
    assert led_to(await web.at("kava.localhost").submit("/manage/log-in", log_in)) == "/manage"


async def test_a_link_belongs_to_one_shop_and_ends(web: WebServer, sql: Connection, kava: Browser) -> None:
    link = await link_mailed_to(sql, EMAIL)
    for host in ("cafe.localhost", "kava--test.localhost"):
        assert (await web.at(host).submit(link, NEW)).status_code == 404
    enter = link.replace("/password/", "/enter/")
    assert (await web.at("kava.localhost").submit(enter, {})).status_code == 404
    await sql.execute("UPDATE core.staff_link SET expires_at = now() WHERE kind = 'password'")
    assert (await kava.submit(link, NEW)).status_code == 404


async def test_it_is_sent_again_a_few_times(sql: Connection, kava: Browser) -> None:
    first = await link_mailed_to(sql, EMAIL)
    for _ in range(5):
        assert led_to(await kava.submit("/manage/proof", {})) == "/manage"
    assert "A new link is on its way to marie@example.com" in read(await kava.get("/manage")).text
    assert await link_mailed_to(sql, EMAIL) != first
    await kava.submit("/manage/proof", {})
    assert "We have sent it several times" in read(await kava.get("/manage")).text
    assert await sql.fetchval("SELECT count(*) FROM core.mail WHERE recipient = $1", EMAIL) == 6


async def test_only_owners_are_asked_to_prove_it(web: WebServer, sql: Connection, cafe: World) -> None:
    await sql.execute("UPDATE core.tenant SET verify_by = now() + interval '1 day' WHERE slug = 'cafe'")
    manager = await staff_at(web, sql, cafe)
    assert "Please confirm" not in read(await manager.get("/manage")).text
    assert (await manager.submit("/manage/proof", {})).status_code == 403


async def test_a_forgotten_password_is_renewed_by_mail(web: WebServer, sql: Connection, cafe: World) -> None:
    visitor = web.at(cafe.host)
    assert "/manage/forgotten" in read(await visitor.get("/manage/log-in")).links
    assert "such as name@example.com" in read(await visitor.submit("/manage/forgotten", {"email": "ben"}), 422).text
    known = read(await visitor.submit("/manage/forgotten", {"email": " Ben@staff.example "})).text
    unknown = read(await visitor.submit("/manage/forgotten", {"email": "nobody@staff.example"})).text
    assert known.lower().replace("ben@", "nobody@") == unknown.lower()
    assert await sql.fetchval("SELECT count(*) FROM core.mail") == 1
    link = await link_mailed_to(sql, "ben@staff.example")
    left = await sql.fetchval("SELECT expires_at - created_at FROM core.staff_link")
    assert left.total_seconds() == 3600
    answers = await asyncio.gather(*(web.at(cafe.host).submit(link, NEW) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]
    assert led_to(await visitor.submit("/manage/log-in", {"email": "ben@staff.example", **NEW})) == "/manage"


async def test_whoever_left_gets_in_by_no_link(web: WebServer, sql: Connection, cafe: World) -> None:
    visitor = web.at(cafe.host)
    await visitor.submit("/manage/forgotten", {"email": "ben@staff.example"})
    link = await link_mailed_to(sql, "ben@staff.example")
    await sql.execute("UPDATE core.staff SET status = 'inactive' WHERE name = 'Ben'")
    assert (await visitor.submit(link, NEW)).status_code == 404


async def test_links_are_mailed_five_times_an_hour_however_the_address_is_written(
    web: WebServer, sql: Connection, cafe: World
) -> None:
    visitor = web.at(cafe.host)
    for email in ("ben@staff.example", " BEN@staff.example", "b\u200ben@staff.example", "ben@ｓtaff.example"):
        read(await visitor.submit("/manage/forgotten", {"email": email}))
    read(await visitor.submit("/manage/forgotten", {"email": "be\u200bn@staff.example"}))
    page = read(await visitor.submit("/manage/forgotten", {"email": "ben@staff.example"}), 429)
    assert "Please wait 60 minutes" in page.text
    assert await sql.fetchval("SELECT count(*) FROM core.mail") == 5


async def test_whoever_proves_nothing_pauses_until_an_operator_vouches(
    web: WebServer, sql: Connection, kava: Browser, database: Database, clock: Clock
) -> None:
    await stranger(web).all_of_it("arbata", email="paul@example.com")
    await sql.execute("UPDATE core.tenant SET verify_by = NULL WHERE slug = 'arbata'")
    await clock.advance(days=6, hours=23)
    assert await paused(database, sql) == set()
    await clock.advance(hours=1)
    assert await paused(database, sql) == {"kava", "kava--test"}
    said = read(await kava.get("/manage/members"), 403).text
    assert "Get a new link at kava.localhost/manage/forgotten." in said
    assert (await kava.get("/card")).status_code == 403
    told = await sql.fetchrow("SELECT actor_kind, reason FROM core.platform_audit WHERE action = 'tenant.suspended'")
    assert tuple(told) == ("system", "no owner's address proved right in time")
    async with database.platform("test") as session:
        tenant_id = await sql.fetchval("SELECT id FROM core.tenant WHERE slug = 'kava'")
        await set_status(session, SYSTEM, tenant_id, "active", reason="they called")
    assert await paused(database, sql) == set()
    assert await verify_by(sql) is None


async def test_a_paused_owner_proves_the_address_by_a_new_link(
    web: WebServer,
    sql: Connection,
    kava: Browser,
    clock: Clock,
    database: Database,
    run_jobs: Callable[[], Awaitable[list[tuple[str, str]]]],
) -> None:
    """The mail goes out though the shop pauses; where an operator has suspended it, no mail and no link helps."""
    await clock.advance(days=8)
    assert await paused(database, sql) == {"kava", "kava--test"}
    visitor = web.at("kava.localhost")
    read(await visitor.submit("/manage/forgotten", {"email": EMAIL}))
    assert ("core.send_mail", "done") in await run_jobs()
    link = await link_mailed_to(sql, EMAIL)
    async with database.platform("test") as session:
        tenant_id = await sql.fetchval("SELECT id FROM core.tenant WHERE slug = 'kava'")
        await sql.execute("UPDATE core.tenant SET verify_by = now() WHERE slug = 'cafe'")
        cafe_id = await sql.fetchval("SELECT id FROM core.tenant WHERE slug = 'cafe'")
        await set_status(session, SYSTEM, cafe_id, "suspended", reason="spam")
    assert (await web.at("cafe.localhost").get("/manage/forgotten")).status_code == 403
    assert led_to(await visitor.submit(link, NEW)) == "/manage"
    assert (await visitor.get("/manage")).status_code == 200
    assert await paused(database, sql) == {"cafe"}
    assert await verify_by(sql) is None
    details = "SELECT details FROM core.audit_log WHERE action = 'tenant.verified' AND tenant_id = $1"
    assert json.loads(await sql.fetchval(details, tenant_id)) == {"reactivated": True}


async def test_few_mails_go_out_before_the_address_proved_right(web: WebServer, sql: Connection, cafe: World) -> None:
    await sql.execute("UPDATE core.tenant SET verify_by = now() + interval '1 day' WHERE slug = 'cafe'")
    await sql.execute(
        "INSERT INTO core.mail (tenant_id, id, template, recipient, event_id, subject, text_body, html_body) "
        "SELECT $1, gen_random_uuid(), 'mails/welcome', n::text, gen_random_uuid(), '', '', '' "
        "FROM generate_series(2, $2::int) n",
        cafe.tenant.id,
        UNPROVED_MAILS,
    )
    visitor = web.at(cafe.host)
    for _ in range(2):
        read(await visitor.submit("/signin", {"email": cafe.card.email}))
    rows = await sql.fetch("SELECT status, error FROM core.mail WHERE recipient = $1 ORDER BY id", cafe.card.email)
    assert [tuple(row) for row in rows] == [("queued", ""), ("failed", HELD_BACK)]


async def test_old_links_and_sign_ups_are_swept(sql: Connection, kava: Browser, database: Database) -> None:
    await sql.execute("UPDATE core.sign_up SET expires_at = now() - interval '1 second'")
    await sql.execute("UPDATE core.staff_link SET expires_at = now() - interval '31 days' WHERE kind = 'enter'")
    async with database.platform("test") as session:
        deleted = await delete_old(session)
    assert (deleted["sign_up"], deleted["staff_link"]) == (1, 1)


async def paused(database: Database, sql: Connection) -> set[str]:
    """Run the job, and see who is suspended."""
    async with database.platform("test") as session:
        await suspend_unverified(CronTick(session, await sql.fetchval("SELECT now()")))
    return {row["slug"] for row in await sql.fetch("SELECT slug FROM core.tenant WHERE status = 'suspended'")}
