"""Fault I9: a plugin that does wrong is blamed by name, harms nobody else, and is stopped when it goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import faulty_plugin
import httpx
import pytest
from asyncpg import Connection
from pages_under_test import OPERATOR, operator_at

from regulars.app import create_app
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.plugins import hooks as dispatcher
from regulars.kernel.plugins.discovery import Candidate, discover
from regulars.kernel.plugins.loader import load_candidates
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.aftermath import letters, make_run_jobs
from regulars.testing.jobs import FreshSnapshots
from regulars.testing.web import Browser, WebServer, serving
from regulars.testing.world import HOST_FEATURES, PLUGINS, World

STORE = "/api/v1/store/loyalty"
FAULTS = "SELECT details->>'fault' FROM core.audit_log WHERE tenant_id = $1 AND action = 'plugin.failed' ORDER BY id"
TRACES = """
    SELECT (SELECT count(*) FROM core.sale) + (SELECT count(*) FROM core.ledger_entry)
      + (SELECT count(*) FROM core.account) + (SELECT count(*) FROM core.idempotency)
      + (SELECT count(*) FROM core.outbox_event)
"""
TABLE = (
    "CREATE SCHEMA plg_faulty",
    "CREATE TABLE plg_faulty.note (tenant_id uuid, number bigint CHECK (number > 0), PRIMARY KEY (tenant_id, number))",
    "GRANT USAGE ON SCHEMA plg_faulty TO regulars_app",
    "GRANT SELECT, INSERT ON plg_faulty.note TO regulars_app",
)
OFFER: dict[str, Any] = {
    "offering": "faulty",
    "features": (*PLUGINS, "faulty", *HOST_FEATURES, "api_access"),
    "staff": (("Anna", "staff", "4711"), ("Olga", "owner", "2580")),
    "settings": {"antifraud": {"cooldown_minutes": 0, "max_daily_stamps": 1000}},
}


@pytest.fixture(scope="module")
def faulty_registry() -> PluginRegistry:
    """The bundled plugins and the faulty one."""
    faulty = Candidate("faulty", package="", distribution="test-faulty", version="0", load=lambda: faulty_plugin.plugin)
    return load_candidates([*(found for found in discover() if found.ours), faulty])


@pytest.fixture
async def web(config: Config, faulty_registry: PluginRegistry) -> AsyncIterator[WebServer]:
    async with serving(create_app(config, registry=faulty_registry)) as server:
        yield server


@pytest.fixture
async def shops(
    make_world: Callable[..., Awaitable[World]], sql: Connection, faulty_registry: PluginRegistry
) -> AsyncIterator[tuple[World, World]]:
    """Two tenants that have the plugin; nothing is asked of it yet."""
    for statement in TABLE:
        await sql.execute(statement)
    made = [await make_world(slug, **OFFER, plugins=faulty_registry.names) for slug in ("cafe", "pizza")]
    for world in made:
        await sql.execute("INSERT INTO plg_faulty.note VALUES ($1, 1)", world.tenant.id)
    yield made[0], made[1]
    faulty_plugin.asked["for"] = ""


@pytest.fixture
def sell(web: WebServer) -> Callable[[World, str], Awaitable[httpx.Response]]:
    async def one(world: World, key: str) -> httpx.Response:
        till = web.at(world.host, authorization=f"Bearer {world.api_key}", idempotency_key=key)
        return await till.post(f"{STORE}/stamp", json=world.till_body())

    return one


async def faults(sql: Connection, world: World) -> list[str]:
    return [row[0] for row in await sql.fetch(FAULTS, world.tenant.id)]


WRONG = {
    "raises": "RuntimeError in earn",
    "foreign unit": "the unit 'stamps' is not its own",
    "bad row": "its rows were refused: CheckViolationError",
    "double row": "its rows were refused: UniqueViolationError",
    "bad value": "its rows cannot be written: InvalidTextRepresentationError",
}


async def test_a_sale_that_a_plugin_breaks_leaves_nothing_and_names_it(
    shops: tuple[World, World],
    sell: Any,
    sql: Connection,
    make_world: Callable[..., Awaitable[World]],
    faulty_registry: PluginRegistry,
) -> None:
    for number, (wrong, fault) in enumerate(WRONG.items()):
        world = await make_world(f"shop{number}", **OFFER, plugins=faulty_registry.names)
        await sql.execute("INSERT INTO plg_faulty.note VALUES ($1, 1)", world.tenant.id)
        before, faulty_plugin.asked["for"] = await sql.fetchval(TRACES), wrong
        answer = await sell(world, "first")
        assert (answer.status_code, answer.json()["code"], answer.json()["plugin"]) == (500, "plugin_fault", "faulty")
        assert answer.json()["detail"] == "“Faulty” failed, nothing was changed. Please try again; we have been told."
        assert await sql.fetchval(TRACES) == before
        assert await faults(sql, world) == [fault]
        faulty_plugin.asked["for"] = ""
        assert (await sell(world, "first")).status_code == 200


async def test_facts_that_cannot_be_read_are_blamed_on_their_plugin(
    shops: tuple[World, World], sell: Any, sql: Connection
) -> None:
    cafe, pizza = shops
    await sql.execute("DELETE FROM plg_faulty.note WHERE tenant_id = $1", cafe.tenant.id)
    answer = await sell(cafe, "first")
    assert (answer.status_code, answer.json()["plugin"]) == (500, "faulty")
    assert await faults(sql, cafe) == ["its facts cannot be read: DivisionByZeroError"]
    assert (await sell(pizza, "first")).status_code == 200


async def test_after_three_faults_it_is_stopped_for_that_tenant_and_selling_goes_on(
    shops: tuple[World, World],
    sell: Any,
    sql: Connection,
    visit_owner: Any,
    web: WebServer,
    database: Any,
    faulty_registry: PluginRegistry,
) -> None:
    cafe, pizza = shops
    operator = await operator_at(web, sql, cafe)
    faulty_plugin.asked["for"] = "raises"
    assert [(await sell(cafe, f"key-{number}")).status_code for number in range(4)] == [500, 500, 500, 200]
    assert (await sell(pizza, "key")).status_code == 500
    switch = await sql.fetchrow("SELECT plugin, reason FROM core.kill_switch WHERE tenant_id = $1", cafe.tenant.id)
    reason = "It failed 3 times within ten minutes, the last time: RuntimeError in earn"
    assert tuple(switch) == ("faulty", reason)
    killed = "SELECT actor_kind, reason FROM core.platform_audit WHERE action = 'plugin.killed'"
    assert [tuple(row) for row in await sql.fetch(killed)] == [("system", reason)]
    page = await (await visit_owner(cafe)).get("/manage/plugins")
    assert "Failed 3 times since yesterday" in page.text
    assert "We have stopped this extension for the moment. Your data is safe." in page.text
    console = await operator.get("/plugins")
    assert "cafe, pizza" in console.text
    tenant = f"/tenants/{ids.show(ids.TENANT, cafe.tenant.id)}"
    assert f'Stopped for one merchant · <a class="link" href="{tenant}">cafe</a>' in console.text
    await make_run_jobs(cafe.config, faulty_registry, database)()
    (letter,) = [letter for letter in await letters(sql) if letter.template == "mails/plugin_stopped"]
    assert (letter.recipient, letter.subject) == (OPERATOR, f"“faulty” was stopped for {cafe.tenant.name}")
    assert reason in letter.text
    assert tenant in letter.text

    faulty_plugin.asked["for"] = ""
    revive = f"{tenant}/plugins/faulty/revive"
    assert "Let it work again" in (await operator.get(revive)).text
    assert (await operator.submit(revive, {"reason": "mended"})).headers["Location"] == tenant
    assert await sql.fetchval("SELECT count(*) FROM core.kill_switch") == 0
    revived = "SELECT actor_kind, reason FROM core.platform_audit WHERE action = 'plugin.revived'"
    assert [tuple(row) for row in await sql.fetch(revived)] == [("operator", "mended")]
    assert "faulty" in (await FreshSnapshots(database, faulty_registry).by_id(cafe.tenant.id)).enabled


async def test_whoever_brings_a_unit_is_not_stopped(
    shops: tuple[World, World], sell: Any, sql: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without stamps nothing could be sold: people decide."""
    cafe, _ = shops
    monkeypatch.setattr("regulars.domain.tenants.fault_book.is_dispensable", lambda registry, plugin: False)
    faulty_plugin.asked["for"] = "raises"
    assert [(await sell(cafe, f"key-{number}")).status_code for number in range(4)] == [500] * 4
    assert await sql.fetchval("SELECT count(*) FROM core.kill_switch") == 0


async def test_whoever_may_refuse_a_sale_is_not_stopped(
    shops: tuple[World, World], sell: Any, sql: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can make the platform slow must not switch off the limits of the cards by that: people decide."""
    cafe, _ = shops
    monkeypatch.setattr(dispatcher, "LATE_SECONDS", -1.0)
    assert [(await sell(cafe, f"key-{number}")).status_code for number in range(3)] == [200] * 3
    late = "SELECT DISTINCT details->>'plugin' FROM core.audit_log WHERE action = 'plugin.failed'"
    assert {row[0] for row in await sql.fetch(late)} == {"antifraud", "faulty", "stamps"}
    assert [row[0] for row in await sql.fetch("SELECT plugin FROM core.kill_switch")] == ["faulty"]


async def test_a_hook_that_is_late_does_not_undo_the_sale_but_is_blamed(
    shops: tuple[World, World], sell: Any, sql: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    cafe, _ = shops
    monkeypatch.setattr(dispatcher, "LATE_SECONDS", faulty_plugin.SECONDS / 2)
    faulty_plugin.asked["for"] = "late"
    assert (await sell(cafe, "first")).status_code == 200
    assert [fault.split(" took")[0] for fault in await faults(sql, cafe)] == ["earn"]


async def test_raw_sql_can_neither_end_the_transaction_nor_see_another_tenant(
    shops: tuple[World, World], web: WebServer, sql: Connection
) -> None:
    cafe, pizza = shops
    visitor, own = web.at(cafe.host), {"Sec-Fetch-Site": "same-origin"}
    for what in faulty_plugin.STATEMENTS.keys() - {"all"}:
        answer = await visitor.post(f"/p/faulty/sql/{what}/{pizza.tenant.id}", headers=own)
        assert answer.status_code == 500, what
        assert await sql.fetchval("SELECT count(*) FROM core.member WHERE name = 'changed'") == 0, what
    seen = await visitor.post(f"/p/faulty/sql/all/{pizza.tenant.id}", headers=own)
    assert (seen.status_code, seen.text) == (200, str(cafe.tenant.id))


async def test_a_second_session_cannot_be_another_tenants(
    shops: tuple[World, World], web: WebServer, sql: Connection
) -> None:
    cafe, pizza = shops
    answer = await web.at(cafe.host).post(
        f"/p/faulty/second/{pizza.tenant.id}", headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 500
    assert await sql.fetchval("SELECT count(*) FROM core.member WHERE name = 'changed'") == 0


@pytest.fixture
def visit_owner(web: WebServer, database: Any, faulty_registry: PluginRegistry) -> Callable[..., Awaitable[Browser]]:
    from regulars.testing.principals import sign_in

    async def make(world: World) -> Browser:
        cookie, token = await sign_in(database, faulty_registry, world, "owner")
        visitor = web.at(world.host)
        visitor.client.cookies.set(cookie, token)
        return visitor

    return make
