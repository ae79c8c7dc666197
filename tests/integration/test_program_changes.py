"""Rules change with a date: planned, told, applied once, listed for everybody; what is on a card stays on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, actions_of, as_role, open_shop
from test_pages_manage_program import form_of, send, url
from visitors import read

from regulars.contracts.context import Principal
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.domain.programs import changes
from regulars.domain.programs.changes_repository import DUE
from regulars.domain.programs.jobs import program_changes
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import CronTick
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore
from regulars.testing.aftermath import Letter
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World

RunJobs = Callable[..., Awaitable[list[tuple[str, str]]]]
STATUS = "SELECT status FROM core.program_change ORDER BY created_at, id"
TARGET = "SELECT values->>'target' FROM core.plugin_settings WHERE plugin = 'stamps' AND tenant_id = $1"


@pytest.fixture
def tick(database: Database, run_jobs: RunJobs) -> Callable[[], Awaitable[list[tuple[str, str]]]]:
    """What a minute of the worker does about changes."""

    async def run() -> list[tuple[str, str]]:
        async with database.platform("test") as session:
            await program_changes(CronTick(session, datetime.now(UTC)))
        return [line for line in await run_jobs() if line[0] != "core.send_mail"]

    return run


async def plan(
    world: World,
    database: Database,
    registry: PluginRegistry,
    store: SettingsStore,
    target: int,
    *,
    days: float = 30,
    announce_days: int | None = None,
    note: str = "",
) -> None:
    ctx = replace(world.context(), principal=Principal("staff", None, "Ben", "manager", frozenset({"programs.manage"})))
    async with database.tenant(world.tenant.id) as session:
        now = await session.scalar(changes.repository.NOW)
        await changes.plan(
            session,
            ctx,
            registry,
            store,
            world.program_id,
            {"stamps": {"target": target}},
            note=note,
            effective_from=now + timedelta(days=days),
            announce_days=announce_days,
        )


@pytest.fixture
def store(config: Config, registry: PluginRegistry) -> SettingsStore:
    return SettingsStore(registry, config.setting_default, config.encryption_key)


async def test_a_planned_change_comes_on_its_day_and_once(
    cafe: World,
    pizza: World,
    database: Database,
    registry: PluginRegistry,
    store: SettingsStore,
    clock: Clock,
    sql: Connection,
    tick: Callable[[], Awaitable[list[tuple[str, str]]]],
    make_till: Callable[[World], Till],
) -> None:
    await make_till(cafe).sale(2)
    balance = "SELECT balance FROM core.account WHERE tenant_id = $1"
    await plan(cafe, database, registry, store, 12, note="Two more stamps")
    assert await tick() == []
    assert await sql.fetchval(TARGET, cafe.tenant.id) is None
    await clock.advance(minutes=30 * 24 * 60 + 1)
    assert await tick() == [("core.apply_change", "done")]
    assert await tick() == []
    assert [row[0] for row in await sql.fetch(STATUS)] == ["applied"]
    assert await sql.fetchval(TARGET, cafe.tenant.id) == "12"
    assert await sql.fetchval(TARGET, pizza.tenant.id) is None
    versions = await sql.fetch("SELECT number, actor_name, note FROM core.settings_version")
    assert [tuple(row) for row in versions] == [(1, "Ben", "Two more stamps")]
    assert await sql.fetchval(balance, cafe.tenant.id) == 2, "what was earned stays"


async def test_members_are_told_before_and_only_once(
    cafe: World,
    database: Database,
    registry: PluginRegistry,
    store: SettingsStore,
    clock: Clock,
    tick: Callable[[], Awaitable[list[tuple[str, str]]]],
    mails: Callable[[], Awaitable[list[Letter]]],
) -> None:
    await cafe.add_card("leo@example.com")
    await plan(cafe, database, registry, store, 12, announce_days=14, note="Two more stamps")
    await clock.advance(minutes=15 * 24 * 60)
    assert await tick() == []
    await clock.advance(minutes=24 * 60 + 1)
    assert await tick() == [("core.tell_change", "done")]
    assert await tick() == []
    letters = await mails()
    assert sorted((one.template, one.recipient, one.subject) for one in letters) == [
        ("mails/rules_change", "leo@example.com", "New rules at Cafe"),
        ("mails/rules_change", "mia@cafe.example", "New rules at Cafe"),
    ]
    assert "Two more stamps" in letters[0].text
    assert "/program/changes" in letters[0].text


async def test_what_does_not_fit_any_more_fails_and_changes_nothing(
    cafe: World,
    database: Database,
    registry: PluginRegistry,
    store: SettingsStore,
    clock: Clock,
    sql: Connection,
    tick: Callable[[], Awaitable[list[tuple[str, str]]]],
) -> None:
    await plan(cafe, database, registry, store, 12)
    await sql.execute("""UPDATE core.program_change SET "values" = '{"stamps": {"target": 1}}'""")
    await clock.advance(minutes=31 * 24 * 60)
    assert await tick() == [("core.apply_change", "done")]
    row = await sql.fetchrow("SELECT status, error FROM core.program_change")
    assert tuple(row) == ("failed", "target: At least 2 is needed.")
    assert await sql.fetchval(TARGET, cafe.tenant.id) is None
    async with database.tenant(cafe.tenant.id) as session:
        assert [one.status for one in await changes.list_planned(session, cafe.program_id)] == ["failed"]


async def test_no_past_no_nonsense_and_nobody_elses(
    cafe: World, pizza: World, database: Database, registry: PluginRegistry, store: SettingsStore, sql: Connection
) -> None:
    for faulty in ({"days": -1.0}, {"days": 400.0}, {"announce_days": 91}, {"note": "x" * 501}):
        with pytest.raises(InvalidInput):
            await plan(cafe, database, registry, store, 12, **faulty)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        await plan(cafe, database, registry, store, 1)
    await plan(cafe, database, registry, store, 12)
    change_id = await sql.fetchval("SELECT id FROM core.program_change")
    async with database.tenant(pizza.tenant.id) as session:
        with pytest.raises(NotFound):
            await changes.get_planned(session, change_id)
    async with database.platform("test") as platform:
        assert (await platform.execute(DUE, {"most": 10})).all() == []


async def test_the_form_plans_and_the_page_takes_back(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    _page, form = await form_of(visitor)
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    wanted = form | {"stamps.target": "12", "_change.date": day, "_change.note": "Two more stamps", "step": "confirmed"}
    faulty = await send(visitor, cafe, wanted | {"_change.date": "2020-01-01"})
    assert not isinstance(faulty, str)
    assert "Choose a moment in the future, at most a year from now." in faulty.text
    assert "Two more stamps</textarea>" in faulty.html
    unchanged = await send(visitor, cafe, form | {"_change.date": day})
    assert not isinstance(unchanged, str)
    assert "No rule is changed." in unchanged.text
    assert await send(visitor, cafe, wanted) == url(cafe)
    assert await sql.fetchval(TARGET, cafe.tenant.id) is None
    listed = read(await visitor.get("/manage/program/changes"))
    assert "Two more stamps" in listed.text
    assert "Stamps needed: 10" in listed.text
    public = read(await web.at(cafe.host).get("/program/changes"))
    assert "Two more stamps" in public.text
    change = ids.show(ids.CHANGE, await sql.fetchval("SELECT id FROM core.program_change"))
    path = f"/manage/program/changes/{change}/withdraw"
    assert "The rules stay as they are, and nobody hears of it." in read(await visitor.get(path)).text
    await visitor.submit(path, {})
    assert [row[0] for row in await sql.fetch(STATUS)] == ["withdrawn"]
    assert "Two more stamps" not in read(await web.at(cafe.host).get("/program/changes")).text
    assert await actions_of(sql, cafe) == ["program.change_planned", "program.change_withdrawn"]


async def test_a_shops_system_plans_and_withdraws(
    web: WebServer, make_world: MakeWorld, pizza: World, sql: Connection
) -> None:
    cafe = await make_world("cafe", offering="api", features=(*FEATURES, "api_access"))
    path, day = "/api/v1/store/loyalty/program/changes", (datetime.now(UTC) + timedelta(days=30)).isoformat()
    shop = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    other = web.at(pizza.host, authorization=f"Bearer {pizza.api_key}")
    wanted = {"settings": {"stamps": {"target": 12}}, "effective_from": day, "note": "Two more stamps"}
    for wrong, field in (
        ({"settings": {"stamps": {"target": 1}}}, "settings.stamps.target"),
        ({"settings": {"nobody": {"target": 12}}}, "settings.nobody"),
        ({"effective_from": "2020-01-01T00:00:00Z"}, "effective_from"),
    ):
        said = await shop.post(path, json=wanted | wrong)
        assert (said.status_code, list(said.json()["fields"])) == (422, [field])
    planned = await shop.post(path, json=wanted | {"announce_days": 14})
    assert planned.status_code == 201, planned.text
    assert planned.json()["settings"] == {"stamps": {"target": 12}}
    assert (await shop.get(path)).json() == {"items": [planned.json()]}
    assert (await other.get(path)).json() == {"items": []}
    one = f"{path}/{planned.json()['id']}"
    assert [(await who.send("DELETE", one)).status_code for who in (other, shop, shop)] == [404, 204, 404]
    assert (await shop.get(path)).json() == {"items": []}
    assert [row[0] for row in await sql.fetch(STATUS)] == ["withdrawn"]
    assert await actions_of(sql, cafe) == ["program.change_planned", "program.change_withdrawn"]


async def test_what_is_saved_at_once_is_listed_and_security_is_nobodys_business(
    web: WebServer, make_world: MakeWorld, sql: Connection
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    _page, form = await form_of(visitor)
    assert await send(visitor, cafe, form | {"antifraud.cooldown_minutes": "5"}) == url(cafe)
    assert "Nothing has changed yet" in read(await web.at(cafe.host).get("/program/changes")).text
    _page, form = await form_of(visitor)
    assert await send(visitor, cafe, form | {"stamps.reward_text": "free tea"}) == url(cafe)
    assert "New rules: Stamp cards" in read(await web.at(cafe.host).get("/program/changes")).text
    history = read(await visitor.get("/manage/program/changes")).text
    assert "The first version Reward: free coffee → free tea" in history
