"""Corrections on a real database: alone up to a limit, above it with another person; exact, and once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from json import loads
from typing import Any

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import Forbidden, IdempotencyInProgress, InvalidInput, NotFound
from regulars.contracts.paging import PageRequest
from regulars.domain.adjustments.service import AdjustCommand, Adjustments, page_of
from regulars.domain.ledger.commands import Answer, CardRef, Claim
from regulars.kernel import ids
from regulars.testing.clock import Clock
from regulars.testing.till import content

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
_keys = count(1)


def by(bank: Bank, number: int) -> Context:
    """A person of the staff."""
    person = bank.world.staff[number]
    who = Principal("staff", person.id, person.name, "manager", frozenset({"members.adjust", "programs.manage"}))
    return bank.world.context("manage", principal=who)


async def adjust(bank: Bank, amount: int, *, ctx: Context | None = None, **changes: Any) -> Answer:
    claim = Claim("staff:test", changes.pop("key", f"k{next(_keys)}"), f"{amount}".encode())
    command = AdjustCommand(claim, CardRef("id", bank.world.card.id), "coins", amount, "a mistake at the till")
    async with bank.database.tenant(bank.world.tenant.id) as session:
        service = Adjustments(bank.ledger)
        return await service.adjust(session, ctx or by(bank, 0), replace(command, **changes))


async def decide(bank: Bank, ctx: Context, adjustment: str, *, agrees: bool = True) -> Answer:
    found = ids.read(ids.ADJUSTMENT, adjustment)
    assert found is not None
    async with bank.database.tenant(bank.world.tenant.id) as session:
        claim = Claim("staff:test", f"k{next(_keys)}", b"decide")
        return await Adjustments(bank.ledger).decide(session, ctx, claim, found, agrees=agrees)


async def limit(bank: Bank, most: int | None) -> None:
    async with bank.database.tenant(bank.world.tenant.id) as session:
        await Adjustments(bank.ledger).set_limit(session, by(bank, 0), bank.world.program_id, most)


async def test_units_are_given_and_taken(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    given = await adjust(cafe, 50)
    assert (given.status, content(given)["status"]) == (201, "done")
    await cafe.sale(1000)
    assert (await adjust(cafe, -70)).status == 201
    assert await cafe.entries() == [("adjust", 50, 50), ("earn", 100, 150), ("adjust", -70, 80)]
    assert await cafe.lots() == [(50, 0), (100, 80)]
    refused = await adjust(cafe, -81)
    assert (refused.status, content(refused)["code"]) == (409, "adjust.not_enough")
    assert (await cafe.balance(), await pizza.balance()) == (80, 0)
    lines = await sql.fetch("SELECT action, outcome, details->>'amount' AS n FROM core.audit_log ORDER BY id")
    assert [tuple(line) for line in lines if line["action"] == "points.adjust"] == [
        ("points.adjust", "done", "50"),
        ("points.adjust", "done", "-70"),
        ("points.adjust", "refused", None),
    ]
    lifetime = await sql.fetchval("SELECT lifetime FROM core.account WHERE card_id = $1", cafe.world.card.id)
    assert lifetime == 100, "a correction is no earning"
    await healthy()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"amount": 0}, "amount"),
        ({"unit": "stamps"}, "unit"),
        ({"amount": 10**13}, "amount"),
    ],
)
async def test_bad_input_names_its_field(open_bank: OpenBank, changes: dict[str, Any], field: str) -> None:
    cafe = await open_bank("cafe")
    with pytest.raises(InvalidInput) as refused:
        await adjust(cafe, changes.get("amount", 5), **{name: changes[name] for name in changes if name != "amount"})
    assert list(refused.value.fields) == [field]


async def test_above_the_limit_another_person_decides(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    await limit(cafe, 100)
    assert (await adjust(cafe, 100)).status == 201
    asked = await adjust(cafe, 101)
    name = content(asked)["id"]
    assert (asked.status, content(asked)["status"], await cafe.balance()) == (202, "waiting", 100)
    for ctx in (by(cafe, 0), cafe.world.context()):
        with pytest.raises(Forbidden, match="Another person"):
            await decide(cafe, ctx, name)
    with pytest.raises(NotFound):
        await decide(pizza, by(pizza, 1), name)
    answers = await asyncio.gather(*(decide(cafe, by(cafe, 1), name) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert await cafe.entries() == [("adjust", 100, 100), ("adjust", 101, 201)]
    row = await sql.fetchrow("SELECT asked_by_name, decided_by_name, status FROM core.adjustment WHERE amount = 101")
    assert tuple(row) == ("Anna", "Ben", "done")
    await healthy()


async def test_a_correction_can_be_refused(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    await limit(cafe, 0)
    name = content(await adjust(cafe, 5))["id"]
    assert content(await decide(cafe, by(cafe, 1), name, agrees=False))["status"] == "refused"
    assert content(await decide(cafe, by(cafe, 1), name))["code"] == "adjust.decided"
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        paged = await page_of(session, by(cafe, 0), PageRequest(1, 10), status="refused")
    assert (paged.total, paged.items[0].decided_by_name, await cafe.balance()) == (1, "Ben", 0)
    await healthy()


async def test_the_same_key_corrects_once(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")

    async def send() -> bytes | None:
        try:
            return (await adjust(cafe, 5, key="k")).body
        except IdempotencyInProgress:
            return None

    answers = {body for body in await asyncio.gather(*(send() for _ in range(5))) if body}
    answers.add((await adjust(cafe, 5, key="k")).body)
    assert (len(answers), await cafe.balance()) == (1, 5)
    await healthy()


async def test_what_is_unusual_is_flagged(open_bank: OpenBank, clock: Clock, sql: Connection) -> None:
    cafe = await open_bank("cafe")
    anna, ben = by(cafe, 0), by(cafe, 1)
    own = await cafe.world.add_card("anna@staff.example")
    await clock.set(datetime(2026, 3, 10, 21, 30, tzinfo=UTC))  # 22:30 in Luxembourg
    assert content(await adjust(cafe, 5, card=CardRef("id", own.id)))["flags"] == ["own_card", "at_night"]
    assert content(await adjust(cafe, -5, card=CardRef("id", own.id)))["flags"] == [], "taken"
    assert content(await adjust(cafe, 5, ctx=cafe.world.context()))["flags"] == [], "by a program"
    await clock.set(datetime(2026, 3, 11, 8, tzinfo=UTC))
    assert [content(await adjust(cafe, 1))["flags"] for _ in range(20)] == [[]] * 19 + [["many"]]
    assert content(await adjust(cafe, 1, ctx=ben))["flags"] == [], "the first of somebody else"
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        paged = await page_of(session, anna, PageRequest(), status="flagged")
    assert [one.flags for one in paged.items] == [["many"], ["own_card", "at_night"]]
    audited = "SELECT details->'flags' FROM core.audit_log WHERE details ? 'flags' ORDER BY id"
    assert [loads(row[0]) for row in await sql.fetch(audited)] == [["own_card", "at_night"], ["many"]]
    await limit(cafe, 0)
    waiting = content(await adjust(cafe, 5, ctx=ben, card=CardRef("id", own.id)))
    with pytest.raises(Forbidden, match="own card"):
        await decide(cafe, anna, waiting["id"])
