"""Who is meant is decided by the host and a credential of that host, by nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from ipaddress import ip_network
from itertools import product

from conftest import EVERYTHING
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.app import create_app
from regulars.domain.cards.numbers import new_number
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World

PROGRAM = "/api/v1/store/loyalty/program"
CARDS = "/api/v1/store/loyalty/cards"


async def change(config: Config, sql: str, **values: object) -> None:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(sql), values)


async def raw(web: WebServer, lines: bytes) -> bytes:
    """Send bytes and read what comes back, as no well-behaved client would."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(lines)
    await writer.drain()
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def open_session(config: Config, world: World, holder: str, who: object) -> str:
    token = f"session-of-{who}"
    await change(
        config,
        f"INSERT INTO core.session (tenant_id, id, token_hash, {holder}, expires_at) "
        "VALUES (:tenant, :id, :hash, :who, now() + interval '1 hour')",
        tenant=world.tenant.id,
        id=new_id(),
        hash=sha256(token.encode()).digest(),
        who=who,
    )
    return token


async def test_spellings_of_one_host(web: WebServer, cafe: World) -> None:
    for host in ("cafe.localhost", "CAFE.localhost", "cafe.localhost.", "cafe.localhost:8000", "Cafe.Localhost.:80"):
        response = await web.at(host).get("/brand.css")
        assert response.status_code == 200, host


async def test_hosts_that_are_nobodys(web: WebServer, cafe: World) -> None:
    for host in (
        "nobody.localhost",
        "cafe.localhost.evil.example",
        "evil.example",
        "cafe",
        "cafe.localhost..",
        "c\u0430fe.localhost".encode("idna").decode(),
        "_cafe.localhost",
    ):
        visitor = web.at(host)
        for path in ("/", "/brand.css", PROGRAM, "/manage", "/p/stamps/"):
            response = await visitor.client.get(path)
            assert response.status_code == (400 if host.endswith("..") else 404), (host, path)
            assert "Cafe" not in response.text
            assert "set-cookie" not in response.headers


async def test_two_hosts_or_none_are_refused(web: WebServer, cafe: World, pizza: World) -> None:
    hosts = b"Host: cafe.localhost\r\nHost: pizza.localhost\r\n"
    answer = await raw(web, b"GET /brand.css HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
    assert status_of(answer) == 400
    answer = await raw(web, b"GET /brand.css HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 400
    answer = await raw(web, b"GET /brand.css HTTP/1.0\r\n\r\n")
    assert status_of(answer) == 400


async def test_an_absolute_address_does_not_choose_the_tenant(web: WebServer, cafe: World, pizza: World) -> None:
    start = b"GET http://pizza.localhost/api/v1/storefront/loyalty/card HTTP/1.1\r\n"
    key = b"Authorization: Bearer " + cafe.card.token.encode()
    answer = await raw(web, start + b"Host: cafe.localhost\r\n" + key + b"\r\nConnection: close\r\n\r\n")
    assert status_of(answer) in {200, 400, 404}
    assert b"pizza" not in answer.lower()
    if status_of(answer) == 200:
        assert cafe.card.id.hex.encode() in answer


async def test_no_header_names_a_tenant(web: WebServer, cafe: World, pizza: World) -> None:
    names = ("X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-Tenant-ID", "X-Host", "X-Tenant")
    values = (pizza.host, f"host={pizza.host}", str(pizza.tenant.id), "pizza", f"http://{pizza.host}/")
    visitor = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    for name, value in product(names, values):
        response = await visitor.get(PROGRAM, headers={name: value})
        assert response.json()["merchant"] == "Cafe", (name, value)


async def test_no_field_names_a_tenant(web: WebServer, cafe: World, pizza: World) -> None:
    visitor = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    for field in ("tenant_id", "tenant", "merchant", "merchant_id", "store_id"):
        body = {"email": "zoe@example.org", "terms": True, field: str(pizza.tenant.id)}
        response = await visitor.post(f"{CARDS}/enroll", json=body)
        assert (response.status_code, response.json()["fields"]) == (422, {field: "This is not known here."})
        response = await visitor.get(f"{CARDS}?{field}={pizza.tenant.id}")
        assert (response.status_code, response.json()["fields"]) == (422, {field: "This is not known here."})


async def test_a_key_opens_its_own_tenant_only(web: WebServer, cafe: World, pizza: World) -> None:
    for key, host, status in (
        (cafe.api_key, cafe.host, 200),
        (cafe.api_key, pizza.host, 401),
        (pizza.api_key, cafe.host, 401),
        (pizza.api_key, pizza.host, 200),
        ("rk_live_" + "0" * 43, cafe.host, 401),
    ):
        response = await web.at(host, authorization=f"Bearer {key}").get(PROGRAM)
        assert response.status_code == status, (key, host)


async def test_keys_of_live_side_and_sandbox_do_not_mix(web: WebServer, cafe: World, config: Config) -> None:
    test_key = "rk_test_" + "7" * 43
    key = {"hash": sha256(test_key.encode()).digest(), "id": cafe.api_key_id}
    await change(config, "UPDATE core.api_key SET key_hash = :hash WHERE id = :id", **key)
    visitor = web.at(cafe.host, authorization=f"Bearer {test_key}")
    assert (await visitor.get(PROGRAM)).status_code == 401
    await change(config, "UPDATE core.tenant SET live_tenant_id = id WHERE id = :id", id=cafe.tenant.id)
    for _ in range(200):
        response = await visitor.get(PROGRAM)
        if response.status_code == 200:
            break
    assert response.status_code == 200
    assert (await web.at(cafe.host, authorization=f"Bearer {cafe.api_key}").get(PROGRAM)).status_code == 401


async def test_a_revoked_key_is_none(web: WebServer, cafe: World, config: Config) -> None:
    await change(config, "UPDATE core.api_key SET revoked_at = now() WHERE id = :id", id=cafe.api_key_id)
    response = await web.at(cafe.host, authorization=f"Bearer {cafe.api_key}").get(PROGRAM)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Regulars"')


async def test_a_session_opens_its_own_tenant_and_area_only(
    web: WebServer, make_world: Callable[..., Awaitable[World]], config: Config
) -> None:
    one = await make_world("one", offering="all", features=EVERYTHING)
    two = await make_world("two", offering="all", features=EVERYTHING)
    staff = await open_session(config, one, "staff_id", one.anna.id)
    member = await open_session(config, one, "member_id", one.card.member_id)
    staff_page, member_page = "/manage/p/probe/staff-only", "/p/probe/member-only"
    for world, path, cookie, expected in (
        (one, staff_page, f"rg_staff={staff}", "staff Anna"),
        (one, member_page, f"rg_member={member}", "member Mia Ledoux"),
        (two, staff_page, f"rg_staff={staff}", None),
        (two, member_page, f"rg_member={member}", None),
        (one, staff_page, f"rg_staff={member}", None),
        (one, member_page, f"rg_member={staff}", None),
        (one, staff_page, f"rg_member={staff}", None),
        (one, staff_page, f"rg_operator={staff}", None),
    ):
        response = await web.at(world.host, cookie=cookie).get(path)
        if expected:
            assert (response.status_code, response.text) == (200, expected)
        else:
            assert response.status_code == 303, (world.host, path, cookie)


async def test_a_session_ends_with_its_holder(web: WebServer, cafe: World, config: Config) -> None:
    staff = await open_session(config, cafe, "staff_id", cafe.anna.id)
    visitor = web.at(cafe.host, cookie=f"rg_staff={staff}")
    assert (await visitor.get(PROGRAM)).status_code == 200
    await change(config, "UPDATE core.staff SET status = 'inactive' WHERE id = :id", id=cafe.anna.id)
    assert (await visitor.get(PROGRAM)).status_code == 401
    await change(config, "UPDATE core.staff SET status = 'active' WHERE id = :id", id=cafe.anna.id)
    await change(config, "UPDATE core.session SET expires_at = now() - interval '1 second'")
    assert (await visitor.get(PROGRAM)).status_code == 401


async def test_a_planted_cookie_on_https_is_ignored(
    config: Config, probed_registry: PluginRegistry, cafe: World
) -> None:
    staff = await open_session(config, cafe, "staff_id", cafe.anna.id)
    changed = config.model_copy(update={"scheme": "https", "public_port": 443})
    async with serving(create_app(changed, registry=probed_registry)) as server:
        planted = server.at(cafe.host, cookie=f"rg_staff={staff}")
        own = server.at(cafe.host, cookie=f"rg_staff=planted; __Host-rg_staff={staff}")
        assert (await planted.get(PROGRAM)).status_code == 401
        assert (await own.get(PROGRAM)).status_code == 200


async def test_forwarded_headers_count_from_listed_proxies_only(
    config: Config, probed_registry: PluginRegistry, make_world: Callable[..., Awaitable[World]]
) -> None:
    world = await make_world("proxied", offering="all", features=EVERYTHING)
    forwarded = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 10.0.0.9", "X-Forwarded-Host": world.host}
    for proxies, host, ip in (
        ((), world.host, "127.0.0.1"),
        ((ip_network("10.0.0.0/8"),), world.host, "127.0.0.1"),
        ((ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")), "front.internal", "192.0.2.7"),
    ):
        changed = config.model_copy(update={"trusted_proxies": proxies})
        async with serving(create_app(changed, registry=probed_registry)) as server:
            visitor = server.at(host, authorization=f"Bearer {world.api_key}", **forwarded)
            body = {"email": f"{ip}@example.org".replace("@", f"-{len(proxies)}@"), "terms": True}
            response = await visitor.client.post(f"{CARDS}/enroll", json=body)
            assert response.status_code == 201, response.text
        assert await last_consent_ip(config) == ip


async def last_consent_ip(config: Config) -> str:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        found = await connection.execute(text("SELECT ip FROM core.consent ORDER BY id DESC LIMIT 1"))
        return str(found.scalar_one())


async def test_foreign_ids_look_like_unknown_ones(web: WebServer, cafe: World, pizza: World) -> None:
    visitor = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    stranger, nobody = f"staff_{pizza.anna.id.hex}", f"staff_{new_id().hex}"
    for method, path, body in (
        ("PATCH", "/api/v1/store/loyalty/pins/{}", {"name": "X"}),
        ("DELETE", "/api/v1/store/loyalty/pins/{}", None),
        ("POST", "/api/v1/store/loyalty/pins/{}/unlock", None),
    ):
        answers = []
        for staff in (stranger, nobody, "staff_0", "x"):
            response = await visitor.send(method, path.format(staff), **({"json": body} if body else {}))
            content = response.json()
            content.pop("instance")
            answers.append((response.status_code, content))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
        assert answers[2][0] == answers[3][0] == 404
    stamp = "/api/v1/store/loyalty/stamp"
    person = {"staff": f"staff_{cafe.anna.id.hex}", "pin": cafe.anna.pin}
    answers = []
    cards = (pizza.card.number, new_number(), pizza.card.token, f"card_{pizza.card.id.hex}", f"card_{new_id().hex}")
    for card in cards:
        headers = {"Idempotency-Key": f"key-{card}"}
        response = await visitor.post(stamp, json={"card": card, **person}, headers=headers)
        content = response.json()
        content.pop("instance")
        answers.append((response.status_code, content))
    assert answers == [answers[0]] * 5
    assert answers[0][0] == 404
    for one in (stranger, nobody):
        headers = {"Idempotency-Key": f"key-{one}"}
        body = {"card": cafe.card.number, "staff": one, "pin": pizza.anna.pin}
        response = await visitor.post(stamp, json=body, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "pin.wrong"), one
