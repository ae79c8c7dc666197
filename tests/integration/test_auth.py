"""Signing in and out: staff on their tenant's host, operators on the console's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from conftest import EVERYTHING
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.operators import service as operators
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.passwords import hash_password
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

PASSWORD = "correct horse battery"
STAFF_PAGE = "/manage/p/probe/staff-only"


async def change(config: Config, sql: str, **values: object) -> None:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(sql), values)


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], config: Config) -> World:
    """A tenant whose Ben (a manager) has a password."""
    made = await make_world("signed", offering="all", features=EVERYTHING)
    await change(
        config,
        "UPDATE core.staff SET password_hash = :hash WHERE id = :id",
        hash=await hash_password(PASSWORD),
        id=made.staff[1].id,
    )
    return made


async def sign_in(visitor: Browser, password: str = PASSWORD, **more: str) -> object:
    return await visitor.submit("/manage/log-in", {"email": "BEN@staff.example", "password": password, **more})


async def test_whoever_is_not_signed_in_comes_back_afterwards(web: WebServer, world: World) -> None:
    visitor = web.at(world.host)
    sent = await visitor.get(f"{STAFF_PAGE}?a=b&c=d")
    assert (sent.status_code, sent.headers["Location"]) == (
        303,
        "/manage/log-in?next=%2Fmanage%2Fp%2Fprobe%2Fstaff-only%3Fa%3Db%26c%3Dd",
    )
    form = await visitor.get(sent.headers["Location"])
    assert (form.status_code, "/manage/p/probe/staff-only?a=b&amp;c=d" in form.text) == (200, True)
    back = await sign_in(visitor, next=f"{STAFF_PAGE}?a=b&c=d")
    assert (back.status_code, back.headers["Location"]) == (303, f"{STAFF_PAGE}?a=b&c=d")
    assert (await visitor.get(back.headers["Location"])).text == "staff Ben"
    posted = await web.at(world.host).submit(STAFF_PAGE, {})
    assert (posted.status_code, posted.headers["Location"]) == (303, "/manage/log-in")
    lively = await web.at(world.host).get(STAFF_PAGE, headers={"HX-Request": "true"})
    assert (lively.status_code, lively.headers["HX-Redirect"].split("?")[0]) == (204, "/manage/log-in")


async def test_next_leads_nowhere_else(web: WebServer, world: World) -> None:
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y"):
        visitor = web.at(world.host)
        answer = await sign_in(visitor, next=evil)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/manage"), evil
        form = await web.at(world.host).get("/manage/log-in", params={"next": evil})
        assert "evil" not in form.text


async def test_a_session_begins_and_ends(web: WebServer, world: World, config: Config) -> None:
    visitor = web.at(world.host)
    before = await visitor.get("/manage/log-in")
    assert "set-cookie" not in before.headers
    await sign_in(visitor)
    first = visitor.client.cookies["rg_staff"]
    await sign_in(visitor)
    second = visitor.client.cookies["rg_staff"]
    assert first != second
    assert (await web.at(world.host, cookie=f"rg_staff={first}").get(STAFF_PAGE)).status_code == 303
    assert (await visitor.get(STAFF_PAGE)).text == "staff Ben"
    out = await visitor.submit("/manage/log-out", {})
    assert (out.status_code, "rg_staff" in visitor.client.cookies) == (303, False)
    stale = await web.at(world.host, cookie=f"rg_staff={second}").get(STAFF_PAGE)
    assert stale.status_code == 303
    assert "rg_staff=;" in stale.headers["Set-Cookie"]


async def test_wrong_passwords_look_alike_and_lock(web: WebServer, world: World, config: Config) -> None:
    visitor = web.at(world.host)
    wrong = await sign_in(visitor, "wrong password")
    unknown = await visitor.submit("/manage/log-in", {"email": "nobody@staff.example", "password": "x"})
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text.replace("BEN@staff.example", "") == unknown.text.replace("nobody@staff.example", "")
    for _ in range(4):
        await sign_in(visitor, "wrong password")
    locked = await sign_in(visitor)
    assert (locked.status_code, "rg_staff" in visitor.client.cookies) == (401, False)


async def test_roles_are_kept_apart(web: WebServer, world: World) -> None:
    visitor = web.at(world.host)
    await sign_in(visitor)
    refused = await visitor.get("/manage/p/probe/owners-only")
    assert refused.status_code == 403
    assert "You may not do this." in refused.text
    assert '<a class="btn btn-primary" href="/manage">' in refused.text


async def test_operators_sign_in_on_the_console_only(web: WebServer, database: Database, world: World) -> None:
    async with database.platform("test") as session:
        await operators.add(session, SYSTEM, "op@example.org", "Olga Operator", PASSWORD)
    visitor = web.at("console.localhost")
    sent = await visitor.get("/")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/log-in?next=%2F")
    credentials = {"email": "op@example.org", "password": PASSWORD}
    wrong = await visitor.submit("/log-in", credentials | {"password": "x"})
    assert wrong.status_code == 401
    answer = await visitor.submit("/log-in", credentials)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "Olga Operator" in (await visitor.get("/")).text
    token = visitor.client.cookies["rg_operator"]
    for host, path in ((world.host, STAFF_PAGE), (world.host, "/manage")):
        elsewhere = web.at(host, cookie=f"rg_operator={token}; rg_staff={token}")
        assert (await elsewhere.get(path)).status_code == 303
    cross = await visitor.client.post("/log-out", headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    await visitor.submit("/log-out", {})
    assert (await web.at("console.localhost", cookie=f"rg_operator={token}").get("/")).status_code == 303


async def test_log_in_is_limited(web: WebServer, world: World) -> None:
    visitor = web.at(world.host)
    statuses = [(await sign_in(visitor, "x")).status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]
