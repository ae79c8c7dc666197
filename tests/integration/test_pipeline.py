"""The pipeline: kinds of hosts, areas, gates, other sites, headers, cookies, the unit of work, errors."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

import probe_plugin
import pytest
from conftest import EVERYTHING
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.app import create_app
from regulars.contracts.context import Principal
from regulars.contracts.slots import ProgramSlot, Slot
from regulars.domain.programs.service import list_programs
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving
from regulars.testing.wire import counting
from regulars.testing.world import HOST_FEATURES, PLUGINS, World
from regulars.web.hosts import normalise_host
from regulars.web.slots import PageSlots

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
PROBE_PATHS = (
    "/p/probe/",
    "/p/probe",
    "/p/probe/name",
    "/p/probe/nowhere",
    "/manage/p/probe/staff-only",
    "/terminal/p/probe/",
    "/api/v1/store/loyalty/probe/echo",
    "/api/v1/storefront/loyalty/probe/hello",
    "/_assets/p/probe/anything.css",
)
STAMP_PATHS = (
    "/api/v1/store/loyalty/stamp",
    "/api/v1/store/loyalty/stamp/",
    "/api/v1/store/loyalty/stamp/redeem",
    "/api/v1/store/loyalty/stamp/redeem/x",
    "/api/v1/store/loyalty/stamps/anything",
)


@pytest.fixture
async def probed(make_world: Callable[..., Awaitable[World]]) -> World:
    return await make_world("probed", offering="all", features=EVERYTHING)


async def change(config: Config, sql: str, **values: object) -> None:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(sql), values)


async def names(config: Config, world: World) -> list[str]:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        rows = await connection.execute(probe_plugin.NAMES, {"tenant": world.tenant.id})
        return [row.name for row in rows]


# Areas


AREAS = (
    ("/api/v1/store/loyalty/program", "tenant"),
    ("/api/v1/storefront/loyalty/card", "tenant"),
    ("/api/v1/admin/loyalty/programs", "console"),
    ("/api/v1/admin/loyalty/stats", "console"),
    ("/p/probe/", "tenant"),
    ("/manage/log-in", "tenant"),
    ("/brand.css", "tenant"),
)


async def test_each_area_answers_on_one_kind_of_host(web: WebServer, probed: World) -> None:
    hosts = {"tenant": probed.host, "console": "console.localhost", "bare": "localhost"}
    visitors = {kind: web.at(host) for kind, host in hosts.items()}
    for (path, home), (kind, visitor), method in itertools.product(AREAS, visitors.items(), METHODS):
        response = await visitor.client.request(method, path)
        if kind != home:
            assert response.status_code == 404, (path, kind, method)
        elif method == "GET":
            assert response.status_code != 404, (path, kind, method)


# Plugins


async def test_disabled_plugin_is_unknown_everywhere(web: WebServer, cafe: World, config: Config) -> None:
    await change(config, "INSERT INTO core.kill_switch (id, plugin, reason) VALUES (gen_random_uuid(), 'stamps', 'x')")
    visitor = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    for path, method in itertools.product((*PROBE_PATHS, *STAMP_PATHS), METHODS):
        unknown = path.replace("probe", "nobody").replace("stamps", "nobody").replace("stamp", "nobody")
        gone = await visitor.client.request(method, path)
        never = await visitor.client.request(method, unknown)
        assert (gone.status_code, never.status_code) == (404, 404), (path, method)
        assert "allow" not in gone.headers
        assert shape(gone.text) == shape(never.text), (path, method)


@pytest.mark.parametrize(
    ("feature", "paths"),
    [("enrolment", ("/join", "/terminal/enrol")), ("cards", ("/card", "/card/history", "/c/some-token"))],
)
async def test_pages_of_a_feature_that_is_off_are_unknown(
    feature: str,
    paths: tuple[str, ...],
    web: WebServer,
    make_world: Callable[..., Awaitable[World]],
    cafe: World,
) -> None:
    without = tuple(name for name in (*PLUGINS, *HOST_FEATURES) if name != feature)
    small = await make_world("small", offering="small", features=without)
    for path, method in itertools.product(paths, METHODS):
        assert (await web.at(small.host).client.request(method, path)).status_code == 404, (path, method)
    home = [(await web.at(world.host).get("/")).text for world in (cafe, small)]
    assert ['href="/join"' in page for page in home] == [True, feature != "enrolment"]


def shape(body: str) -> str:
    """A body without its request id."""
    return "".join("#" if character in "0123456789abcdef" else character for character in body)


async def test_enabled_plugin_answers(web: WebServer, probed: World) -> None:
    visitor = web.at(probed.host, authorization=f"Bearer {probed.api_key}")
    for path in PROBE_PATHS:
        expected = 404 if path.endswith("nowhere") else 200
        assert (await visitor.client.request("OPTIONS", path)).status_code == expected, path


async def test_a_toggle_is_in_force_on_the_next_request(web: WebServer, probed: World, config: Config) -> None:
    visitor = web.at(probed.host)
    await web.app.extensions["regulars"].listener.wait_until_up()
    assert (await visitor.get("/p/probe/")).text == "probed 1 anonymous"
    await change(
        config,
        "INSERT INTO core.tenant_override (tenant_id, name, kind, reason) VALUES (:tenant, 'probe', 'deny', 'test')",
        tenant=probed.tenant.id,
    )
    assert (await until(visitor, 404)) == 404
    await change(config, "DELETE FROM core.tenant_override WHERE tenant_id = :tenant", tenant=probed.tenant.id)
    assert (await until(visitor, 200)) == 200


async def until(visitor: object, status: int) -> int:
    """Ask until the notification has arrived; it takes milliseconds."""
    for _ in range(200):
        response = await visitor.get("/p/probe/")  # type: ignore[attr-defined]
        if response.status_code == status:
            break
    return int(response.status_code)


# Queries


async def test_a_warm_request_resolves_its_tenant_without_a_query(
    config: Config, probed_registry: PluginRegistry, probed: World
) -> None:
    async with counting(config.database_url_app) as wire:
        changed = config.model_copy(update={"database_url_app": wire.url})
        app = create_app(changed, registry=probed_registry)
        async with serving(app) as server:
            await app.extensions["regulars"].listener.wait_until_up()
            visitor = server.at(probed.host)
            assert (await visitor.get("/brand.css")).status_code == 200
            wire.reset()
            for _ in range(10):
                assert (await visitor.get("/brand.css")).status_code == 200
                assert (await visitor.get("/api/openapi.json")).status_code == 200
                assert (await visitor.client.post("/p/nobody/")).status_code == 404
            assert wire.round_trips == 0
            await visitor.get("/p/probe/")
            wire.reset()
            await visitor.get("/p/probe/")
            assert wire.round_trips == 4, "begin, enter the tenant, the view's query, commit"


# Tenant's status


async def test_suspended_tenant(web: WebServer, probed: World, config: Config) -> None:
    await change(config, "UPDATE core.tenant SET status = 'suspended' WHERE id = :id", id=probed.tenant.id)
    visitor = web.at(probed.host, authorization=f"Bearer {probed.api_key}")
    page = await visitor.get("/p/probe/")
    assert page.status_code == 403
    assert "This shop is not available at the moment." in page.text
    answer = await visitor.get("/api/v1/store/loyalty/program")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/tenant_unavailable")
    assert (await visitor.get("/brand.css")).status_code == 200


# Other sites

SAME = {"Sec-Fetch-Site": "same-origin"}


ORIGINS: tuple[tuple[dict[str, str], bool, int], ...] = (
    (SAME, True, 303),
    ({"Sec-Fetch-Site": "none"}, True, 303),
    ({"Sec-Fetch-Site": "same-site"}, True, 403),
    ({"Sec-Fetch-Site": "cross-site"}, True, 403),
    ({"Sec-Fetch-Site": "cross-site"}, False, 403),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://probed.localhost:8000"}, True, 403),
    ({"Origin": "http://probed.localhost:8000"}, True, 303),
    ({"Origin": "http://PROBED.localhost:8000"}, True, 303),
    ({"Origin": "https://probed.localhost:8000"}, True, 403),
    ({"Origin": "http://probed.localhost"}, True, 403),
    ({"Origin": "http://cafe.localhost:8000"}, True, 403),
    ({"Origin": "http://probed.localhost:8000.evil.example"}, True, 403),
    ({"Origin": "null"}, True, 403),
    ({"Origin": ""}, True, 403),
    ({"Origin": "http://evil.example"}, False, 403),
    ({}, True, 403),
    ({}, False, 303),
)


async def test_other_sites_cannot_change_anything(web: WebServer, probed: World, config: Config) -> None:
    for number, (headers, cookie, status) in enumerate(ORIGINS):
        visitor = web.at("probed.localhost:8000")
        before = await names(config, probed)
        cookies = {"Cookie": "rg_member=x"} if cookie else {}
        form = {"name": f"Zoe {number}"}
        response = await visitor.post("/p/probe/name", data=form, headers={**headers, **cookies})
        assert response.status_code == status, headers
        assert await names(config, probed) == ([form["name"]] if status == 303 else before)


async def test_get_cannot_write(web: WebServer, probed: World, config: Config) -> None:
    response = await web.at(probed.host).get("/p/probe/write")
    assert response.status_code == 500
    assert await names(config, probed) == ["Mia Ledoux"]


async def test_method_override_is_ignored(web: WebServer, probed: World, config: Config) -> None:
    visitor = web.at(probed.host)
    for headers in ({"X-HTTP-Method-Override": "POST"}, {"X-HTTP-Method": "POST"}, {"X-Method-Override": "POST"}):
        response = await visitor.get("/p/probe/name?_method=POST&name=Zoe", headers=headers)
        assert response.status_code == 405
    assert await names(config, probed) == ["Mia Ledoux"]


# The unit of work


async def test_an_exception_rolls_back_and_names_the_request(web: WebServer, probed: World, config: Config) -> None:
    response = await web.at(probed.host).submit("/p/probe/name", {"name": "boom"})
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in response.text
    assert "planted" not in response.text
    assert await names(config, probed) == ["Mia Ledoux"]


async def test_a_form_tells_its_errors_by_field(web: WebServer, probed: World) -> None:
    visitor = web.at(probed.host)
    assert (await visitor.submit("/p/probe/name", {"name": "x"})).text == "['name']"
    assert (await visitor.submit("/p/probe/name", {"count": "many"})).text == "['count', 'name']"
    assert (await visitor.submit("/p/probe/name", {"name": "a\0b"})).text == "['name']"
    assert (await visitor.submit("/p/probe/name", {"name": "Zoe", "tenant_id": "x", "count": ""})).status_code == 303


async def test_a_message_is_shown_once(
    web: WebServer, probed: World, make_world: Callable[..., Awaitable[World]]
) -> None:
    visitor = web.at(probed.host)
    await visitor.submit("/p/probe/name", {"name": "<b>Zoe</b>"})
    flash = visitor.client.cookies["rg_flash"]
    first, second = await visitor.get("/p/probe/flash"), await visitor.get("/p/probe/flash")
    assert "Now called &lt;b&gt;Zoe&lt;/b&gt;" in first.text
    assert "Now called" not in second.text
    other = await make_world("elsewhere", offering="all", features=EVERYTHING)
    stranger = web.at(other.host, cookie=f"rg_flash={flash}")
    assert "Now called" not in (await stranger.get("/p/probe/flash")).text


async def test_a_download_is_streamed(web: WebServer, probed: World) -> None:
    response = await web.at(probed.host).get("/p/probe/names.csv")
    assert (response.status_code, response.text) == (200, "Mia Ledoux\n")
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Namen%20%C3%A4.csv"
    assert response.headers["Cache-Control"] == "no-store"


# Slots


@pytest.fixture
def slot_behaviour() -> object:
    yield probe_plugin.slot_behaviour
    probe_plugin.slot_behaviour["mode"] = "good"


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("good", "<p>probe probed 1</p>"), ("raises", ""), ("bad sql", ""), ("hangs", "")],
)
async def test_slots_have_one_session_of_their_own(
    config: Config,
    probed_registry: PluginRegistry,
    probed: World,
    database: Database,
    slot_behaviour: dict[str, str],
    mode: str,
    shown: str,
) -> None:
    app = create_app(config, registry=probed_registry)
    services = app.extensions["regulars"]
    await app.startup()
    tenant = await services.snapshots.resolve(probed.host)
    ctx = probed.context(tenant=tenant, principal=Principal())
    async with database.tenant(tenant.id, read_only=True) as session:
        program = (await list_programs(session)).default.info
    try:
        slot_behaviour["mode"] = mode
        async with PageSlots(services, ctx) as slots:
            html = str(await slots.render(Slot.PROGRAM_PREVIEW, ProgramSlot(program)))
            slot_behaviour["mode"] = "good"
            again = str(await slots.render(Slot.PROGRAM_PREVIEW, ProgramSlot(program)))
        assert ("<p>probe probed 1</p>" in html) is bool(shown)
        assert "<p>probe probed 1</p>" in again, "a fresh session after a fault"
    finally:
        await app.shutdown()


# Headers and cookies


ANSWERS = (
    ("localhost", "/nowhere", 404),
    ("nobody.localhost", "/", 404),
    ("probed.localhost", "/p/probe/", 200),
    ("probed.localhost", "/brand.css", 200),
    ("probed.localhost", "/api/openapi.json", 200),
    ("probed.localhost", "/api/v1/store/loyalty/program", 401),
    ("probed.localhost", "/healthz", 200),
    ("console.localhost", "/api/v1/admin/loyalty/stats", 401),
)


async def test_headers_of_every_answer(web: WebServer, probed: World) -> None:
    for host, path, status in ANSWERS:
        response = await web.at(host).get(path)
        policy = response.headers["Content-Security-Policy"]
        assert response.status_code == status
        assert "unsafe" not in policy
        for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy
        assert "form-action 'self'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in response.headers["Permissions-Policy"]
        assert "Host" in [part.strip() for part in response.headers["Vary"].split(",")]
        assert len(response.headers["X-Request-ID"]) == 32
        assert "Strict-Transport-Security" not in response.headers
        assert response.headers.get("Cache-Control") == (
            "public, max-age=86400" if path == "/brand.css" else "no-store"
        )


async def test_static_files_are_kept_for_ever_and_known_again(web: WebServer, probed: World) -> None:
    services = web.app.extensions["regulars"]
    address = services.assets.url("app.css")
    for host in (probed.host, "localhost", "console.localhost", "nobody.localhost"):
        visitor = web.at(host)
        response = await visitor.get(address)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = await visitor.get(address, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_no_path_leaves_the_folders(web: WebServer, probed: World) -> None:
    paths = ("../../../etc/passwd", "..%2f..%2fetc/passwd", "host/../host/manifest.json", "host/%2e%2e/x", "", "%00")
    visitor = web.at(probed.host)
    for prefix, path in itertools.product(("/_assets/", "/_assets/tenant/", "/_assets/p/probe/"), paths):
        assert (await visitor.get(f"{prefix}{path}")).status_code in {400, 404}


async def test_a_tenants_file_is_its_own(web: WebServer, probed: World, pizza: World, config: Config) -> None:
    folder = config.data_dir / "tenants" / str(probed.tenant.id)
    folder.mkdir(parents=True)
    (folder / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    own = await web.at(probed.host).get("/_assets/tenant/logo.svg")
    assert (own.status_code, own.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert own.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert (await web.at(pizza.host).get("/_assets/tenant/logo.svg")).status_code == 404
    sneaky = f"/_assets/tenant/..%2f{probed.tenant.id}/logo.svg"
    assert (await web.at(pizza.host).get(sneaky)).status_code == 404


async def test_cookies_are_host_only_and_prefixed_on_https(
    config: Config, probed_registry: PluginRegistry, probed: World
) -> None:
    for scheme in ("http", "https"):
        changed = config.model_copy(update={"scheme": scheme, "public_port": 443 if scheme == "https" else 8000})
        async with serving(create_app(changed, registry=probed_registry)) as server:
            response = await server.at(probed.host).submit("/p/probe/name", {"name": "Zoe"})
            cookie = response.headers["Set-Cookie"]
            name = "__Host-rg_flash" if scheme == "https" else "rg_flash"
            assert cookie.startswith(f"{name}=")
            assert ("Secure" in cookie) is (scheme == "https")
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert "Path=/" in cookie
            assert "Domain" not in cookie
            assert ("Strict-Transport-Security" in response.headers) is (scheme == "https")


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        ("Cafe.Example.COM:8000", "cafe.example.com"),
        ("cafe.example.com.", "cafe.example.com"),
        ("cafe.example.com.:80", "cafe.example.com"),
        ("caf\u00c3\u00a9.example", "xn--caf-dma.example"),
        ("[::1]:8000", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("cafe--test.localhost", "cafe--test.localhost"),
        ("", ""),
        ("a b", ""),
        ("a/b", ""),
        ("user@host", ""),
        ("host:port", ""),
        ("..", ""),
        (".cafe", ""),
        ("-x.example", ""),
        ("x" * 300, ""),
        ("caf\u00e9.example", ""),
        ("[zz]", ""),
    ],
)
def test_host_names_in_normal_form(sent: str, host: str) -> None:
    assert normalise_host(sent) == host
