"""Transfers on a real database: sums stay, lots keep their dates, opposite directions at once are all answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.domain.ledger.commands import Answer, CardRef, Claim
from regulars.domain.transfers.service import TransferCommand, Transfers
from regulars.testing.clock import Clock
from regulars.testing.till import content
from regulars.testing.world import TestCard

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
_keys = count(1)
OPEN_LOTS = (
    "SELECT amount_left::int, expires_at, created_at FROM core.ledger_lot WHERE card_id = $1 AND amount_left > 0 "
    "ORDER BY expires_at"
)


async def move(bank: Bank, source: TestCard, target: TestCard, amount: int, key: str = "") -> Answer:
    claim = Claim("staff:test", key or f"k{next(_keys)}", f"{amount}".encode())
    command = TransferCommand(
        claim, CardRef("id", source.id), CardRef("number", target.number), "coins", amount, "one household"
    )
    async with bank.database.tenant(bank.world.tenant.id) as session:
        return await Transfers(bank.ledger).transfer(session, bank.world.context(), command)


async def test_lots_move_with_their_dates(open_bank: OpenBank, clock: Clock, sql: Connection, healthy: Healthy) -> None:
    cafe = await open_bank("cafe", lives_days=30)
    mia, max_ = cafe.world.card, await cafe.world.add_card("max@cafe.example")
    for amount in (300, 500):
        await cafe.sale(amount)
        await clock.advance(days=1)
    before = [tuple(row) for row in await sql.fetch(OPEN_LOTS, mia.id)]
    first, again = await move(cafe, mia, max_, 60, "k"), await move(cafe, mia, max_, 60, "k")
    assert (first.status, first.body, again.replayed) == (201, again.body, True)
    assert (content(first)["from_balance"], content(first)["to_balance"]) == (20, 60)
    assert [tuple(row) for row in await sql.fetch(OPEN_LOTS, max_.id)] == [(30, *before[0][1:]), (30, *before[1][1:])]
    assert [tuple(row) for row in await sql.fetch(OPEN_LOTS, mia.id)] == [(20, *before[1][1:])]
    refused = await move(cafe, mia, max_, 21)
    assert (refused.status, content(refused)["code"]) == (409, "adjust.not_enough")
    await healthy()


async def test_what_cannot_be_moved(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    await cafe.sale(1000)
    with pytest.raises(NotFound):
        await move(cafe, cafe.world.card, pizza.world.card, 1)
    with pytest.raises(InvalidInput, match="different cards"):
        await move(cafe, cafe.world.card, cafe.world.card, 1)
    assert (await cafe.balance(), await pizza.balance()) == (100, 0)
    await healthy()


async def test_opposite_directions_at_once(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    one, other = cafe.world.card, await cafe.world.add_card("max@cafe.example")
    for card in (one, other):
        await cafe.sale(1000, card=card)
    pairs: list[Any] = [(one, other), (other, one)] * 8
    answers = await asyncio.gather(*(move(cafe, source, target, 10) for source, target in pairs))
    assert {answer.status for answer in answers} == {201}
    assert (await cafe.balance(one), await cafe.balance(other)) == (100, 100)
    await healthy()
