"""Whatever is thrown at forms, queries, paths and headers: a clean answer, never a crash; the server stays well."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from visitors import staff_at

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.keys import digest
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World

SAME = {"Sec-Fetch-Site": "same-origin"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def probed(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world("probed", offering="all", features=EVERYTHING)


@dataclass(frozen=True)
class Hostile:
    """A form that nobody's browser sends."""

    what: str
    kind: str
    content: bytes
    status: int


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"


NAME = b'Content-Disposition: form-data; name="name"\r\n\r\n'
FORMS = (
    Hostile("nothing", "", b"", 422),
    Hostile("no kind", "", b"name=Zoe", 422),
    Hostile("bad UTF-8", FORM, b"name=%ff%fe", 303),
    Hostile("raw bytes", FORM, b"name=\xff\xfe\xfd", 422),
    Hostile("NUL", FORM, b"name=a%00b", 422),
    Hostile("no equals", FORM, b"&&&&=&=&name", 422),
    Hostile("many fields", FORM, b"&".join(b"f%d=1" % number for number in range(100_000)), 422),
    Hostile("huge field", FORM, b"name=" + b"x" * 900_000, 422),
    Hostile("huge body", FORM, b"name=" + b"x" * 2_000_000, 413),
    Hostile("long name", FORM, b"name=" + b"x" * 1000, 422),
    Hostile("lone surrogate", FORM, b"name=%ed%a0%80xx", 303),
    Hostile("no boundary", "multipart/form-data", NAME + b"Zoe", 422),
    Hostile("empty boundary", "multipart/form-data; boundary=", NAME + b"Zoe", 422),
    Hostile("right", "multipart/form-data; boundary=x", multipart(NAME + b"Zoe"), 303),
    Hostile("no end", "multipart/form-data; boundary=x", b"--x\r\n" + NAME + b"Zoe", 422),
    Hostile("no headers", "multipart/form-data; boundary=x", multipart(b"Zoe"), 422),
    Hostile("many parts", "multipart/form-data; boundary=x", multipart(*[NAME + b"x"] * 2000), 413),
    Hostile("huge file", "multipart/form-data; boundary=x", multipart(NAME + b"x" * 6_000_000), 413),
    Hostile("bad charset", f"{FORM}; charset=utf-7", b"name=Zoe", 303),
    Hostile("JSON", "application/json", b'{"name": "Zoe"}', 422),
)


async def test_hostile_forms(web: WebServer, probed: World) -> None:
    found = {}
    for form in FORMS:
        visitor = web.at(probed.host)
        headers = SAME | ({"Content-Type": form.kind} if form.kind else {})
        try:
            response = await visitor.client.post("/p/probe/name", content=form.content, headers=headers)
        except httpx.TransportError:
            found[form.what] = 413  # answered and closed before the end was heard
            continue
        found[form.what] = response.status_code
    assert found == {form.what: form.status for form in FORMS}


async def test_hostile_addresses(web: WebServer, probed: World) -> None:
    visitor = web.at(probed.host)
    for path in (
        "/p/probe/%00",
        "/p/probe/%ff%fe",
        "/p/probe/?%ff=%fe&a=%00",
        "/p/probe/?" + "a=b&" * 2000,
        "/p/probe//",
        "//p/probe/",
        "/./p/probe/",
        "/p/probe/;x=y",
        "/p/probe/%0d%0aX-Evil:%20y",
        "/p/probe/../../manage",
        "/\u202e",
        "/%25%32%65",
        "/.git/config",
        "/.env",
        "/?lang=%0d%0aSet-Cookie:x",
        "/?lang=../../etc",
        "/?lang=" + "x" * 5000,
    ):
        response = await visitor.client.get(path)
        assert response.status_code < 500, path
        assert "x-evil" not in response.headers
        assert "set-cookie" not in response.headers, path


async def test_hostile_codes_at_the_till(web: WebServer, probed: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, probed)
    for token in ("%00", "x%00y", "x", "%ff", "a" * 5000):
        assert (await visitor.get(f"/terminal/scan/{token}")).status_code == 404, token


async def test_hostile_headers(web: WebServer, probed: World) -> None:
    visitor = web.at(probed.host)
    for name, value in (
        ("Cookie", "rg_staff=" + "x" * 4000),
        ("Cookie", "; ".join(f"c{number}=x" for number in range(200))),
        ("Cookie", "rg_flash=;rg_flash==;rg_staff=\x80\xff"),
        ("Cookie", 'rg_flash="\\000"'),
        ("Cookie", "rg_locale=" + "%0d%0a"),
        ("Accept-Language", "x" * 5000),
        ("Accept-Language", ",".join(["de;q=9"] * 500)),
        ("Accept-Language", "de;q=nan,;q=,*;q=-1"),
        ("User-Agent", "\x80\xff" * 500),
        ("User-Agent", "a\tb"),
        ("Sec-Fetch-Site", "\xff"),
        ("Authorization", "Bearer \xff\xfe"),
        ("If-None-Match", '"' * 1000),
        ("If-Modified-Since", "yesterday"),
        ("Range", "bytes=0-99999999,1-2," * 50),
        ("X-Forwarded-For", "127.0.0.1," * 500),
        ("Content-Type", "multipart/form-data; boundary=\xff"),
        ("X-Request-ID", "mine"),
    ):
        for path in ("/p/probe/", "/brand.css", "/api/v1/store/loyalty/program", "/p/probe/flash"):
            response = await visitor.client.get(path, headers=[(name.encode(), value.encode("latin-1"))])
            assert response.status_code < 500, (name, value[:40], path)
            assert response.headers.get("X-Request-ID") != "mine"


async def test_a_slow_sender_holds_no_connection(
    config: Config, probed_registry: PluginRegistry, probed: World
) -> None:
    changed = config.model_copy(update={"pool_size": 1, "pool_timeout": 1.0})
    async with serving(create_app(changed, registry=probed_registry)) as server:
        visitor = server.at(probed.host, authorization=f"Bearer {probed.api_key}")
        await visitor.get("/p/probe/")
        slow = []
        for path, kind in (("/p/probe/name", FORM), ("/api/v1/store/loyalty/cards/enroll", "application/json")):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: {probed.host}\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n"
                f"Authorization: Bearer {probed.api_key}\r\n\r\nname".encode()
            )
            await writer.drain()
            slow.append((reader, writer))
        for _ in range(10):
            assert (await visitor.get("/p/probe/")).status_code == 200
        for _reader, writer in slow:
            writer.close()


async def test_tenants_never_see_each_other_on_one_connection(
    config: Config, probed_registry: PluginRegistry, make_world: Callable[..., Awaitable[World]]
) -> None:
    one = await make_world("one", offering="all", features=EVERYTHING)
    two = await make_world("two", offering="all", features=EVERYTHING)
    await two.add_card("second@example.org", name="Second")
    changed = config.model_copy(update={"pool_size": 1, "pool_timeout": 10.0})
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    app = create_app(changed, registry=probed_registry)
    async with serving(app) as server:
        visitors = {"one": server.at(one.host), "two": server.at(two.host)}
        expected = {"one": "one 1 anonymous", "two": "two 2 anonymous"}

        async def visit(name: str) -> None:
            match dice.randrange(6):
                case 0:
                    call = asyncio.create_task(visitors[name].client.get("/p/probe/"))
                    await asyncio.sleep(dice.random() / 100)
                    call.cancel()
                    await asyncio.gather(call, return_exceptions=True)
                case 1:
                    await visitors[name].submit("/p/probe/name", {"name": "boom"})
                case 2:
                    response = await visitors[name].get("/p/probe/names.csv")
                    assert len(response.text.splitlines()) == int(expected[name].split()[1]), seed
                case _:
                    response = await visitors[name].get("/p/probe/")
                    assert (response.status_code, response.text) == (200, expected[name]), seed

        for _ in range(50):
            await asyncio.gather(*(visit(dice.choice(("one", "two"))) for _ in range(8)))
        for name, text_shown in expected.items():
            assert (await visitors[name].get("/p/probe/")).text == text_shown


async def test_a_page_with_slots_holds_one_connection(
    config: Config, probed_registry: PluginRegistry, probed: World
) -> None:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO core.session (tenant_id, id, token_hash, member_id, expires_at) "
                "VALUES (:tenant, :id, :hash, :member, now() + interval '1 hour')"
            ),
            {
                "tenant": probed.tenant.id,
                "id": new_id(),
                "hash": digest("secret"),
                "member": probed.card.member_id,
            },
        )
    changed = config.model_copy(update={"pool_size": 1, "pool_timeout": 5.0})
    async with serving(create_app(changed, registry=probed_registry)) as server:
        visitor = server.at(probed.host, cookie="rg_member=secret")
        pages = await asyncio.gather(*(visitor.get("/card") for _ in range(10)))
        assert [page.status_code for page in pages] == [200] * 10
        assert all("0 / 10" in page.text for page in pages)
