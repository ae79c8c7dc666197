"""Jobs on a real database: exactly once, leases, fencing, order, gates, poison, the clock."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from regulars.kernel.db.database import Database
from regulars.kernel.jobs import JobRegistry, enqueue, repository
from regulars.kernel.jobs.clockwork import Clockwork
from regulars.kernel.jobs.dispatcher import Dispatcher
from regulars.kernel.jobs.ports import Handover, QueueDownError, Timing
from regulars.kernel.jobs.registry import RegisteredJob
from regulars.kernel.jobs.runner import JobRunner, Outcome
from regulars.testing.jobs import FixedSnapshots, end_leases, hurry, run_pending
from regulars.testing.world import World

sys.path.insert(0, str(Path(__file__).parent))
import jobs_under_test

JOB = text("SELECT status, attempts, error, run_at > now() AS later FROM core.job WHERE id = :id")
MARKS = text("SELECT action, details FROM core.audit_log ORDER BY id")


@pytest.fixture
def jobs() -> JobRegistry:
    return JobRegistry.build(["jobs_under_test", "crons_under_test"])


@pytest.fixture(autouse=True)
def hold() -> Iterator[asyncio.Event]:
    jobs_under_test.HOLD = asyncio.Event()
    yield jobs_under_test.HOLD
    jobs_under_test.HOLD.set()


@pytest.fixture
def tenants(cafe: World) -> FixedSnapshots:
    return FixedSnapshots([cafe.tenant])


@pytest.fixture
def runner(database: Database, jobs: JobRegistry, tenants: FixedSnapshots) -> JobRunner:
    return JobRunner(database, jobs, tenants)


async def add(database: Database, tenant: World, name: str, payload: dict[str, Any] | None = None, **more: Any) -> UUID:
    async with database.tenant(tenant.tenant.id) as session:
        made = await enqueue(session, name, payload or {}, **more)
    assert made is not None
    return made


async def state(database: Database, job_id: UUID) -> tuple[str, int, str]:
    async with database.platform("test") as session:
        row = await session.one_or_none(JOB, {"id": job_id})
        assert row is not None
        return row.status, row.attempts, row.error


async def marks(database: Database) -> list[tuple[str, dict[str, Any]]]:
    async with database.platform("test") as session:
        return [(row.action, row.details) for row in await session.rows(MARKS)]


async def until_marked(database: Database, world: World, job_id: UUID) -> None:
    """Wait until a handler holds its transaction, by its lock on nothing else than time: its lease is there."""
    while (await state(database, job_id))[0] != "running":
        await asyncio.sleep(0)


class TestEnqueue:
    async def test_a_job_exists_if_and_only_if_the_transaction_commits(self, database: Database, cafe: World) -> None:
        made: list[UUID | None] = []

        async def fails() -> None:
            async with database.tenant(cafe.tenant.id) as session:
                made.append(await enqueue(session, "core.mark", {}))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fails()
        async with database.platform("test") as session:
            assert await session.one_or_none(JOB, {"id": made[0]}) is None
        assert await state(database, await add(database, cafe, "core.mark")) == ("queued", 0, "")

    async def test_a_dedup_key_makes_one_job_per_tenant_and_name(
        self, database: Database, cafe: World, pizza: World
    ) -> None:
        made = []
        for world in (cafe, pizza, cafe):
            async with database.tenant(world.tenant.id) as session:
                made.append(await enqueue(session, "core.mark", {}, dedup_key="k") is not None)
                made.append(await enqueue(session, "core.fail", {}, dedup_key="k") is not None)
        assert made == [True, True, True, True, False, False]

    async def test_a_job_waits_for_its_time(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        async with database.tenant(cafe.tenant.id) as session:
            later = await repository.database_now(session) + timedelta(hours=1)
        job_id = await add(database, cafe, "core.mark", run_at=later)
        assert await run_pending(database, jobs, tenants) == []
        await hurry(database)
        assert await run_pending(database, jobs, tenants) == [("core.mark", Outcome.DONE)]
        assert await state(database, job_id) == ("done", 1, "")


class TestOnce:
    async def test_effects_and_the_mark_done_commit_together(
        self, database: Database, runner: JobRunner, cafe: World
    ) -> None:
        job_id = await add(database, cafe, "core.mark", {"n": 1})
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.DONE
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.SKIPPED
        assert await state(database, job_id) == ("done", 1, "")
        assert await marks(database) == [("mark", {"n": 1})]

    async def test_of_many_workers_one_gets_the_job(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        job_id = await add(database, cafe, "core.mark")
        runners = [JobRunner(database, jobs, tenants) for _ in range(4)]
        outcomes = await asyncio.gather(*(each.run(cafe.tenant.id, job_id) for each in runners for _ in range(5)))
        assert sorted(outcomes, key=str).count(Outcome.DONE) == 1
        assert outcomes.count(Outcome.SKIPPED) == 19
        assert await marks(database) == [("mark", {"n": None})]

    async def test_a_job_of_another_tenant_is_not_found(
        self, database: Database, runner: JobRunner, cafe: World, pizza: World
    ) -> None:
        job_id = await add(database, pizza, "core.mark")
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.SKIPPED
        assert await state(database, job_id) == ("queued", 0, "")

    async def test_the_handler_sees_its_own_tenant_only(
        self, database: Database, jobs: JobRegistry, cafe: World, pizza: World
    ) -> None:
        tenants = FixedSnapshots([cafe.tenant, pizza.tenant])
        await add(database, cafe, "core.mark", {"n": 1})
        await add(database, pizza, "core.mark", {"n": 2})
        await run_pending(database, jobs, tenants)
        for world, n in ((cafe, 1), (pizza, 2)):
            async with database.tenant(world.tenant.id) as session:
                assert [row.details for row in await session.rows(MARKS)] == [{"n": n}]


class TestFencing:
    async def test_an_old_holder_writes_nothing(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World, hold: asyncio.Event
    ) -> None:
        first, second = (JobRunner(database, jobs, tenants) for _ in range(2))
        job_id = await add(database, cafe, "core.held", {})
        old = asyncio.create_task(first.run(cafe.tenant.id, job_id))
        await until_marked(database, cafe, job_id)
        assert await second.run(cafe.tenant.id, job_id) is Outcome.SKIPPED, "the lease holds"
        await end_leases(database)
        new = asyncio.create_task(second.run(cafe.tenant.id, job_id))
        while (await state(database, job_id))[1] != 2:
            await asyncio.sleep(0)
        hold.set()
        assert await new is Outcome.DONE
        assert await old is Outcome.LOST
        assert await marks(database) == [("held", {"attempt": 2})]
        assert await state(database, job_id) == ("done", 2, "")

    async def test_a_step_of_an_old_holder_is_not_kept(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World, hold: asyncio.Event
    ) -> None:
        first, second = (JobRunner(database, jobs, tenants) for _ in range(2))
        job_id = await add(database, cafe, "core.two_steps", {"hold": True})
        old = asyncio.create_task(first.run(cafe.tenant.id, job_id))
        while await marks(database) != [("first", {"attempt": 1})]:
            await asyncio.sleep(0)
        await end_leases(database)
        new = asyncio.create_task(second.run(cafe.tenant.id, job_id))
        while await marks(database) != [("first", {"attempt": 1}), ("first", {"attempt": 2})]:
            await asyncio.sleep(0)
        hold.set()
        assert {await old, await new} == {Outcome.LOST, Outcome.DONE}
        assert [mark for mark in await marks(database) if mark[0] == "second"] == [("second", {"attempt": 2})]

    async def test_the_heartbeat_keeps_the_lease_and_notices_its_loss(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World, hold: asyncio.Event
    ) -> None:
        runner = JobRunner(database, jobs, tenants, timing=Timing(lease=0.4))
        job_id = await add(database, cafe, "core.held", {})
        running = asyncio.create_task(runner.run(cafe.tenant.id, job_id))
        await until_marked(database, cafe, job_id)
        lease = text("SELECT lease_until, now() + interval '50 ms' < lease_until AS held FROM core.job WHERE id = :id")
        seen = set()
        while len(seen) < 5:  # renewed four times: longer than the lease
            async with database.platform("test") as session:
                row = await session.one_or_none(lease, {"id": job_id})
                assert row is not None
                assert row.held
                seen.add(row.lease_until)
        async with database.platform("test") as session:
            steal = text("UPDATE core.job SET lease_token = :token WHERE id = :id")
            await session.execute(steal, {"token": uuid4(), "id": job_id})
        assert await running is Outcome.LOST, "noticed by the heartbeat: nobody let the handler go on"
        assert await marks(database) == []


class TestFailure:
    async def test_a_failed_job_is_tried_again_later_and_leaves_nothing(
        self, database: Database, runner: JobRunner, cafe: World
    ) -> None:
        job_id = await add(database, cafe, "core.fail_once", {"n": 1})
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.RETRY
        assert await state(database, job_id) == ("queued", 1, "ValueError: not yet")
        assert await marks(database) == []
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.SKIPPED, "it waits"
        await hurry(database)
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.DONE
        assert await state(database, job_id) == ("done", 2, "")

    async def test_poison_ends_dead_and_blocks_nobody(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        poison = await add(database, cafe, "core.fail", {"n": 1}, order_key="k", order_seq=1)
        behind = await add(database, cafe, "core.mark", {"n": 2}, order_key="k", order_seq=2)
        beside = await add(database, cafe, "core.mark", {"n": 3}, order_key="other", order_seq=1)
        assert await run_pending(database, jobs, tenants) == [
            ("core.fail", Outcome.RETRY),
            ("core.mark", Outcome.DONE),
        ]
        assert (await state(database, behind))[0] == "queued"
        assert (await state(database, beside))[0] == "done"
        assert await run_pending(database, jobs, tenants, retries=True) == [
            ("core.fail", Outcome.RETRY),
            ("core.fail", Outcome.DEAD),
            ("core.mark", Outcome.DONE),
        ]
        assert await state(database, poison) == ("dead", 3, "ValueError: no way: rk_live_********")
        assert await marks(database) == [("mark", {"n": 3}), ("mark", {"n": 2})]

    async def test_a_job_that_kills_its_workers_ends_dead(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        job_id = await add(database, cafe, "core.fail")
        for _ in range(3):
            async with database.platform("test") as session:
                assert await repository.claim(session, cafe.tenant.id, job_id, uuid4(), timedelta(seconds=9))
            await end_leases(database)  # the worker died
        assert await run_pending(database, jobs, tenants) == [("core.fail", Outcome.DEAD)]
        assert await state(database, job_id) == ("dead", 4, "given up: its workers died while they ran it")

    async def test_a_slow_job_is_cancelled(self, database: Database, runner: JobRunner, cafe: World) -> None:
        job_id = await add(database, cafe, "core.slow")
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.RETRY
        assert await state(database, job_id) == ("queued", 1, "TimeoutError: took longer than 0.05 s")
        assert await marks(database) == []

    async def test_a_job_that_ignores_its_end_is_abandoned_and_fenced(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World, hold: asyncio.Event
    ) -> None:
        runner = JobRunner(database, jobs, tenants, timing=Timing(cancel_grace=0.05))
        job_id = await add(database, cafe, "core.stubborn")
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.RETRY
        error = "AbandonedError: ignored the end of its time of 0.05 s"
        assert await state(database, job_id) == ("queued", 1, error)
        from regulars.kernel.jobs.attempt import _abandoned

        (stubborn,) = _abandoned
        hold.set()
        await asyncio.wait({stubborn})
        assert await marks(database) == []
        assert await state(database, job_id) == ("queued", 1, error)


class TestVersions:
    async def test_an_unknown_name_waits_for_a_worker_that_knows_it(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        job_id = await add(database, cafe, "core.of_tomorrow")
        assert await run_pending(database, jobs, tenants) == [("core.of_tomorrow", Outcome.RETRY)]
        assert await state(database, job_id) == ("queued", 1, "this worker knows no job of that name")
        outcomes = await run_pending(database, jobs, tenants, retries=True)
        assert [outcome for _, outcome in outcomes] == [Outcome.RETRY] * 6 + [Outcome.DEAD]

    @pytest.mark.parametrize(
        ("version", "outcome", "error"),
        [
            (1, Outcome.DEAD, "version 1 is no longer understood"),
            (2, Outcome.DONE, ""),
            (3, Outcome.DONE, ""),
            (4, Outcome.RETRY, "this worker is too old for version 4"),
        ],
    )
    async def test_versions_are_routed(
        self, database: Database, runner: JobRunner, cafe: World, version: int, outcome: Outcome, error: str
    ) -> None:
        job_id = await add(database, cafe, "core.second_version", version=version)
        assert await runner.run(cafe.tenant.id, job_id) is outcome
        assert (await state(database, job_id))[2] == error


class TestGate:
    async def test_the_tenant_is_looked_up_when_the_job_runs(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        mark = jobs.find("core.mark")
        assert mark is not None
        gated = JobRegistry([RegisteredJob("stamps.mark", "stamps", mark.definition)])
        enabled, off = await add(database, cafe, "stamps.mark"), await add(database, cafe, "stamps.mark")
        runner = JobRunner(database, gated, tenants)
        assert await runner.run(cafe.tenant.id, enabled) is Outcome.DONE
        tenants.put(replace(cafe.tenant, enabled=frozenset()))
        assert await runner.run(cafe.tenant.id, off) is Outcome.GATED
        assert await state(database, off) == ("done", 1, "gated: the plugin is off")
        assert await marks(database) == [("mark", {"n": None})]

    async def test_a_plugin_is_blamed_for_its_dead_job_and_not_for_a_try(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        fail, blamed = jobs.find("core.fail"), []
        assert fail is not None

        async def blame(tenant_id: UUID, plugin: str, what: str) -> None:
            blamed.append((tenant_id, plugin, what))

        gated = JobRegistry([RegisteredJob("stamps.fail", "stamps", fail.definition), fail])
        runner = JobRunner(database, gated, tenants, blame=blame)
        theirs, ours = await add(database, cafe, "stamps.fail"), await add(database, cafe, "core.fail")
        for outcome in (Outcome.RETRY, Outcome.RETRY, Outcome.DEAD):
            assert blamed == []
            for job_id in (ours, theirs):
                assert await runner.run(cafe.tenant.id, job_id) is outcome
            await hurry(database)
        assert blamed == [(cafe.tenant.id, "stamps", "the job stamps.fail is dead: ValueError")]

    async def test_a_suspended_tenants_jobs_wait_and_a_closed_ones_end(
        self, database: Database, runner: JobRunner, tenants: FixedSnapshots, cafe: World
    ) -> None:
        job_id = await add(database, cafe, "core.mark")
        tenants.put(replace(cafe.tenant, status="suspended"))
        for _ in range(12):  # waiting is no attempt
            assert await runner.run(cafe.tenant.id, job_id) is Outcome.WAITING
            await hurry(database)
        assert await state(database, job_id) == ("queued", 0, "the tenant is suspended")
        tenants.put(cafe.tenant)
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.DONE
        last = await add(database, cafe, "core.mark")
        tenants.put(replace(cafe.tenant, status="closed"))
        assert await runner.run(cafe.tenant.id, last) is Outcome.GATED
        assert await state(database, last) == ("done", 1, "gated: the tenant is closed")


class TestOrder:
    async def test_one_key_runs_in_order_and_a_failing_one_delays_only_its_key(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        for key in ("a", "b"):
            for seq in (3, 1, 2):
                payload = {"n": seq if key == "a" else seq * 10}
                await add(database, cafe, "core.fail_once", payload, order_key=key, order_seq=seq)
        await run_pending(database, jobs, tenants)
        assert [mark[1]["n"] for mark in await marks(database)] == [10, 20, 30]
        await run_pending(database, jobs, tenants, retries=True)
        assert [mark[1]["n"] for mark in await marks(database)] == [10, 20, 30, 1, 2, 3]

    async def test_those_behind_a_failed_one_are_not_looked_at_before_its_time(
        self, database: Database, runner: JobRunner, cafe: World
    ) -> None:
        jobs = [await add(database, cafe, "core.fail", order_key=key, order_seq=seq) for key in "ab" for seq in (1, 2)]
        assert await runner.run(cafe.tenant.id, jobs[0]) is Outcome.RETRY
        async with database.platform("test") as session:
            due = await repository.due(session, per_tenant=10, total=10)
            times = [row.run_at for row in await session.rows(text("SELECT run_at FROM core.job ORDER BY id"))]
        assert [row.id for row in due] == [jobs[2]]
        assert times[1] == times[0]

    async def test_a_younger_one_cannot_be_claimed_and_a_running_one_keeps_its_place(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World, hold: asyncio.Event
    ) -> None:
        first = await add(database, cafe, "core.held", order_key="k")
        second = await add(database, cafe, "core.mark", order_key="k")
        runner = JobRunner(database, jobs, tenants)
        assert await runner.run(cafe.tenant.id, second) is Outcome.SKIPPED
        running = asyncio.create_task(runner.run(cafe.tenant.id, first))
        await until_marked(database, cafe, first)
        assert await runner.run(cafe.tenant.id, second) is Outcome.SKIPPED
        hold.set()
        assert await running is Outcome.DONE
        assert await runner.run(cafe.tenant.id, second) is Outcome.DONE

    async def test_keys_of_two_tenants_are_two_keys(
        self, database: Database, jobs: JobRegistry, cafe: World, pizza: World
    ) -> None:
        await add(database, cafe, "core.mark", {"n": 1}, order_key="k", order_seq=1)
        second = await add(database, pizza, "core.mark", {"n": 2}, order_key="k", order_seq=2)
        runner = JobRunner(database, jobs, FixedSnapshots([cafe.tenant, pizza.tenant]))
        assert await runner.run(pizza.tenant.id, second) is Outcome.DONE


class TestStop:
    async def test_a_stopping_worker_gives_its_leases_back(
        self, database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
    ) -> None:
        runner = JobRunner(database, jobs, tenants, timing=Timing(stop_grace=0.05))
        job_id = await add(database, cafe, "core.held")
        running = asyncio.create_task(runner.run(cafe.tenant.id, job_id))
        await until_marked(database, cafe, job_id)
        await runner.stop()
        assert await running is Outcome.GIVEN_BACK
        assert await state(database, job_id) == ("queued", 0, "")
        assert await runner.run(cafe.tenant.id, job_id) is Outcome.SKIPPED, "it takes no more"
        assert await marks(database) == []

    async def test_it_waits_for_what_can_end(
        self, database: Database, runner: JobRunner, cafe: World, hold: asyncio.Event
    ) -> None:
        job_id = await add(database, cafe, "core.held")
        running = asyncio.create_task(runner.run(cafe.tenant.id, job_id))
        await until_marked(database, cafe, job_id)
        stopping = asyncio.create_task(runner.stop())
        await asyncio.sleep(0)
        hold.set()
        await stopping
        assert await running is Outcome.DONE

    async def test_a_caller_that_goes_away_ends_nothing(
        self, database: Database, runner: JobRunner, cafe: World, hold: asyncio.Event
    ) -> None:
        job_id = await add(database, cafe, "core.held")
        calling = asyncio.create_task(runner.run(cafe.tenant.id, job_id))
        await until_marked(database, cafe, job_id)
        calling.cancel()
        await asyncio.wait({calling})
        hold.set()
        await runner.stop()
        assert await state(database, job_id) == ("done", 1, "")


class ListQueue:
    """A queue that keeps what it gets, or is down."""

    def __init__(self) -> None:
        self.got: list[Handover] = []
        self.down = False

    async def push(self, handovers: Sequence[Handover]) -> None:
        if self.down:
            raise QueueDownError("down")
        self.got += handovers


class TestDispatch:
    async def test_what_is_not_done_is_handed_over_again(self, database: Database, cafe: World) -> None:
        now, queue = [0.0], ListQueue()
        dispatcher = Dispatcher(database, queue, Timing(resend=20), clock=lambda: now[0])
        job_id = await add(database, cafe, "core.mark")
        expected = Handover(cafe.tenant.id, job_id, 0)
        queue.down = True
        with pytest.raises(QueueDownError):
            await dispatcher.run()
        queue.down = False
        assert await dispatcher.run() == 1
        now[0] = 19.9
        assert await dispatcher.run() == 0
        now[0] = 20.0
        assert await dispatcher.run() == 1, "the queue may have lost it"
        assert queue.got == [expected, expected]

    async def test_a_job_whose_worker_died_is_handed_over_at_once_when_its_lease_has_ended(
        self, database: Database, cafe: World
    ) -> None:
        queue = ListQueue()
        dispatcher = Dispatcher(database, queue, Timing())
        job_id = await add(database, cafe, "core.mark")
        await dispatcher.run()
        async with database.platform("test") as session:
            await repository.claim(session, cafe.tenant.id, job_id, uuid4(), timedelta(seconds=60))
        assert await dispatcher.run() == 0
        await end_leases(database)
        assert await dispatcher.run() == 1
        assert queue.got[1] == Handover(cafe.tenant.id, job_id, 1)

    async def test_a_tenants_thousands_do_not_hold_up_the_others(
        self, database: Database, cafe: World, pizza: World
    ) -> None:
        queue = ListQueue()
        many = [repository.row(cafe.tenant.id, "core.mark", {"n": n}) for n in range(5_000)]
        async with database.platform("test") as session:
            await repository.add_all(session, many)
        few = {await add(database, pizza, "core.mark", {"n": n}) for n in range(10)}
        assert await Dispatcher(database, queue, Timing()).run() == 30
        assert {each.job_id for each in queue.got[:20:2]} | {each.job_id for each in queue.got[1:20:2]} >= few


class TestClock:
    async def test_a_slot_runs_once_however_many_workers_there_are(self, database: Database, jobs: JobRegistry) -> None:
        workers = [Clockwork(database, jobs) for _ in range(4)]
        await asyncio.gather(*(worker.run() for worker in workers for _ in range(5)))
        async with database.platform("test") as session:
            ticks = text("SELECT count(*) FROM core.platform_audit WHERE action = 'tick'")
            assert await session.scalar(ticks) == 1
            slots = text("SELECT name, finished_at IS NOT NULL AS ended, error FROM core.cron_slot ORDER BY name")
            assert [tuple(row) for row in await session.rows(slots)] == [
                ("core.broken", True, "ValueError: broken on purpose"),
                ("core.by_the_clock", True, ""),
                ("core.tick", True, ""),
            ]
        assert await workers[0].run() == 0

    async def test_a_job_with_a_schedule_is_made_for_every_active_tenant(
        self, database: Database, jobs: JobRegistry, cafe: World, pizza: World
    ) -> None:
        closed = text("UPDATE core.tenant SET status = 'suspended' WHERE id = :id")
        async with database.platform("test") as session:
            await session.execute(closed, {"id": pizza.tenant.id})
        await Clockwork(database, jobs).run()
        await Clockwork(database, jobs).run()
        await hurry(database)
        tenants = FixedSnapshots([cafe.tenant, pizza.tenant])
        assert await run_pending(database, jobs, tenants) == [("core.by_the_clock", Outcome.DONE)]
        slot = text("SELECT scheduled_at FROM core.cron_slot WHERE name = 'core.by_the_clock'")
        async with database.platform("test") as session:
            scheduled_at = await session.scalar(slot)
        assert await marks(database) == [("by_the_clock", {"slot": scheduled_at.isoformat()})]
