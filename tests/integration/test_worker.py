"""Whole workers against real PostgreSQL and Redis, killed, stopped and cut off."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.embedded import EmbeddedRedis, Urls
from regulars.kernel.jobs import CronTick, Every, JobRegistry, enqueue
from regulars.kernel.jobs.arq_backend import QUEUE
from regulars.kernel.jobs.cron import CronDefinition
from regulars.kernel.jobs.ports import Timing
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.environment import environment
from regulars.testing.plugin import Servers
from regulars.testing.world import World
from regulars.worker import Worker, build_worker

sys.path.insert(0, str(Path(__file__).parent))
import crons_under_test
import jobs_under_test

SHORT = Timing(poll=0.1, rest=0.01, lease=1.0, resend=1.0, cancel_grace=0.2, stop_grace=5.0)
DONE = text("SELECT count(*) FROM core.job WHERE status = 'done'")
ACTIONS = text("SELECT details FROM core.audit_log WHERE action = :action ORDER BY id")
STATE = text("SELECT status, attempts FROM core.job WHERE id = :id")
TERMINATE = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND usename IN ('regulars_app', 'regulars_platform')"
)


@pytest.fixture
def jobs() -> JobRegistry:
    return JobRegistry.build([jobs_under_test.__name__])


@pytest.fixture(autouse=True)
async def redis_server(servers: Servers) -> AsyncIterator[EmbeddedRedis]:
    servers.redis.start()
    async with Redis.from_url(servers.redis.url) as raw:
        await raw.flushall()
    yield servers.redis
    servers.redis.start()


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[Worker]:
    """A worker in this process."""
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await running


@pytest.fixture
def make_worker(config: Config, registry: PluginRegistry, jobs: JobRegistry) -> Callable[..., Worker]:
    def make(timing: Timing = SHORT, found: JobRegistry = jobs) -> Worker:
        return build_worker(config, plugins=registry, jobs=found, timing=timing)

    return make


class Process:
    """A worker process."""

    def __init__(self, environ: dict[str, str], log: Path, **timing: float) -> None:
        times = {"poll": 0.1, "lease": 1.0, "resend": 1.0, **timing}
        script = Path(__file__).with_name("worker_under_test.py")
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(script), json.dumps(times)], env=environ, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        return await asyncio.to_thread(self._process.wait, 30)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


@pytest.fixture
def start(database_urls: Urls, servers: Servers, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    environ = {**os.environ, **environment(database_urls, servers.redis.url, tmp_path)}
    started: list[Process] = []

    def make(**timing: float) -> Process:
        started.append(Process(environ, tmp_path / f"worker-{len(started)}.log", **timing))
        return started[-1]

    yield make
    for process in started:
        process.kill()


async def add(database: Database, world: World, name: str, count: int = 1, **payload: Any) -> list[UUID]:
    made = []
    async with database.tenant(world.tenant.id) as session:
        for n in range(count):
            job_id = await enqueue(session, name, {"n": n, **payload})
            assert job_id is not None
            made.append(job_id)
    return made


async def actions(database: Database, action: str) -> list[dict[str, Any]]:
    async with database.platform("test") as session:
        return [row.details for row in await session.rows(ACTIONS, {"action": action})]


async def state(database: Database, job_id: UUID) -> tuple[str, int]:
    async with database.platform("test") as session:
        row = await session.one_or_none(STATE, {"id": job_id})
        assert row is not None
        return row.status, row.attempts


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> float:
    """Wait until something is true.

    Returns:
        How long it took.
    """
    started = time.monotonic()
    while not await condition():
        assert time.monotonic() - started < seconds, "it did not come about"
        await asyncio.sleep(0.01)
    return time.monotonic() - started


def all_done(database: Database, count: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        async with database.platform("test") as session:
            return bool(await session.scalar(DONE) >= count)

    return check


def is_(database: Database, job_id: UUID, *wanted: object) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await state(database, job_id) == wanted

    return check


def is_done(database: Database, job_id: UUID) -> Callable[[], Awaitable[bool]]:
    """However many tries it took: on a busy machine a worker may be late with its sign of life."""

    async def check() -> bool:
        return (await state(database, job_id))[0] == "done"

    return check


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return sorted(details["n"] for details in found)


async def test_a_job_runs_through_redis(database: Database, cafe: World, make_worker: Callable[..., Worker]) -> None:
    async with working(make_worker()):
        await add(database, cafe, "core.mark", 30)
        await until(all_done(database, 30))
    assert numbers(await actions(database, "mark")) == list(range(30))


@pytest.mark.fault
async def test_flushall_loses_nothing_and_repeats_nothing(
    database: Database, cafe: World, make_worker: Callable[..., Worker], redis_server: EmbeddedRedis
) -> None:
    async with Redis.from_url(redis_server.url) as raw, working(make_worker()), working(make_worker()):
        for n in range(10):
            await add(database, cafe, "core.mark", 20)
            await raw.flushall()
            await until(all_done(database, 20 * (n // 2)))
        await until(all_done(database, 200))
    assert numbers(await actions(database, "mark")) == sorted(list(range(20)) * 10)


@pytest.mark.fault
async def test_redis_dies_and_comes_back_empty(
    database: Database, cafe: World, make_worker: Callable[..., Worker], redis_server: EmbeddedRedis
) -> None:
    async with working(make_worker()):
        await add(database, cafe, "core.mark", 5)
        await until(all_done(database, 5))
        for round_ in range(1, 4):
            await asyncio.to_thread(redis_server.kill)
            await add(database, cafe, "core.mark", 5)
            await asyncio.to_thread(redis_server.start)
            took = await until(all_done(database, 5 + 5 * round_), seconds=60.0)
            assert took < 30.0
    assert numbers(await actions(database, "mark")) == sorted(list(range(5)) * 4)


@pytest.mark.fault
async def test_lost_database_connections_lose_no_job(
    database: Database, cafe: World, make_worker: Callable[..., Worker], database_urls: Urls
) -> None:
    superuser = create_async_engine(database_urls.superuser)
    async with working(make_worker()):
        await add(database, cafe, "core.mark", 60)
        await database.close()
        for _ in range(10):
            async with superuser.connect() as connection:
                await connection.execute(TERMINATE)
            await asyncio.sleep(0.05)
        # A failed job waits for its retry; nobody wants to wait that long here.
        hurry = text("UPDATE core.job SET run_at = now() WHERE status = 'queued' AND run_at > now()")

        async def done() -> bool:
            async with superuser.begin() as connection:
                await connection.execute(hurry)
                return bool((await connection.execute(DONE)).scalar() == 60)

        await until(done)
    await superuser.dispose()
    assert numbers(await actions(database, "mark")) == list(range(60))


@pytest.mark.fault
async def test_garbage_in_the_queue_harms_nobody(
    database: Database, cafe: World, make_worker: Callable[..., Worker], redis_server: EmbeddedRedis
) -> None:
    async with Redis.from_url(redis_server.url) as raw, working(make_worker()):
        rubbish = {"pickled": pickle.dumps({"f": "run"}), "no_function": b'{"t":null,"f":"x","a":[],"k":{},"et":1}'}
        rubbish |= {"no_ids": b'{"t":null,"f":"run","a":["x"],"k":{},"et":1}', "no_json": b"\xff"}
        for name, body in rubbish.items():
            await raw.set(f"arq:job:{name}", body)
            await raw.zadd(QUEUE, {name: 1})
        await add(database, cafe, "core.mark", 3)
        await until(all_done(database, 3))

        async def queue_is_empty() -> bool:
            return bool(await raw.zcard(QUEUE) == 0)

        await until(queue_is_empty)


@pytest.mark.fault
async def test_a_cron_runs_once_per_slot_with_four_workers(
    database: Database, make_worker: Callable[..., Worker]
) -> None:
    async def handler(tick: CronTick) -> None:
        await tick.session.execute(crons_under_test.SLOTS, {"slot": tick.scheduled_at.isoformat()})

    definition = CronDefinition("tick", Every(seconds=0.2), handler)
    registry = JobRegistry([], [("core.tick", definition)])
    counts = text("SELECT subject, count(*) AS times FROM core.platform_audit WHERE action = 'tick' GROUP BY subject")

    async def ten_slots() -> bool:
        async with database.platform("test") as session:
            return len(await session.rows(counts)) >= 10

    workers = [make_worker(found=registry) for _ in range(4)]
    async with working(workers[0]), working(workers[1]), working(workers[2]), working(workers[3]):
        await until(ten_slots)
    async with database.platform("test") as session:
        assert {row.times for row in await session.rows(counts)} == {1}


@pytest.mark.fault
async def test_a_killed_workers_job_is_taken_over(
    database: Database, cafe: World, start: Callable[..., Process]
) -> None:
    first = start()
    (job_id,) = await add(database, cafe, "core.sleepy", seconds=3)
    await until(is_(database, job_id, "running", 1))
    second = start()
    first.kill()
    await until(is_done(database, job_id))
    assert await actions(database, "sleepy") == [{"n": 0, "pid": second.pid}]


@pytest.mark.fault
async def test_a_stopped_workers_late_writes_are_fenced(
    database: Database, cafe: World, start: Callable[..., Process]
) -> None:
    first = start()
    (job_id,) = await add(database, cafe, "core.sleepy", seconds=1)
    await until(is_(database, job_id, "running", 1))
    first.signal(signal.SIGSTOP)
    second = start()
    await until(is_done(database, job_id))
    first.signal(signal.SIGCONT)
    first.signal(signal.SIGTERM)
    assert await first.ended() == 0
    assert '"outcome": "lost"' in first.log.read_text()
    assert await actions(database, "sleepy") == [{"n": 0, "pid": second.pid}]


@pytest.mark.fault
async def test_sigterm_lets_jobs_end_or_gives_them_back(
    database: Database, cafe: World, start: Callable[..., Process]
) -> None:
    patient = start(stop_grace=20, lease=15)
    (short,) = await add(database, cafe, "core.sleepy", seconds=1)
    await until(is_(database, short, "running", 1))
    patient.signal(signal.SIGTERM)
    assert await patient.ended() == 0
    assert await state(database, short) == ("done", 1)
    hasty = start(stop_grace=0.1, lease=15)
    (long,) = await add(database, cafe, "core.sleepy", seconds=4)
    await until(is_(database, long, "running", 1))
    hasty.signal(signal.SIGTERM)
    assert await hasty.ended() == 0
    assert await state(database, long) == ("queued", 0)
    assert [details["pid"] for details in await actions(database, "sleepy")] == [patient.pid]
