"""Two who change different things of one row at once: neither takes back what the other has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from asyncpg import Connection

from regulars.testing.web import Browser
from regulars.testing.world import World

STORE = "/api/v1/store/loyalty"


async def test_changes_of_a_program_add_up(till: Callable[[World], Browser], cafe: World, sql: Connection) -> None:
    visitor = till(cafe)
    lock = "SELECT 1 FROM core.program WHERE id = $1 FOR UPDATE"
    answers = await both(
        sql,
        (lock, cafe.program_id),
        lambda: visitor.send("PATCH", f"{STORE}/program", json={"name": "Coffee club"}),
        lambda: visitor.send("PATCH", f"{STORE}/program", json={"currency": "CHF"}),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    row = await sql.fetchrow("SELECT name, currency FROM core.program WHERE id = $1", cafe.program_id)
    assert tuple(row) == ("Coffee club", "CHF")


async def test_changes_of_a_person_add_up(till: Callable[[World], Browser], cafe: World, sql: Connection) -> None:
    visitor, ben = till(cafe), cafe.staff[1]
    address = f"{STORE}/pins/staff_{ben.id.hex}"
    answers = await both(
        sql,
        ("SELECT 1 FROM core.staff WHERE id = $1 FOR UPDATE", ben.id),
        lambda: visitor.send("PATCH", address, json={"role": "staff"}),
        lambda: visitor.send("PATCH", address, json={"name": "Benno"}),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    row = await sql.fetchrow("SELECT name, role, email FROM core.staff WHERE id = $1", ben.id)
    assert tuple(row) == ("Benno", "staff", "ben@staff.example")


async def both(
    sql: Connection, lock: tuple[str, object], *requests: Callable[[], Awaitable[httpx.Response]]
) -> list[httpx.Response]:
    """Send requests that all wait for one row, and let them go on together."""
    async with sql.transaction():
        await sql.fetch(*lock)
        sent = []
        for number, request in enumerate(requests, start=1):
            sent.append(asyncio.create_task(request()))
            async with asyncio.timeout(5):
                while await sql.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") < number:
                    await asyncio.sleep(0)
    return await asyncio.gather(*sent)
