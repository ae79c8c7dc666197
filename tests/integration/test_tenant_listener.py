"""Snapshots of a real database, dropped by its notifications; the listening connection is killed and comes back."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from asyncpg import connect

from regulars.contracts.errors import Unavailable
from regulars.domain.tenants.features import FEATURES
from regulars.domain.tenants.repository import fetch_snapshot, fetch_snapshot_by_id
from regulars.kernel.entitlements import SnapshotBuilder, SnapshotCache, TenantListener
from regulars.testing.wire import counting

KILL = "SELECT pg_terminate_backend($1)"
LISTENERS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'regulars-listener' AND datname = $1"
SWITCH_OFF = "INSERT INTO core.tenant_plugin (tenant_id, plugin, switched_on) VALUES ($1, $2, false)"
KILL_FOR_ALL = "INSERT INTO core.kill_switch (id, plugin, reason) VALUES (gen_random_uuid(), $1, 'a test')"
GRANT = """
INSERT INTO core.tenant_override (tenant_id, name, kind, value, reason, expires_at)
VALUES ($1, $2, $3, $4, 'a test', core.now() + $5::interval)
"""


class Process:
    """The part of a process that knows tenants."""

    def __init__(self, config, database, registry):
        self.queries = 0
        self.now = 0.0
        self._database = database
        self.cache = SnapshotCache(
            partial(self._counted, fetch_snapshot),
            partial(self._counted, fetch_snapshot_by_id),
            SnapshotBuilder(registry, [feature.name for feature in FEATURES]),
            clock=lambda: self.now,
        )
        self.listener = TenantListener(config.database_url_app, self.cache)

    async def _counted(self, fetch, key):
        self.queries += 1
        return await fetch(self._database, key)

    async def enabled(self, world):
        return sorted((await self.cache.resolve(world.host)).enabled)

    async def until_dropped(self):
        async with asyncio.timeout(1):
            while self.cache.state.known:
                await asyncio.sleep(0.005)


@pytest.fixture
async def process(config, database, registry):
    found = Process(config, database, registry)
    async with found.listener:
        await found.listener.wait_until_up()
        yield found


@pytest.fixture
async def superuser(database_urls):
    connection = await connect(database_urls.superuser.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def test_a_snapshot_of_the_database(process, cafe):
    snapshot = await process.cache.resolve(cafe.host)
    assert (snapshot.id, snapshot.slug, snapshot.host) == (cafe.tenant.id, "cafe", cafe.host)
    assert snapshot.enabled == {"antifraud", "rewards", "stamps"}
    assert await process.cache.by_id(cafe.tenant.id) == snapshot
    assert await process.cache.resolve("nobody.localhost") is None


async def test_a_warm_call_asks_no_query(process, cafe, pizza):
    for _ in range(3):
        await process.enabled(cafe)
        await process.enabled(pizza)
    assert process.queries == 2


async def test_a_switch_is_in_force_within_a_second(process, cafe, pizza, sql):
    await process.enabled(cafe)
    await sql.execute(SWITCH_OFF, cafe.tenant.id, "stamps")
    await process.until_dropped()
    assert await process.enabled(cafe) == ["antifraud", "rewards"]
    assert await process.enabled(pizza) == ["antifraud", "rewards", "stamps"]


async def test_one_tenants_change_leaves_the_others_warm(process, cafe, pizza, sql):
    await process.enabled(pizza)
    await process.enabled(cafe)
    await sql.execute(SWITCH_OFF, cafe.tenant.id, "stamps")
    async with asyncio.timeout(1):
        while process.cache.state.known == 2:
            await asyncio.sleep(0.005)
    await process.enabled(pizza)
    assert (process.cache.state.known, process.queries) == (1, 2)


async def test_a_kill_switch_for_everybody(process, cafe, pizza, sql):
    await process.enabled(cafe)
    await process.enabled(pizza)
    await sql.execute(KILL_FOR_ALL, "antifraud")
    await process.until_dropped()
    assert (await process.enabled(cafe), await process.enabled(pizza)) == (["rewards", "stamps"], ["rewards", "stamps"])


async def test_overrides_with_an_end(process, cafe, sql):
    await process.enabled(cafe)
    async with sql.transaction():
        await sql.execute(GRANT, cafe.tenant.id, "shops", "limit", 7, timedelta(seconds=50))
        await sql.execute(GRANT, cafe.tenant.id, "stamps", "deny", None, timedelta(seconds=-1))
    await process.until_dropped()
    snapshot = await process.cache.resolve(cafe.host)
    assert (snapshot.limit("shops"), "stamps" in snapshot.enabled) == (7, True)
    process.now = 29.0
    await process.cache.resolve(cafe.host)
    assert process.queries == 2
    process.now = 50.0
    await process.cache.resolve(cafe.host)
    assert process.queries == 3


async def test_a_killed_connection_comes_back_and_nothing_old_is_seen(process, cafe, sql, superuser):
    """While the connection is down nothing is kept; what has changed meanwhile is seen at once."""
    await process.enabled(cafe)
    first = process.listener.server_pid
    await superuser.execute(KILL, first)
    async with asyncio.timeout(1):
        while process.listener.is_up:
            await asyncio.sleep(0.001)
    assert (process.listener.server_pid, process.cache.state.keeps) == (None, False)
    await sql.execute(SWITCH_OFF, cafe.tenant.id, "stamps")
    assert await process.enabled(cafe) == ["antifraud", "rewards"]
    await process.listener.wait_until_up()
    assert process.listener.server_pid != first
    await process.enabled(cafe)
    await process.enabled(cafe)
    assert process.queries == 3
    await sql.execute(SWITCH_OFF, cafe.tenant.id, "antifraud")
    await process.until_dropped()
    assert await process.enabled(cafe) == ["rewards"]


async def test_one_connection_per_process_and_none_after_it(process, database_urls, superuser):
    name = database_urls.app.rpartition("/")[2]
    assert await superuser.fetchval(LISTENERS, name) == 1
    await process.listener.stop()
    assert (process.listener.is_up, process.cache.state.keeps) == (False, False)
    async with asyncio.timeout(5):
        while await superuser.fetchval(LISTENERS, name):
            await asyncio.sleep(0.01)


async def test_a_listener_waits_for_a_database_that_is_not_there(config, registry, database):
    process = Process(config, database, registry)
    nowhere = TenantListener("postgresql+asyncpg://nobody:x@127.0.0.1:1/none", process.cache)
    async with nowhere:
        with pytest.raises(TimeoutError):
            await nowhere.wait_until_up(0.2)
        assert process.cache.state.keeps is False


async def test_an_unreachable_database_is_an_outage_for_whoever_asks(process, database, cafe):
    await database.close()
    process._database = type(database)(Unreachable())
    with pytest.raises(Unavailable):
        await process.cache.resolve(cafe.host)
    assert process.cache.state.known == 0


class Unreachable:
    database_url_app = "postgresql+asyncpg://nobody:x@127.0.0.1:1/none"
    database_url_platform = database_url_app
    pool_size = 1
    pool_timeout = 1.0


async def test_a_silent_connection_is_probed_and_kept(config, process):
    async with (
        counting(config.database_url_app) as wire,
        TenantListener(wire.url, process.cache, probe_seconds=0.01) as listener,
    ):
        await listener.wait_until_up()
        server_pid = listener.server_pid
        wire.reset()
        async with asyncio.timeout(10):
            while wire.listener_trips < 5:
                await asyncio.sleep(0.01)
        assert (listener.is_up, listener.server_pid) == (True, server_pid)
