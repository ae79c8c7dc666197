"""J2: every job that exists, killed before each statement and each commit, ends in the same state as if it ran once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from asyncpg import Connection

from regulars.contracts.events import MemberEnrolled, PinLocked
from regulars.domain.jobs import make_job_registry
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.config import Config, load_config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.embedded import Urls
from regulars.kernel.events import publish
from regulars.kernel.events.relay import Relay
from regulars.kernel.jobs import JobRegistry
from regulars.kernel.jobs.clockwork import Clockwork
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.crash import Crasher, crasher, kill_everywhere
from regulars.testing.environment import environment
from regulars.testing.jobs import FreshSnapshots, end_leases, run_pending
from regulars.testing.plugin import Servers
from regulars.testing.till import Till
from regulars.testing.world import TestCard, World
from regulars.web.rendering import make_post_office

pytestmark = pytest.mark.fault
STAFF = (("Anna", "staff", "4711"), ("Olga", "owner", "2580"))


@dataclass
class Letterbox:
    """A mail server that takes everything."""

    port: int = 0
    got: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        self.got += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
async def letterbox() -> AsyncIterator[Letterbox]:
    box = Letterbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


@pytest.fixture
def environ(database_urls: Urls, servers: Servers, letterbox: Letterbox, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        **environment(database_urls, servers.redis.url, tmp_path),
        "REGULARS_SMTP_HOST": "127.0.0.1",
        "REGULARS_SMTP_PORT": str(letterbox.port),
        "REGULARS_SMTP_STARTTLS": "false",
    }


@pytest.fixture
def config(environ: dict[str, str]) -> Config:
    return load_config(environ)


@dataclass
class Bench:
    """What every case needs."""

    database: Database
    jobs: JobRegistry
    snapshots: FreshSnapshots
    office: PostOffice
    world: World
    sql: Connection
    crash: Crasher
    letterbox: Letterbox
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def card(self) -> TestCard:
        return await self.world.add_card(f"m{next(self.numbers)}@member.example")

    async def publish(self, event: MemberEnrolled | PinLocked) -> UUID:
        async with self.database.tenant(self.world.tenant.id) as session:
            return await publish(session, event)

    async def relay(self) -> None:
        """Until nothing waits: a killed relay's server process may hold its lock for a moment longer."""
        relay = Relay(self.database, self.jobs, self.snapshots)
        while await self.sql.fetchval("SELECT count(*) FROM core.outbox_event WHERE published_at IS NULL"):
            await relay.run()

    async def open_job(self, name: str) -> UUID:
        found: UUID = await self.sql.fetchval("SELECT id FROM core.job WHERE name = $1 AND status = 'queued'", name)
        return found

    async def kill_job(self, job_id: UUID, at: int) -> bool:
        return await self.crash.job(self.world.tenant.id, job_id, at)

    async def take_up(self) -> None:
        """Another worker takes everything over."""
        await end_leases(self.database)
        services = {PostOffice: self.office}
        await run_pending(self.database, self.jobs, self.snapshots, services=services, retries=True)

    async def mails(self, recipient: str) -> list[tuple[str, str]]:
        rows = await self.sql.fetch("SELECT template, status FROM core.mail WHERE recipient = $1", recipient)
        return [(row["template"], row["status"]) for row in rows]

    async def all_done(self) -> bool:
        return not await self.sql.fetchval("SELECT count(*) FROM core.job WHERE status <> 'done'")


@pytest.fixture
async def bench(
    database: Database,
    registry: PluginRegistry,
    config: Config,
    environ: dict[str, str],
    make_world: Callable[..., Awaitable[World]],
    sql: Connection,
    letterbox: Letterbox,
) -> AsyncIterator[Bench]:
    milestones = {"milestones": [{"at": 2, "bonus": 1}], "welcome_stamps": 0}
    world = await make_world("cafe", staff=STAFF, settings={"stamps": milestones})
    async with crasher(environ) as crash:
        yield Bench(
            database,
            make_job_registry(registry),
            FreshSnapshots(database, registry),
            make_post_office(config, registry),
            world,
            sql,
            crash,
            letterbox,
        )


async def test_welcome_mail(bench: Bench) -> None:
    async def prepare() -> tuple[UUID, TestCard]:
        card = await bench.card()
        program = bench.world.program_id
        await bench.publish(MemberEnrolled(member_id=card.member_id, card_id=card.id, program_id=program))
        await bench.relay()
        return await bench.open_job("core.welcome_mail"), card

    async def check(case: tuple[UUID, TestCard]) -> None:
        await bench.take_up()
        assert await bench.mails(case[1].email) == [("mails/welcome", "sent")]
        assert bench.letterbox.got.count(case[1].email) == 1
        assert await bench.all_done()

    assert await kill_everywhere(prepare, lambda case, at: bench.kill_job(case[0], at), check) >= 8


async def test_send_mail(bench: Bench) -> None:
    async def prepare() -> tuple[UUID, TestCard]:
        card = await bench.card()
        async with bench.database.tenant(bench.world.tenant.id) as session:
            values = {"number": card.number, "program": "Card", "link": "http://cafe.localhost/"}
            await bench.office.queue_for_member(
                session, bench.world.tenant, "mails/welcome", card.member_id, event_id=new_id(), values=values
            )
        return await bench.open_job("core.send_mail"), card

    async def check(case: tuple[UUID, TestCard]) -> None:
        await bench.take_up()
        assert await bench.mails(case[1].email) == [("mails/welcome", "sent")]
        assert bench.letterbox.got.count(case[1].email) == 1, "no kill falls between the commit and the text"
        assert await bench.all_done()

    assert await kill_everywhere(prepare, lambda case, at: bench.kill_job(case[0], at), check) >= 12


async def test_pin_locked_mail(bench: Bench) -> None:
    anna = bench.world.staff[0]

    async def prepare() -> tuple[UUID, int]:
        until = await bench.sql.fetchval("SELECT core.now()")
        await bench.publish(PinLocked(staff_id=anna.id, locked_until=until))
        await bench.relay()
        return await bench.open_job("core.pin_locked_mail"), len(bench.letterbox.got)

    async def check(case: tuple[UUID, int]) -> None:
        await bench.take_up()
        assert bench.letterbox.got[case[1] :] == ["olga@staff.example"]
        assert await bench.all_done()

    assert await kill_everywhere(prepare, lambda case, at: bench.kill_job(case[0], at), check) >= 9


async def test_milestone_mail(bench: Bench, make_till: Callable[[World], Till]) -> None:
    till = make_till(bench.world)

    async def prepare() -> tuple[UUID, TestCard]:
        card = await bench.card()
        await till.sale(2, card=card)
        await bench.relay()
        return await bench.open_job("stamps.congratulate"), card

    async def check(case: tuple[UUID, TestCard]) -> None:
        await bench.take_up()
        assert await bench.mails(case[1].email) == [("stamps/mails/milestone", "sent")]
        assert bench.letterbox.got.count(case[1].email) == 1
        assert await bench.all_done()

    assert await kill_everywhere(prepare, lambda case, at: bench.kill_job(case[0], at), check) >= 8


async def test_relay(bench: Bench) -> None:
    async def prepare() -> TestCard:
        card = await bench.card()
        program = bench.world.program_id
        await bench.publish(MemberEnrolled(member_id=card.member_id, card_id=card.id, program_id=program))
        return card

    async def check(card: TestCard) -> None:
        await bench.relay()
        await bench.take_up()
        assert bench.letterbox.got.count(card.email) == 1
        assert await bench.all_done()

    assert await kill_everywhere(prepare, lambda _card, at: bench.crash.relay(at), check) >= 5


async def test_cleanup(bench: Bench) -> None:
    old = "INSERT INTO core.cron_slot (name, scheduled_at) VALUES ('core.old', now() - interval '40 days')"
    left = "SELECT count(*) FROM core.cron_slot WHERE name = 'core.old'"
    slots = "SELECT count(*) FROM core.cron_slot WHERE name = 'core.cleanup' AND finished_at IS NOT NULL AND error = ''"

    async def prepare() -> None:
        await bench.sql.execute("DELETE FROM core.cron_slot")
        await bench.sql.execute(old)

    async def check(_case: None) -> None:
        clockwork = Clockwork(bench.database, bench.jobs)
        while not await bench.sql.fetchval(
            slots
        ):  # a killed one's server process may hold its lock for a moment longer
            await clockwork.run()
        assert await bench.sql.fetchval(left) == 0
        assert await bench.sql.fetchval(slots) == 1

    assert await kill_everywhere(prepare, lambda _case, at: bench.crash.clock(at), check) >= 10
