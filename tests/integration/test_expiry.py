"""What time does to balances: release and expiry, by the real jobs, again and again, killed and raced."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from json import loads
from typing import Any

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.events import UnitsExpiring
from regulars.domain.expiry import jobs as expiry_jobs
from regulars.domain.expiry.service import Expiry
from regulars.kernel.db.database import Database
from regulars.kernel.events.publish import publish
from regulars.kernel.jobs import CronTick, JobRegistry
from regulars.testing.aftermath import letters
from regulars.testing.clock import Clock
from regulars.testing.jobs import FixedSnapshots, run_pending
from regulars.testing.world import World

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
Night = Callable[..., Awaitable[list[str]]]
RunJobs = Callable[..., Awaitable[list[tuple[str, str]]]]
EVENING = datetime(2026, 3, 10, 20, tzinfo=UTC)
NOTICE = timedelta(days=14)
TOLD = "SELECT order_key, payload FROM core.outbox_event WHERE name = 'units.expiring'"
END_OF_JUNE_19 = datetime(2026, 6, 19, 22, tzinfo=UTC)
PAUSE = """
INSERT INTO core.program_pause (tenant_id, id, program_id, started_at, ended_at, finished_at, redeems, tells_members,
                                note, actor_kind, actor_name)
VALUES ($1, gen_random_uuid(), $2, $3, $4, $4, false, false, '', 'system', '')
"""


@pytest.fixture
def night(database: Database) -> Night:
    """Let the clock make its jobs and run them; says how the ledger's ended."""

    async def run(*banks: Bank, service: Expiry | None = None) -> list[str]:
        registry = JobRegistry.build(["regulars.domain.expiry.jobs"], (), banks[0].ledger.registry)
        async with database.platform("a night of a test") as session:
            tick = CronTick(session, datetime.now(UTC))
            await expiry_jobs.expiry(tick)
            await expiry_jobs.release(tick)
        snapshots = FixedSnapshots([bank.world.tenant for bank in banks])
        services = {Expiry: service or Expiry(banks[0].ledger, NOTICE)}
        outcomes = await run_pending(database, registry, snapshots, services=services, retries=True)
        return sorted(f"{name} {outcome.value}" for name, outcome in outcomes if name.startswith("core."))

    return run


async def test_a_lot_lives_to_the_end_of_its_day(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection, healthy: Healthy
) -> None:
    """It ends on March 20 at 20:00 UTC: the night of the 20th in Luxembourg begins at 01:00 UTC on the 21st."""
    await clock.set(EVENING)
    cafe, pizza = await open_bank("cafe", lives_days=10), await open_bank("pizza")
    await cafe.sale(1000)
    await pizza.sale(1000)
    await clock.set(datetime(2026, 3, 21, 0, 50, tzinfo=UTC))
    await night(cafe, pizza)
    assert await cafe.balance() == 100
    await clock.set(datetime(2026, 3, 21, 1, 1, tzinfo=UTC))
    assert "core.expire_points done" in await night(cafe, pizza)
    assert await cafe.entries() == [("earn", 100, 100), ("expire", -100, 0)]
    assert (await pizza.balance(), await cafe.lots()) == (100, [(100, 0)])
    assert await night(cafe, pizza) == [], "one job a night"
    await clock.advance(days=1)
    assert await night(cafe, pizza) == ["core.expire_points done", "core.expire_points done"]
    assert len(await cafe.entries()) == 2, "what has expired does not expire again"
    progress = "SELECT DISTINCT progress, progress_total FROM core.job WHERE tenant_id = $1 ORDER BY 1"
    assert [tuple(row) for row in await sql.fetch(progress, cafe.world.tenant.id)] == [(0, 0), (1, 1)]
    await healthy()


class Mortal(Expiry):
    """Dies at the second card, once."""

    deaths = 0
    calls = 0

    async def expire(self, *arguments: Any) -> int:
        self.calls += 1
        if self.calls == 2 and not self.deaths:
            self.deaths += 1
            raise RuntimeError("killed in the middle")
        return await super().expire(*arguments)


async def test_killed_in_the_middle_it_goes_on(
    open_bank: OpenBank, clock: Clock, night: Night, healthy: Healthy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry_jobs, "BATCH", 1)
    await clock.set(EVENING)
    cafe = await open_bank("cafe", lives_days=1)
    cards = [cafe.world.card, *[await cafe.world.add_card(f"m{n}@cafe.example") for n in range(2)]]
    for card in cards:
        await cafe.sale(1000, card=card)
    await clock.advance(days=2)
    service = Mortal(cafe.ledger, NOTICE)
    assert (await night(cafe, service=service))[-1].startswith("core.expire_points failed")
    assert service.deaths == 1
    for card in cards:
        assert await cafe.entries(card) == [("earn", 100, 100), ("expire", -100, 0)]
    await healthy()


async def test_two_workers_expire_once(open_bank: OpenBank, clock: Clock, healthy: Healthy) -> None:
    await clock.set(EVENING)
    cafe = await open_bank("cafe", lives_days=1)
    await cafe.sale(1000)
    await clock.advance(days=2)
    until = await clock.now()
    written = await asyncio.gather(*(expire(cafe, until) for _ in range(6)))
    assert sorted(written) == [0, 0, 0, 0, 0, 1]
    await healthy()


async def test_redeeming_races_expiry_and_one_wins(open_bank: OpenBank, clock: Clock, healthy: Healthy) -> None:
    """O7."""
    await clock.set(EVENING)
    cafe = await open_bank("cafe", lives_days=1)
    cards = [await cafe.world.add_card(f"m{n}@cafe.example") for n in range(8)]
    for card in cards:
        await cafe.sale(1000, card=card)
    await clock.advance(days=2)
    until = await clock.now()

    async def round_of(number: int) -> tuple[int, int]:
        card = cards[number]
        races = [cafe.try_mug(card=card), expire(cafe, until, card.id)]
        first, second = await asyncio.gather(*(races if number % 2 else races[::-1]))
        answer, written = (first, second) if number % 2 else (second, first)
        return answer.status, written

    results = [await round_of(number) for number in range(len(cards))]
    assert set(results) <= {(200, 0), (409, 1)}
    assert [await cafe.balance(card) for card in cards] == [0] * len(cards)
    await healthy()


async def test_what_waits_is_released_when_it_is_due(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection, healthy: Healthy
) -> None:
    await clock.set(EVENING)
    cafe = await open_bank("cafe", waits_days=3, debt=1000)
    sale = await cafe.sale(1000)
    await clock.advance(days=2)
    await night(cafe)
    assert (await cafe.balance(), await cafe.pending()) == (0, [(100, "open")])
    await clock.advance(days=1)
    await night(cafe)
    await night(cafe)
    assert (await cafe.entries(), await cafe.pending()) == ([("earn", 100, 100)], [(100, "released")])
    row = await sql.fetchrow("SELECT occasion, sale_id FROM core.ledger_entry")
    assert tuple(row) == ("release", sale)
    assert await cafe.refunded(sale) == {"taken": {"coins": 100}}, "a released earning belongs to its sale"
    await healthy()


async def test_members_are_told_before_it_happens_once(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection
) -> None:
    await clock.set(EVENING)
    cafe = await open_bank("cafe", lives_days=20)
    await cafe.sale(1000)
    await cafe.sale(500)
    for _day in range(8):
        await clock.advance(days=1)
        await night(cafe)
    assert [loads(row["payload"])["amount"] for row in await sql.fetch(TOLD)] == [150]


async def test_nobody_is_told_twice_and_a_missed_night_is_made_up_for(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection
) -> None:
    await clock.set(EVENING)
    cafe = await open_bank("cafe", lives_days=20, reminder_days=5)
    pizza = await open_bank("pizza", lives_days=20, reminder_days=0)
    await cafe.sale(1000)
    await pizza.sale(1000)
    await clock.advance(days=14)
    await night(cafe, pizza)
    assert await sql.fetch(TOLD) == []
    await clock.advance(days=3)
    await night(cafe, pizza)
    assert [(row["order_key"], loads(row["payload"])["amount"]) for row in await sql.fetch(TOLD)] == [
        (cafe.world.card.id, 100)
    ]
    await clock.advance(days=1)
    await night(cafe, pizza)
    assert len(await sql.fetch(TOLD)) == 1


async def test_a_card_that_is_not_used_loses_all_and_is_told_before(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection, healthy: Healthy
) -> None:
    await clock.set(EVENING)
    cafe, pizza = await open_bank("cafe", idle_days=60, reminder_days=10), await open_bank("pizza")
    await cafe.sale(1000)
    await pizza.sale(1000)
    await clock.set(datetime(2026, 4, 20, 20, tzinfo=UTC))
    await cafe.sale(0)
    await clock.set(datetime(2026, 6, 8, 20, tzinfo=UTC))
    await night(cafe, pizza)
    assert await sql.fetch(TOLD) == [], "a sale that gives nothing is a visit too"
    await clock.set(datetime(2026, 6, 10, 8, tzinfo=UTC))
    await night(cafe, pizza)
    told = [loads(row["payload"]) for row in await sql.fetch(TOLD)]
    assert [(one["amount"], datetime.fromisoformat(one["expires_at"])) for one in told] == [(100, END_OF_JUNE_19)]
    await clock.set(datetime(2026, 6, 19, 23, tzinfo=UTC))
    await night(cafe, pizza)
    assert await cafe.balance() == 100
    await clock.set(datetime(2026, 6, 20, 1, tzinfo=UTC))
    await night(cafe, pizza)
    assert await cafe.entries() == [("earn", 100, 100), ("expire", -100, 0)]
    assert await sql.fetchval("SELECT rule FROM core.ledger_entry WHERE kind = 'expire'") == "idle"
    assert (await pizza.balance(), len(await sql.fetch(TOLD))) == (100, 1)
    await healthy()


async def test_idleness_counts_from_when_it_began_to_hold_and_not_in_pauses(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection
) -> None:
    await clock.set(EVENING)
    cafe = await open_bank("cafe")
    await cafe.sale(1000)
    await clock.set(datetime(2027, 3, 1, 20, tzinfo=UTC))
    await cafe.world.set_settings("coins", idle_days=30)
    await cafe.world.set_settings("coins", idle_days=30, reward=50)
    await clock.set(datetime(2027, 3, 20, 20, tzinfo=UTC))
    await night(cafe)
    assert await cafe.balance() == 100, "a new rule takes nothing away that was idle before"
    began, ended = datetime(2027, 3, 5, tzinfo=UTC), datetime(2027, 3, 15, tzinfo=UTC)
    await sql.execute(PAUSE, cafe.world.tenant.id, cafe.world.program_id, began, ended)
    await sql.execute("UPDATE core.card SET created_at = $1 WHERE id = $2", began, cafe.world.card.id)
    await clock.set(datetime(2027, 4, 10, 20, tzinfo=UTC))
    await night(cafe)
    assert await cafe.balance() == 100
    await clock.set(datetime(2027, 4, 16, 20, tzinfo=UTC))
    await night(cafe)
    assert await cafe.balance() == 0


async def test_a_member_gets_a_mail_in_words_of_the_unit_once(
    database: Database, cafe: World, pizza: World, run_jobs: RunJobs, sql: Connection
) -> None:
    event = UnitsExpiring(card_id=cafe.card.id, unit="stamps", amount=3, expires_at=END_OF_JUNE_19)
    unknown = UnitsExpiring(card_id=pizza.card.id, unit="no longer there", amount=3, expires_at=END_OF_JUNE_19)
    for world, one in ((cafe, event), (cafe, event), (pizza, unknown)):
        async with database.tenant(world.tenant.id) as session:
            await publish(session, one, order_key=one.card_id)
    assert [line for line in await run_jobs() if line[0] == "core.expiry_mail"] == [("core.expiry_mail", "done")] * 3
    [letter] = [one for one in await letters(sql) if one.template == "mails/expiring"]
    assert (letter.recipient, letter.subject) == (cafe.card.email, "Use 3 stamps by Jun 19, 2026")
    assert "June 19, 2026 is the last day on which you can use 3 stamps of your card at" in letter.text


async def test_a_program_that_rests_keeps_what_is_over(
    open_bank: OpenBank, clock: Clock, night: Night, sql: Connection
) -> None:
    await clock.set(EVENING)
    cafe = await open_bank("cafe", lives_days=1)
    await cafe.sale(1000)
    await sql.execute("UPDATE core.program SET status = 'inactive'")
    await clock.advance(days=3)
    assert await night(cafe) == []
    assert await cafe.balance() == 100


async def expire(bank: Bank, until: datetime, card_id: Any = None) -> int:
    async with bank.database.tenant(bank.world.tenant.id) as session:
        service = Expiry(bank.ledger, NOTICE)
        return await service.expire(session, bank.world.context("job"), card_id or bank.world.card.id, until)
