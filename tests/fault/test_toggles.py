"""An operator's toggle, made on one web server, is in force on another one at the tenant's next request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx
import pytest
from asyncpg import Connection, connect

from regulars.kernel import ids
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.installation import DATABASE, Installation, installation
from regulars.testing.merchants import OPERATOR, PASSWORD, Merchant, add_operator, open_merchants

pytestmark = pytest.mark.fault
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STAMP = "/api/v1/store/loyalty/stamp"
OWN_SITE = {"Sec-Fetch-Site": "same-origin"}
SECOND, ASKED = 1.0, 200
TOGGLES = {
    "stopped for one": ("/tenants/{tenant}/plugins/stamps/kill", "/tenants/{tenant}/plugins/stamps/revive"),
    "denied to one": ("/tenants/{tenant}/exceptions/stamps/deny", "/tenants/{tenant}/exceptions/stamps/remove"),
    "stopped for everybody": ("/plugins/stamps/kill", "/plugins/stamps/revive"),
}
LISTENERS = "SELECT pid, client_port FROM pg_stat_activity WHERE application_name = 'regulars-listener'"


@dataclass(frozen=True)
class Seen:
    """What people see of the plugin on the second server.

    Attributes:
        api: status of each method of its API path.
        slot: whether it shows the card on the customer's page.
        menu: whether it stands in the owner's menu.
        page: status of its own page.
    """

    api: tuple[int, ...]
    slot: bool
    menu: bool
    page: int


ON = Seen((405, 405, 415, 405, 405, 405, 200), slot=True, menu=True, page=200)
OFF = Seen((404,) * len(METHODS), slot=False, menu=False, page=404)


@dataclass
class Scene:
    """An operator on the first server; a till, a customer and an owner on the second."""

    running: Installation
    shop: Merchant
    operator: httpx.AsyncClient
    till: httpx.AsyncClient
    customer: httpx.AsyncClient
    owner: httpx.AsyncClient

    async def toggle(self, path: str) -> None:
        """The operator decides."""
        tenant = ids.show(ids.TENANT, self.shop.tenant.id)
        answer = await self.operator.post(path.format(tenant=tenant), data={"reason": "a test"}, headers=OWN_SITE)
        assert answer.status_code == 303, answer.text

    async def look(self) -> Seen:
        """What the next requests are answered."""
        api = tuple([(await self.till.request(method, STAMP)).status_code for method in METHODS])
        card, home = await self.customer.get("/card"), await self.owner.get("/manage")
        assert (card.status_code, home.status_code) == (200, 200)
        page = await self.owner.get("/manage/p/stamps/")
        return Seen(api, "data-stamps-sentence" in card.text, "/manage/p/stamps/" in home.text, page.status_code)

    async def is_on(self) -> bool:
        """One request of the till."""
        return (await self.till.get(STAMP)).status_code != 404

    async def expect(self, *, on: bool) -> None:
        """Ask again and again, without a pause, for a second at most; then everything must agree, and stay so."""
        begun = monotonic()
        for _ in range(ASKED):
            if await self.is_on() == on:
                break
            assert monotonic() - begun < SECOND
        assert await self.look() == (ON if on else OFF)
        assert {await self.is_on() for _ in range(20)} == {on}

    async def balance(self) -> str:
        """Stamps on the customer's card, by the database."""
        async with superuser(self.running) as sql:
            rows = await sql.fetch("SELECT balance, lifetime, seq FROM core.account ORDER BY tenant_id, card_id")
            entries = await sql.fetchval("SELECT count(*) FROM core.ledger_entry")
        return f"{[tuple(row) for row in rows]} {entries}"


@asynccontextmanager
async def superuser(running: Installation) -> AsyncIterator[Connection]:
    """A connection that may end others."""
    connection = await connect(running.postgres.urls_of(DATABASE).superuser.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def running(registry: PluginRegistry) -> AsyncIterator[Installation]:
    async with installation(registry, servers=2) as started:
        yield started


@pytest.fixture(scope="module")
async def scene(running: Installation, registry: PluginRegistry) -> AsyncIterator[Scene]:
    shop = (await open_merchants(running.config, registry))["pizza"]
    await add_operator(running.config)

    def visitor(server: int, host: str, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=running.address(server), headers={"Host": host, **headers}, timeout=10)

    async with (
        visitor(0, running.config.console_host) as operator,
        visitor(1, shop.host, Authorization=f"Bearer {shop.api_key}") as till,
        visitor(1, shop.host) as customer,
        visitor(1, shop.host) as owner,
    ):
        made = Scene(running, shop, operator, till, customer, owner)
        await post(operator, "/log-in", email=OPERATOR, password=PASSWORD)
        await post(owner, "/manage/log-in", email=shop.owner.email, password=PASSWORD)
        await post(customer, "/join", email="mia@example.com", name="Mia", terms="1")
        assert await made.look() == ON
        yield made


async def post(visitor: httpx.AsyncClient, path: str, **values: str) -> None:
    answer = await visitor.post(path, data=values, headers=OWN_SITE)
    assert answer.status_code == 303, answer.text


async def listener_of(sql: Connection, running: Installation, server: int) -> int | None:
    """Process id, in the database's server, of the connection on which a web server listens."""
    ports = {
        connection.laddr.port
        for process in running.web[server].children()
        for connection in process.net_connections("tcp")
        if connection.laddr
    }
    return next((row["pid"] for row in await sql.fetch(LISTENERS) if row["client_port"] in ports), None)


async def cut_off(sql: Connection, running: Installation) -> int:
    """Kill the connection on which the second web server listens."""
    pid = await listener_of(sql, running, 1)
    assert pid is not None
    assert await sql.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    return pid


@asynccontextmanager
async def deaf(running: Installation) -> AsyncIterator[None]:
    """As long as this lasts the second server cannot listen; the connections of its pool go on."""
    async with superuser(running) as sql:
        role: str = await sql.fetchval("SELECT usename FROM pg_stat_activity WHERE application_name LIKE 'regulars-l%'")
        await sql.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        try:
            await cut_off(sql, running)
            yield
        finally:
            await sql.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")


async def until_heard(running: Installation) -> None:
    """Wait until the second server listens again."""
    async with superuser(running) as sql, asyncio.timeout(10):
        while await listener_of(sql, running, 1) is None:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("toggle", TOGGLES)
async def test_a_toggle_is_in_force_on_the_other_server_within_a_second(scene: Scene, toggle: str) -> None:
    off, on = TOGGLES[toggle]
    before = await scene.balance()
    for _ in range(3):
        await scene.toggle(off)
        await scene.expect(on=False)
        await scene.toggle(on)
        await scene.expect(on=True)
    assert await scene.balance() == before


async def test_a_toggle_right_after_the_listening_connection_was_killed(scene: Scene) -> None:
    off, on = TOGGLES["stopped for one"]
    for path, is_on in ((off, False), (on, True)) * 3:
        async with superuser(scene.running) as sql:
            await cut_off(sql, scene.running)
        await scene.toggle(path)
        await scene.expect(on=is_on)
        await until_heard(scene.running)
        assert await scene.look() == (ON if is_on else OFF)


async def test_while_the_listening_connection_is_down_nothing_is_kept(scene: Scene) -> None:
    off, on = TOGGLES["stopped for one"]
    async with deaf(scene.running):
        for path, is_on in ((off, False), (on, True), (off, False)):
            await scene.toggle(path)
            assert await scene.is_on() == is_on
            assert await scene.look() == (ON if is_on else OFF)
    await until_heard(scene.running)
    assert await scene.look() == OFF
    await scene.toggle(on)
    await scene.expect(on=True)


async def test_after_the_connection_is_back_what_was_kept_before_is_forgotten(scene: Scene) -> None:
    off, on = TOGGLES["stopped for one"]
    assert await scene.is_on()
    async with deaf(scene.running):
        await scene.toggle(off)
    await until_heard(scene.running)
    assert not await scene.is_on()
    await scene.toggle(on)
    await scene.expect(on=True)


async def test_a_denied_feature_is_refused_by_its_name(scene: Scene) -> None:
    async def program() -> tuple[int, Any]:
        answer = await scene.till.get("/api/v1/store/loyalty/program")
        return answer.status_code, answer.json().get("code")

    assert await program() == (200, None)
    await scene.toggle("/tenants/{tenant}/exceptions/api_access/deny")
    begun = monotonic()
    while (await program())[0] == 200:
        assert monotonic() - begun < SECOND
    assert await program() == (403, "feature_not_in_offering")
    await scene.toggle("/tenants/{tenant}/exceptions/api_access/remove")
    begun = monotonic()
    while (await program())[0] != 200:
        assert monotonic() - begun < SECOND
