"""Events: one row per announcement, none when rolled back, none skipped, one job per subscriber, in order per card."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from regulars.contracts.events import MemberEnrolled
from regulars.contracts.manifest import Subscription
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.events import publish
from regulars.kernel.events.relay import Relay
from regulars.kernel.jobs import JobRegistry
from regulars.kernel.jobs.registry import RegisteredJob
from regulars.kernel.jobs.runner import Outcome
from regulars.testing.jobs import FixedSnapshots, run_pending
from regulars.testing.world import World

sys.path.insert(0, str(Path(__file__).parent))
import jobs_under_test

OUTBOX = text("SELECT seq, published_at IS NOT NULL AS published FROM core.outbox_event ORDER BY seq")
JOBS = text("SELECT name, order_key, order_seq, dedup_key FROM core.job ORDER BY order_seq, name")
DETAILS = text("SELECT details FROM core.audit_log WHERE action = 'enrolled' ORDER BY id")


@pytest.fixture
def jobs() -> JobRegistry:
    subscriptions = [Subscription("member.enrolled", "enrolled"), Subscription("member.enrolled", "mark")]
    return JobRegistry.build([jobs_under_test.__name__], subscriptions)


@pytest.fixture
def tenants(cafe: World) -> FixedSnapshots:
    return FixedSnapshots([cafe.tenant])


def enrolled(card_id: UUID) -> MemberEnrolled:
    return MemberEnrolled(member_id=new_id(), card_id=card_id, program_id=new_id())


async def announce(database: Database, world: World, card_id: UUID) -> UUID:
    async with database.tenant(world.tenant.id) as session:
        return await publish(session, enrolled(card_id), order_key=card_id)


async def outbox(database: Database) -> list[tuple[int, bool]]:
    async with database.platform("test") as session:
        return [(row.seq, row.published) for row in await session.rows(OUTBOX)]


async def test_an_event_stands_and_falls_with_its_transaction(database: Database, cafe: World) -> None:
    async def fails() -> None:
        async with database.tenant(cafe.tenant.id) as session:
            await publish(session, enrolled(new_id()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await outbox(database) == []
    await announce(database, cafe, new_id())
    assert [published for _, published in await outbox(database)] == [False]


async def test_one_entry_is_announced_once(database: Database, cafe: World) -> None:
    entry = new_id()

    async def twice() -> None:
        async with database.tenant(cafe.tenant.id) as session:
            await publish(session, enrolled(new_id()), entry_id=entry)
            await publish(session, enrolled(new_id()), entry_id=entry)

    with pytest.raises(IntegrityError):
        await twice()
    assert await outbox(database) == []


async def test_every_subscriber_gets_a_job_of_its_own(
    database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
) -> None:
    card = new_id()
    event_id = await announce(database, cafe, card)
    relay = Relay(database, jobs, tenants)
    assert [await relay.run(), await relay.run()] == [1, 0]
    ((seq, published),) = await outbox(database)
    assert published
    async with database.platform("test") as session:
        assert [tuple(row) for row in await session.rows(JOBS)] == [
            ("core.enrolled", f"core.enrolled:{card}", seq, str(event_id)),
            ("core.mark", f"core.mark:{card}", seq, str(event_id)),
        ]
    assert await run_pending(database, jobs, tenants) == [
        ("core.enrolled", Outcome.DONE),
        ("core.mark", Outcome.DONE),
    ]
    async with database.platform("test") as session:
        assert [row.details for row in await session.rows(DETAILS)] == [{"card": str(card), "seq": seq}]


async def test_no_event_is_skipped_though_numbers_commit_out_of_order(
    database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
) -> None:
    relay = Relay(database, jobs, tenants)
    first, later = new_id(), [new_id() for _ in range(1_000)]
    async with database.tenant(cafe.tenant.id) as held_open:
        await publish(held_open, enrolled(first), order_key=first)
        for card in later:
            await announce(database, cafe, card)
        handed_on = [await relay.run() for _ in range(6)]
        assert handed_on == [200] * 5 + [0]
        assert [published for _, published in await outbox(database)] == [True] * 1_000
    rows = await outbox(database)
    assert rows[0] == (min(seq for seq, _ in rows), False), "the lowest number, committed last"
    assert [await relay.run(), await relay.run()] == [1, 0]
    async with database.platform("test") as session:
        keys = [row.order_key for row in await session.rows(JOBS) if row.name == "core.enrolled"]
    assert sorted(keys) == sorted(f"core.enrolled:{card}" for card in (first, *later))


async def test_many_relays_hand_on_each_event_once(
    database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World
) -> None:
    for _ in range(20):
        await announce(database, cafe, new_id())
    relays = [Relay(database, jobs, tenants) for _ in range(4)]
    handed_on = 0
    while handed_on < 20:
        handed_on += sum(await asyncio.gather(*(relay.run(total=3) for relay in relays)))
    assert handed_on == 20
    async with database.platform("test") as session:
        assert len(await session.rows(JOBS)) == 40


async def test_one_card_is_told_in_order_even_when_a_subscriber_fails(
    database: Database, tenants: FixedSnapshots, cafe: World
) -> None:
    told: list[tuple[str, int]] = []

    async def handler(work: jobs_under_test.JobWork, payload: object) -> None:
        assert work.event is not None
        if work.name == "core.moody" and work.attempt == 1:
            raise ValueError("not today")
        told.append((work.name, work.event.seq))

    made = [RegisteredJob(f"core.{name}", None, jobs_under_test.job(name)(handler)) for name in ("moody", "steady")]
    registry = JobRegistry(made, [], {"member.enrolled": ["core.moody", "core.steady"]})
    card = new_id()
    for _ in range(3):
        await announce(database, cafe, card)
    seqs = [seq for seq, _ in await outbox(database)]
    await run_pending(database, registry, tenants)
    assert told == [("core.steady", seq) for seq in seqs], "the failing subscriber delays no other"
    await run_pending(database, registry, tenants, retries=True)
    assert told[3:] == [("core.moody", seq) for seq in seqs]


async def test_a_plugin_that_is_off_is_not_told(
    database: Database, jobs: JobRegistry, tenants: FixedSnapshots, cafe: World, pizza: World
) -> None:
    found = jobs.find("core.enrolled")
    assert found is not None
    plugins = JobRegistry(
        [RegisteredJob("stamps.enrolled", "stamps", found.definition)], [], {"member.enrolled": ["stamps.enrolled"]}
    )
    tenants.put(replace(pizza.tenant, enabled=frozenset()))
    for world in (cafe, pizza):
        await announce(database, world, new_id())
    relay = Relay(database, plugins, tenants)
    assert await relay.run() == 2
    async with database.tenant(cafe.tenant.id) as session:
        assert [row.name for row in await session.rows(JOBS)] == ["stamps.enrolled"]
    async with database.tenant(pizza.tenant.id) as session:
        assert await session.rows(JOBS) == []
    tenants.put(replace(cafe.tenant, enabled=frozenset()))
    assert await run_pending(database, plugins, tenants) == [("stamps.enrolled", Outcome.GATED)]


async def test_an_event_that_nobody_wants_is_published_all_the_same(
    database: Database, tenants: FixedSnapshots, cafe: World
) -> None:
    await announce(database, cafe, new_id())
    assert await Relay(database, JobRegistry([]), tenants).run() == 1
    assert [published for _, published in await outbox(database)] == [True]
