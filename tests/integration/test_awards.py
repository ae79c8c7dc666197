"""Birthdays and reported events: given once for ever, in the program's own morning, to nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from asyncpg import Connection

from regulars.contracts.ledger import Birthday
from regulars.domain.awards import jobs
from regulars.domain.awards.service import Awards
from regulars.domain.ledger.engine import Ledger
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import CronTick
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import TestCard, World

RunJobs = Callable[..., Awaitable[list[tuple[str, str]]]]
Morning = Callable[[datetime], Awaitable[list[str]]]
Healthy = Callable[[], Awaitable[None]]
BORN = "UPDATE core.member SET birthday = $2 WHERE id = $1"
JOINED = "UPDATE core.card SET created_at = $1"
GIVEN = "SELECT rule, amount FROM core.ledger_entry WHERE tenant_id = $1 ORDER BY created_at, seq"
COUNT = "SELECT count(*) FROM core.ledger_entry WHERE rule = 'birthday'"
EVENTS = "/api/v1/store/loyalty/events"


@pytest.fixture
def morning(database: Database, run_jobs: RunJobs, clock: Clock) -> Morning:
    """Let it be a moment, the clock make its jobs, and run them."""

    async def run(moment: datetime) -> list[str]:
        await clock.set(moment)
        async with database.platform("a morning of a test") as session:
            await jobs.birthdays(CronTick(session, datetime.now(UTC)))
        return [outcome for name, outcome in await run_jobs() if name == jobs.AWARD]

    return run


def test_a_leap_day_is_kept_every_year() -> None:
    assert jobs.days_of(date(2027, 2, 28)) == [228, 229]
    assert (jobs.days_of(date(2028, 2, 28)), jobs.days_of(date(2028, 2, 29))) == ([228], [229])


async def test_a_birthday_is_given_once_a_year_whatever_happens_to_the_date(
    morning: Morning, cafe: World, pizza: World, sql: Connection, healthy: Healthy
) -> None:
    await cafe.set_settings("stamps", birthday_stamps=3)
    await sql.execute(JOINED, datetime(2026, 1, 1, tzinfo=UTC))
    for world in (cafe, pizza):
        await sql.execute(BORN, world.card.member_id, date(1990, 6, 5))
    assert await morning(datetime(2026, 6, 5, 3, 59, tzinfo=UTC)) == ["done", "done"], "of the morning before"
    assert await sql.fetch(GIVEN, cafe.tenant.id) == []
    assert await morning(datetime(2026, 6, 5, 4, 1, tzinfo=UTC)) == ["done", "done"], "six in Luxembourg"
    assert [tuple(row) for row in await sql.fetch(GIVEN, cafe.tenant.id)] == [("birthday", 3)]
    assert await sql.fetch(GIVEN, pizza.tenant.id) == [], "its rules give nothing"
    assert await morning(datetime(2026, 6, 5, 5, tzinfo=UTC)) == [], "one job a morning"
    await sql.execute(BORN, cafe.card.member_id, date(1990, 6, 6))
    await morning(datetime(2026, 6, 6, 5, tzinfo=UTC))
    assert len(await sql.fetch(GIVEN, cafe.tenant.id)) == 1
    await morning(datetime(2027, 6, 8, 5, tzinfo=UTC))
    assert len(await sql.fetch(GIVEN, cafe.tenant.id)) == 2, "two mornings later it is made up for"
    await healthy()


async def test_killed_in_the_middle_of_a_morning_it_goes_on(
    morning: Morning,
    cafe: World,
    sql: Connection,
    run_jobs: RunJobs,
    healthy: Healthy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second card's award is written and its transaction dies; the first one's is committed."""
    calls, award = count(1), Awards.award

    async def mortal(self: Awards, *arguments: Any) -> Any:
        given = await award(self, *arguments)
        if next(calls) == 2:
            raise RuntimeError("killed in the middle")
        return given

    monkeypatch.setattr(jobs, "BATCH", 1)
    monkeypatch.setattr(Awards, "award", mortal)
    await cafe.set_settings("stamps", birthday_stamps=3)
    cards = [cafe.card, *[await cafe.add_card(f"m{number}@cafe.example") for number in range(2)]]
    await sql.execute(JOINED, datetime(2026, 1, 1, tzinfo=UTC))
    for card in cards:
        await sql.execute(BORN, card.member_id, date(1990, 6, 5))
    await morning(datetime(2026, 6, 5, 4, 1, tzinfo=UTC))
    assert [tuple(row) for row in await sql.fetch(GIVEN, cafe.tenant.id)] == [("birthday", 3)]
    assert (await run_jobs(retries=True))[-1] == (jobs.AWARD, "done")
    given = "SELECT DISTINCT card_id, count(*) OVER () FROM core.ledger_entry WHERE tenant_id = $1"
    assert {tuple(row) for row in await sql.fetch(given, cafe.tenant.id)} == {(card.id, 3) for card in cards}
    await healthy()


async def test_a_birthday_before_the_card_was_there_is_no_occasion(
    morning: Morning, cafe: World, sql: Connection
) -> None:
    await cafe.set_settings("stamps", birthday_stamps=3)
    await sql.execute(BORN, cafe.card.member_id, date(1990, 6, 5))
    await sql.execute(JOINED, datetime(2026, 6, 6, 8, tzinfo=UTC))
    await morning(datetime(2026, 6, 7, 5, tzinfo=UTC))
    assert await sql.fetch(GIVEN, cafe.tenant.id) == []


async def test_what_one_was_given_the_person_was_given_when_two_are_merged(
    cafe: World,
    make_till: Callable[[World], Till],
    database: Database,
    ledger: Ledger,
    sql: Connection,
    healthy: Healthy,
) -> None:
    await cafe.set_settings("stamps", birthday_stamps=3)
    other, till = await cafe.add_card("mia@home.example"), make_till(cafe)

    async def birthday(card: TestCard) -> None:
        async with database.tenant(cafe.tenant.id) as session:
            await Awards(ledger).award(session, cafe.context("job"), card.id, Birthday(2026), "2026")

    await birthday(other)
    merged = await till.merge(other, cafe.card)
    for card in (cafe.card, other):
        await birthday(card)
    assert await sql.fetchval(COUNT) == 1
    await till.unmerge(merged)
    await birthday(cafe.card)
    assert await sql.fetchval(COUNT) == 2, "they are two again, and each has a birthday"
    await healthy()


async def test_an_event_without_a_rule_is_refused_with_a_sentence(web: WebServer, cafe: World, pizza: World) -> None:
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    body = {"card": cafe.card.number, "event": "review", "reference": "r1"}
    answer = await key.post(EVENTS, json=body, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "event.nothing")
    foreign = {**body, "card": pizza.card.number}
    assert (await key.post(EVENTS, json=foreign, headers={"Idempotency-Key": "f"})).status_code == 404
