"""A program pauses: nothing is collected, dates stand still and move on once by the length of the pause."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Connection
from pages_under_test import MakeWorld, actions_of, as_role, open_shop
from visitors import read

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.ledger import Custom
from regulars.domain.awards.service import Awards
from regulars.domain.programs import pauses, service
from regulars.domain.programs.jobs import program_pauses
from regulars.kernel import ids
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import CronTick, enqueue
from regulars.testing.aftermath import Letter
from regulars.testing.clock import Clock
from regulars.testing.till import Till, content
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

STORE = "/api/v1/store/loyalty"
PROGRAM = f"{STORE}/program"
RunJobs = Callable[..., Awaitable[list[tuple[str, str]]]]
DATES = "SELECT expires_at FROM core.ledger_lot WHERE tenant_id = $1 ORDER BY created_at"
GIVE_DATES = "UPDATE core.ledger_lot SET expires_at = created_at + interval '100 days'"
STATUS = "SELECT status FROM core.program WHERE id = $1"


def merchant(world: World) -> Context:
    principal = Principal("staff", None, "Ben", "manager", frozenset({"programs.manage"}))
    return replace(world.context(), principal=principal)


async def begin(world: World, database: Database, *, days: float | None = None, redeems: bool = True) -> None:
    async with database.tenant(world.tenant.id) as session:
        until = None if days is None else await session.scalar(pauses.repository.NOW) + timedelta(days=days)
        await pauses.begin(
            session, merchant(world), world.program_id, until=until, redeems=redeems, tells_members=False, note=""
        )


async def expire_holds(database: Database, run_jobs: RunJobs, *worlds: World) -> None:
    for world in worlds:
        async with database.tenant(world.tenant.id) as session:
            await enqueue(session, "core.expire_holds", {})
    await run_jobs()


async def end(world: World, database: Database) -> None:
    async with database.tenant(world.tenant.id) as session:
        await pauses.end(session, merchant(world), world.program_id)


async def test_nothing_is_collected_rewards_can_be_had(
    cafe: World, database: Database, make_till: Callable[[World], Till], clock: Clock
) -> None:
    await cafe.set_settings("stamps", target=2)
    till = make_till(cafe)
    await till.sale(2)
    await clock.advance(minutes=60)
    await begin(cafe, database)
    refused = await till.sale(1)
    assert (refused.status, content(refused)["code"]) == (409, "program.paused")
    assert content(refused)["detail"] == "This program is paused. What is on the card stays on it."
    assert (await till.redeem()).status == 200
    await end(cafe, database)
    assert (await till.sale(1)).status == 200


async def test_a_pause_may_keep_rewards_back(
    cafe: World, database: Database, make_till: Callable[[World], Till]
) -> None:
    await cafe.set_settings("stamps", target=2)
    till = make_till(cafe)
    await till.sale(2)
    await begin(cafe, database, redeems=False)
    assert content(await till.redeem())["code"] == "program.paused"


async def test_dates_move_on_once_by_the_length_of_the_pause(
    cafe: World,
    pizza: World,
    database: Database,
    make_till: Callable[[World], Till],
    clock: Clock,
    sql: Connection,
    run_jobs: RunJobs,
    healthy: Callable[[], Awaitable[None]],
) -> None:
    for world in (cafe, pizza):
        await make_till(world).sale(1)
    await sql.execute(GIVE_DATES)
    before = {world.tenant.id: await sql.fetchval(DATES, world.tenant.id) for world in (cafe, pizza)}
    await begin(cafe, database)
    started = await sql.fetchval("SELECT started_at FROM core.program_pause")
    await clock.advance(minutes=30 * 24 * 60)
    await end(cafe, database)
    with pytest.raises(Conflict):
        await begin(cafe, database)
    assert ("core.shift_dates", "done") in await run_jobs()
    pause = await sql.fetchrow("SELECT id, ended_at, finished_at FROM core.program_pause")
    assert pause["finished_at"] is not None
    moved = before[cafe.tenant.id] + (pause["ended_at"] - started)
    assert await sql.fetchval(DATES, cafe.tenant.id) == moved
    async with database.tenant(cafe.tenant.id) as session:
        await pauses.shift_dates(session, pause["id"])
    assert await sql.fetchval(DATES, cafe.tenant.id) == moved, "once"
    assert await sql.fetchval(DATES, pizza.tenant.id) == before[pizza.tenant.id], "nobody else's"
    await healthy()


async def test_what_is_put_aside_waits_for_the_end_of_the_pause_in_every_channel(
    cafe: World,
    pizza: World,
    database: Database,
    make_till: Callable[[World], Till],
    till: Callable[[World], Browser],
    clock: Clock,
    sql: Connection,
    run_jobs: RunJobs,
    healthy: Callable[[], Awaitable[None]],
) -> None:
    """A hold of seven days outlives a pause of thirty; earning is refused at the till, by the API and by awards."""
    held = "SELECT expires_at, status FROM core.redemption WHERE tenant_id = $1"
    for world in (cafe, pizza):
        await world.set_settings("stamps", target=2)
        await world.set_settings("antifraud", cooldown_minutes=0)
        assert (await make_till(world).sale(2)).status == 200
        aside = {"card": world.card.number, "reward": "stamps.full_card", "hold": True, "channel": "online"}
        made = await till(world).post(f"{STORE}/redemptions", json=aside, headers={"Idempotency-Key": "hold"})
        assert made.status_code == 201
    redemption_id = await sql.fetchval("SELECT id FROM core.redemption WHERE tenant_id = $1", cafe.tenant.id)
    await clock.advance(minutes=4 * 24 * 60)
    await begin(cafe, database, redeems=False)
    await clock.advance(minutes=30 * 24 * 60)
    sold = await till(cafe).post(f"{STORE}/stamp", json=cafe.till_body(), headers={"Idempotency-Key": "sale"})
    refused = "This program is paused. What is on the card stays on it."
    assert (sold.status_code, sold.json()["detail"]) == (409, refused)
    async with database.tenant(cafe.tenant.id) as session:
        award = Awards(make_till(cafe).ledger).award(session, cafe.context("job"), cafe.card.id, Custom("review"), "r")
        assert (await award).code == "program.paused"
    capture = f"{STORE}/redemptions/{ids.show(ids.REDEMPTION, redemption_id)}/capture"
    body = {"channel": "online"}
    kept = await till(cafe).post(capture, json=body, headers={"Idempotency-Key": "kept"})
    assert (kept.status_code, kept.json()["detail"]) == (409, refused)
    await expire_holds(database, run_jobs, cafe, pizza)
    assert [(await sql.fetchrow(held, world.tenant.id))["status"] for world in (cafe, pizza)] == ["held", "expired"]
    await end(cafe, database)
    early = await till(cafe).post(capture, json=body, headers={"Idempotency-Key": "early"})
    assert early.status_code == 200, "its time stands still until all dates are moved on"
    await run_jobs()
    assert (await make_till(cafe).sale(1)).status == 200
    await healthy()


async def test_the_end_of_what_is_put_aside_moves_on(
    cafe: World, database: Database, make_till: Callable[[World], Till], till: Callable[[World], Browser], clock: Clock,
    sql: Connection, run_jobs: RunJobs,
) -> None:  # fmt: skip
    await cafe.set_settings("stamps", target=2)
    await make_till(cafe).sale(2)
    aside = {"card": cafe.card.number, "reward": "stamps.full_card", "hold": True, "channel": "online"}
    assert (
        await till(cafe).post(f"{STORE}/redemptions", json=aside, headers={"Idempotency-Key": "h"})
    ).status_code == 201
    before = await sql.fetchval("SELECT expires_at FROM core.redemption")
    await begin(cafe, database)
    await clock.advance(minutes=30 * 24 * 60)
    await end(cafe, database)
    await run_jobs()
    pause = await sql.fetchrow("SELECT started_at, ended_at FROM core.program_pause")
    moved = before + (pause["ended_at"] - pause["started_at"])
    assert await sql.fetchval("SELECT expires_at FROM core.redemption") == moved


async def test_the_merchant_pauses_and_members_hear_of_it(
    web: WebServer,
    make_world: MakeWorld,
    sql: Connection,
    run_jobs: RunJobs,
    mails: Callable[[], Awaitable[list[Letter]]],
) -> None:
    cafe = await open_shop(make_world, "cafe")
    visitor = await as_role(web, sql, cafe, "manager")
    path = "/manage/program/pause"
    faulty = await visitor.submit(path, {"date": "2020-01-01", "redeems": "1", "note": "Works"})
    assert "Choose a moment in the future, at most a year from now." in read(faulty, faulty.status_code).text
    await visitor.submit(path, {"redeems": "1", "tells": "1", "note": "We rebuild the kitchen"})
    page = read(await visitor.get("/manage/program"))
    assert "Card is paused." in page.text
    assert page.fields["_program.is_open"] == "1"
    assert "All dates on their cards" not in page.text
    assert "It has paused since" in read(await visitor.get("/manage/program/resume")).text
    await run_jobs()
    await visitor.submit("/manage/program/resume", {})
    await run_jobs()
    letters = await mails()
    assert [(one.recipient, one.subject) for one in letters] == [
        ("mia@cafe.example", "Cafe pauses"),
        ("mia@cafe.example", "Cafe goes on"),
    ]
    assert "We rebuild the kitchen" in letters[0].text
    assert await actions_of(sql, cafe) == ["program.paused", "program.resumed"]


async def test_a_shop_system_pauses(cafe: World, till: Callable[[World], Browser]) -> None:
    shop = till(cafe)
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    paused = await shop.send("PATCH", PROGRAM, json={"is_paused": True, "paused_until": until})
    assert (paused.json()["status"], paused.json()["is_active"]) == ("paused", False)
    closed = await shop.send("PATCH", PROGRAM, json={"is_active": False})
    assert (closed.status_code, closed.json()["detail"]) == (409, "This program is paused. Let it go on first.")
    assert (await shop.send("PATCH", PROGRAM, json={"is_paused": False})).json()["status"] == "active"


async def test_a_pause_ends_by_itself(
    cafe: World, database: Database, clock: Clock, sql: Connection, run_jobs: RunJobs
) -> None:
    await begin(cafe, database, days=10)
    await clock.advance(minutes=9 * 24 * 60)
    for minutes, status in ((1, "paused"), (24 * 60, "active")):
        await clock.advance(minutes=minutes)
        async with database.platform("test") as session:
            await program_pauses(CronTick(session, datetime.now(UTC)))
        await run_jobs()
        assert await sql.fetchval(STATUS, cafe.program_id) == status


async def test_only_what_is_open_pauses_and_only_what_pauses_goes_on(cafe: World, database: Database) -> None:
    with pytest.raises(InvalidInput):
        await begin(cafe, database, days=-1)
    with pytest.raises(Conflict):
        await end(cafe, database)
    await begin(cafe, database)
    with pytest.raises(Conflict):
        await begin(cafe, database)
    async with database.tenant(cafe.tenant.id) as session:
        with pytest.raises(Conflict):
            await service.set_status(session, merchant(cafe), cafe.program_id, "inactive")
