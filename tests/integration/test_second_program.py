"""What a second program must not open: other people's cards, another program than the one that was named, faults."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from uuid import UUID

from asyncpg import Connection

from regulars.domain.cards.enrolment import EnrolCommand, Enrolled, Enrolments
from regulars.domain.cards.enrolment_repository import add_card
from regulars.domain.cards.numbers import new_number, new_token
from regulars.domain.ledger.engine import Ledger
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

Visit = Callable[..., Awaitable[Browser]]
STORE = "/api/v1/store/loyalty"
FRONT = "/api/v1/storefront/loyalty"


async def second_program(sql: Connection, world: World, status: str = "active") -> UUID:
    program = new_id()
    await sql.execute(
        "INSERT INTO core.program (tenant_id, id, name, kind, status, timezone, currency, require_pin) "
        "VALUES ($1, $2, 'Lunch', 'stamps', $3, 'Europe/Luxembourg', 'EUR', true)",
        world.tenant.id,
        program,
        status,
    )
    return program


async def test_each_program_shows_its_own_figures(web: WebServer, cafe: World, sql: Connection, visit: Visit) -> None:
    manager = await visit(cafe, "manager")
    alone = await manager.get("/manage/program")
    program = ids.show(ids.PROGRAM, await second_program(sql, cafe))
    first = await manager.get("/manage/program", params={"program": ids.show(ids.PROGRAM, cafe.program_id)})
    second = await manager.get("/manage/program", params={"program": program})
    assert [figures_of(page.text) for page in (alone, first, second)] == [
        [],
        ["1", "1", "0", "€0.00"],
        ["0", "0", "0", "€0.00"],
    ]


def figures_of(html: str) -> list[str]:
    """The numbers on the tiles."""
    return re.findall(r'class="tile-value"[^>]*>([^<]+)<', html)


async def test_typing_a_members_address_gives_no_card_of_another_program(
    web: WebServer, cafe: World, sql: Connection
) -> None:
    program = await second_program(sql, cafe)
    body = {"email": cafe.card.email, "terms": True, "program": ids.show(ids.PROGRAM, program)}
    answer = await web.at(cafe.host).post(f"{FRONT}/enroll", json=body)
    assert (answer.status_code, answer.json()["is_new"]) == (200, False)
    assert (answer.json()["token"], answer.json()["number"]) == (None, None)
    assert await sql.fetchval("SELECT count(*) FROM core.card") == 1


async def test_the_shop_gives_a_member_a_card_of_another_program(
    till: Callable[[World], Browser], cafe: World, sql: Connection
) -> None:
    program = await second_program(sql, cafe)
    body = {"email": cafe.card.email, "terms": True, "program": ids.show(ids.PROGRAM, program)}
    answer = await till(cafe).post(f"{STORE}/cards/enroll", json=body)
    assert (answer.status_code, answer.json()["program"]) == (201, ids.show(ids.PROGRAM, program))
    assert answer.json()["member"] == ids.show(ids.MEMBER, cafe.card.member_id)


async def test_a_program_that_cannot_be_joined_is_refused(
    till: Callable[[World], Browser], cafe: World, pizza: World, sql: Connection
) -> None:
    closed = await second_program(sql, cafe, "inactive")
    for program in (closed, pizza.program_id, new_id()):
        body = {"email": "new@example.com", "terms": True, "program": ids.show(ids.PROGRAM, program)}
        answer = await till(cafe).post(f"{STORE}/cards/enroll", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert await sql.fetchval("SELECT count(*) FROM core.card WHERE tenant_id = $1", cafe.tenant.id) == 1
    assert await sql.fetchval("SELECT count(*) FROM core.member WHERE tenant_id = $1", cafe.tenant.id) == 1


async def test_two_at_once_make_one_card_of_another_program(
    database: Database, ledger: Ledger, cafe: World, sql: Connection
) -> None:
    program = await second_program(sql, cafe)
    command = EnrolCommand(cafe.card.email, terms=True, program_id=program)

    async def enrol() -> Enrolled:
        async with database.tenant(cafe.tenant.id) as session:
            return await Enrolments(ledger).enrol(session, cafe.context(), command)

    async with database.tenant(cafe.tenant.id) as session:
        first = await add_card(session, cafe.card.member_id, program, new_number(), new_token())
        waiting = asyncio.create_task(enrol())
        await until_blocked(sql)
    second = await waiting
    assert first is not None
    assert (second.is_new, second.card_id) == (False, first.id)
    assert await sql.fetchval("SELECT count(*) FROM core.card WHERE program_id = $1", program) == 1


async def until_blocked(sql: Connection) -> None:
    async with asyncio.timeout(5):
        while not await sql.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0)
