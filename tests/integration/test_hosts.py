"""Who a request is for, as raw bytes on the wire (faults G2 to G5): hosts, headers of others, cookies, caches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from asyncpg import Connection
from conftest import EVERYTHING
from visitors import member_at, staff_at

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World

WHO = "/p/probe/"
"""Answers with the tenant's name."""


@pytest.fixture
async def one(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world("one", offering="all", features=EVERYTHING)


@pytest.fixture
async def two(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world("two", offering="all", features=EVERYTHING)


@pytest.fixture
async def secure(config: Config, probed_registry: PluginRegistry) -> AsyncIterator[WebServer]:
    """As behind a proxy that ends TLS, which is not asked for here: nobody is a trusted proxy."""
    changed = config.model_copy(update={"scheme": "https", "public_port": 443})
    async with serving(create_app(changed, registry=probed_registry)) as server:
        yield server


async def tell(server: WebServer, *lines: str) -> tuple[int, str]:
    """Send a request as it stands.

    Args:
        server: the application.
        lines: request line and headers; lines that do not say otherwise are UTF-8.

    Returns:
        Status and body; status 0 when the connection is closed without an answer.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    await writer.drain()
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split(b" ", 2)[1]) if head else 0, body.decode("utf-8", "replace"))


GET = f"GET {WHO} HTTP/1.1"
OURS = (
    (GET, "Host: one.localhost"),
    (GET, "Host: one.localhost:8000"),
    (GET, "Host: one.localhost."),
    (GET, "Host: one.localhost.:443"),
    (GET, "Host: ONE.LocalHost"),
    (GET, "Host:    one.localhost   "),
    (GET, "Host: one.localhost", "X-Forwarded-Host: two.localhost"),
    (GET, "Host: one.localhost", "X-Forwarded-Host: two.localhost", "X-Forwarded-For: 127.0.0.1"),
    (GET, "Host: one.localhost", "Forwarded: for=127.0.0.1;host=two.localhost;proto=https"),
    (GET, "Host: one.localhost", "X-Host: two.localhost", "X-Forwarded-Server: two.localhost"),
    (GET, "Host: one.localhost", "X-Original-URL: /manage", "X-Rewrite-URL: /manage"),
    (GET, "Host: one.localhost", "X-Tenant-ID: two", "X-Tenant: two", "Tenant: two"),
    (GET, "Host: one.localhost", "X-HTTP-Host-Override: two.localhost"),
    (f"GET {WHO}?tenant=two&tenant_id=two&host=two.localhost HTTP/1.1", "Host: one.localhost"),
    (f"GET http://two.localhost{WHO} HTTP/1.1", "Host: one.localhost"),
)
NOBODYS = {
    ("Host: nobody.localhost",): 404,
    ("Host: one.localhost.evil.example",): 404,
    ("Host: evil.example",): 404,
    ("Host: one.one.localhost",): 404,
    ("Host: оne.localhost",): 404,  # the first letter is Cyrillic
    ("Host: xn--ne-emc.localhost",): 404,
    ("Host: ｏｎｅ．evil.example",): 404,
    ("Host: 127.0.0.1",): 404,
    ("Host: [::1]",): 404,
    ("Host: 2130706433",): 404,
    ("Host: one.localhost:8000:9",): 400,
    ("Host: one.localhost/",): 400,
    ("Host: user@one.localhost",): 400,
    ("Host: one.localhost, two.localhost",): 400,
    ("Host: one.localhost two.localhost",): 400,
    ("Host: one..localhost",): 400,
    ("Host: .localhost",): 400,
    ("Host: *.localhost",): 400,
    ("Host:",): 400,
    ("X: no host at all",): 400,
    ("Host: one.localhost", "Host: two.localhost"): 400,
    ("Host: one.localhost", "host: one.localhost"): 400,
}


async def test_the_host_header_alone_names_the_tenant(web: WebServer, one: World, two: World) -> None:
    found = {lines: await tell(web, *lines) for lines in OURS}
    assert found == dict.fromkeys(OURS, (200, "one 1 anonymous"))


async def test_other_hosts_lead_to_nobody(web: WebServer, one: World, two: World) -> None:
    found = {lines: await tell(web, GET, *lines) for lines in NOBODYS}
    assert {lines: status for lines, (status, _) in found.items()} == NOBODYS
    assert [lines for lines, (_, body) in found.items() if "anonymous" in body] == []


async def test_links_are_never_built_from_what_was_sent(web: WebServer, one: World, sql: Connection) -> None:
    owner = await staff_at(web, sql, one, one.staff[0])
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Host": "one.localhost.:666"}
    for path in ("/", "/join", "/manage/api-keys", "/api/openapi.json", "/api/v1/store/loyalty/program"):
        response = await owner.client.get(path, headers=headers)
        assert "evil" not in response.text + str(response.headers), path
        assert ":666" not in response.text + str(response.headers), path


async def test_only_a_trusted_proxy_names_host_and_visitor(
    config: Config, probed_registry: PluginRegistry, one: World, two: World
) -> None:
    changed = config.model_copy(update={"trusted_proxies": ("127.0.0.0/8",)})
    trusting = Config.model_validate(changed.model_dump())
    async with serving(create_app(trusting, registry=probed_registry)) as server:
        forwarded = {
            "two 1 anonymous": ("X-Forwarded-Host: two.localhost",),
            "one 1 anonymous": ("Forwarded: host=two.localhost",),
        }
        for answer, lines in forwarded.items():
            assert await tell(server, GET, "Host: one.localhost", *lines) == (200, answer)
        doubled = ("X-Forwarded-Host: two.localhost", "X-Forwarded-Host: one.localhost")
        assert (await tell(server, GET, "Host: one.localhost", *doubled))[0] == 400
        listed = "X-Forwarded-Host: two.localhost, one.localhost"
        assert (await tell(server, GET, "Host: one.localhost", listed))[0] == 400


# G3


async def test_what_opens_one_tenant_opens_no_other(web: WebServer, one: World, two: World, sql: Connection) -> None:
    staff, member = await staff_at(web, sql, one), await member_at(web, sql, one)
    cookies = {"rg_staff": staff.client.cookies["rg_staff"], "rg_member": member.client.cookies["rg_member"]}
    assert (await staff.get("/manage/p/probe/staff-only")).status_code == 200
    assert (await member.get("/p/probe/member-only")).status_code == 200
    for path in ("/manage/p/probe/staff-only", "/p/probe/member-only", "/terminal/p/probe/", "/card", "/manage/staff"):
        nobody = await web.at(two.host).get(path)
        foreign = await web.at(two.host, cookie="; ".join(f"{k}={v}" for k, v in cookies.items())).get(path)
        assert (foreign.status_code, foreign.headers.get("Location")) == (
            nobody.status_code,
            nobody.headers.get("Location"),
        )
        assert foreign.status_code in {303, 401}, path
    key = {"authorization": f"Bearer {one.api_key}"}
    assert (await web.at(one.host, **key).client.get("/api/v1/store/loyalty/program")).status_code == 200
    answer = await web.at(two.host, **key).client.get("/api/v1/store/loyalty/program")
    wrong = await web.at(two.host, authorization="Bearer rk_live_nobodys").client.get("/api/v1/store/loyalty/program")
    assert answer.status_code == wrong.status_code == 401
    assert {**answer.json(), "instance": "", "request_id": ""} == {**wrong.json(), "instance": "", "request_id": ""}


# G4


async def test_a_neighbours_cookies_change_nothing(secure: WebServer, one: World, sql: Connection) -> None:
    own = (await staff_at(secure, sql, one)).client.cookies["rg_staff"]
    evil = (await staff_at(secure, sql, one, one.staff[0])).client.cookies["rg_staff"]
    page = "/manage/p/probe/staff-only"
    names = {one.staff[0].name: f"__Host-rg_staff={evil}", one.staff[1].name: f"__Host-rg_staff={own}"}
    for name, cookie in names.items():
        response = await secure.at(one.host, cookie=cookie).get(page)
        assert (response.status_code, response.text) == (200, f"staff {name}")
    planted = (
        f"rg_staff={evil}",
        f"__host-rg_staff={evil}",
        f"__Secure-rg_staff={evil}",
        f"x=__Host-rg_staff={evil}",
        f"=__Host-rg_staff={evil}",
        f"\x85__Host-rg_staff={evil}",
        f"\xa0__Host-rg_staff={evil}",
        f"\u2000__Host-rg_staff={evil}",
        f'a="; __Host-rg_staff={evil}"'.replace("; ", ";\xa0"),
        f"session={evil}",
        f"csrf={evil}",
    )
    for cookie in planted:
        alone = await secure.at(one.host).client.get(page, headers={"Cookie": cookie.encode()})
        assert (alone.status_code, alone.headers["Location"][:14]) == (303, "/manage/log-in"), cookie
        beside = await secure.at(one.host).client.get(
            page, headers={"Cookie": f"{cookie}; __Host-rg_staff={own}".encode()}
        )
        assert (beside.status_code, beside.text) == (200, f"staff {one.staff[1].name}"), cookie


async def test_many_and_long_cookies_do_no_harm(web: WebServer, one: World, sql: Connection) -> None:
    own = f"rg_staff={(await staff_at(web, sql, one)).client.cookies['rg_staff']}"
    page = "GET /manage/p/probe/staff-only HTTP/1.1"
    many = "; ".join(f"c{number}={'x' * 30}" for number in range(200))
    shown = (200, f"staff {one.staff[1].name}")
    assert await tell(web, page, "Host: one.localhost", f"Cookie: {many}; {own}") == shown
    assert await tell(web, page, "Host: one.localhost", f"Cookie: x={'x' * 8192}; {own}") == shown
    status, _ = await tell(web, page, "Host: one.localhost", f"Cookie: x={'x' * 1_000_000}; {own}")
    assert status == 431
    assert await tell(web, page, "Host: one.localhost", f"Cookie: {own}") == shown


# G5

ROUTES = {
    "/": "no-store",
    "/join": "no-store",
    "/card": "no-store",
    "/manage/log-in": "no-store",
    "/manage/staff": "no-store",
    "/terminal": "no-store",
    "/p/probe/": "no-store",
    "/p/probe/names.csv": "no-store",
    "/api/v1/store/loyalty/program": "no-store",
    "/api/v1/storefront/loyalty/card": "no-store",
    "/api/openapi.json": "no-store",
    "/nowhere": "no-store",
    "/brand.css": "public, max-age=86400",
}


async def test_what_may_be_kept_by_caches_differs_by_host(
    web: WebServer, one: World, two: World, sql: Connection
) -> None:
    visitor = await staff_at(web, sql, one)
    found = {path: await visitor.client.get(path) for path in ROUTES}
    assert {path: response.headers["Cache-Control"] for path, response in found.items()} == ROUTES
    assert [path for path, response in found.items() if "Host" not in response.headers["Vary"].split(", ")] == []
    stylesheet = web.app.extensions["regulars"].assets.url("app.css")
    kept = await visitor.client.get(stylesheet)
    assert "Host" in kept.headers["Vary"]
    assert "Set-Cookie" not in kept.headers


async def test_an_etag_of_one_tenant_says_nothing_on_another(
    web: WebServer, one: World, two: World, config: Config
) -> None:
    for world, content in ((one, b"one's picture"), (two, b"two's picture")):
        folder = config.data_dir / "tenants" / str(world.tenant.id)
        folder.mkdir(parents=True)
        (folder / "logo.png").write_bytes(content)
    tag = (await web.at(one.host).get("/_assets/tenant/logo.png")).headers["ETag"]
    same = await web.at(one.host).get("/_assets/tenant/logo.png", headers={"If-None-Match": tag})
    other = await web.at(two.host).get("/_assets/tenant/logo.png", headers={"If-None-Match": tag})
    assert (same.status_code, other.status_code, other.content) == (304, 200, b"two's picture")
