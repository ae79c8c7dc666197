"""Merges on a real database: sums, lots and their dates stay; what has happened counts once; all can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.errors import Conflict, InvalidInput, NotFound, RegularsError
from regulars.domain.cards import service as cards
from regulars.domain.expiry.service import Expiry
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.merges.service import MergeCommand, Merges
from regulars.domain.redemptions.service import MoveCommand, RedeemCommand, Redemptions
from regulars.domain.refunds.parts import Part
from regulars.kernel import ids
from regulars.testing.clock import Clock
from regulars.testing.till import content
from regulars.testing.world import TestCard

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
_keys = count(1)
OPEN_LOTS = (
    "SELECT amount_left::int, expires_at, created_at FROM core.ledger_lot WHERE card_id = $1 AND amount_left > 0 "
    "ORDER BY expires_at, created_at, id"
)
LIFETIME = "SELECT coalesce(sum(lifetime), 0)::int FROM core.account WHERE card_id = $1"


async def merge(bank: Bank, source: TestCard, target: TestCard, key: str = "") -> Answer:
    claim = Claim("staff:test", key or f"m{next(_keys)}", f"{source.id}{target.id}".encode())
    command = MergeCommand(claim, source.member_id, target.member_id, "the same phone")
    async with bank.database.tenant(bank.world.tenant.id) as session:
        return await Merges(bank.ledger).merge(session, bank.world.context(), command)


async def unmerge(bank: Bank, merged: Answer, key: str = "") -> Answer:
    merge_id = ids.read(ids.MERGE, content(merged)["id"])
    assert merge_id is not None
    claim = Claim("staff:test", key or f"u{next(_keys)}", merge_id.bytes)
    async with bank.database.tenant(bank.world.tenant.id) as session:
        return await Merges(bank.ledger).unmerge(session, bank.world.context(), claim, merge_id)


async def state(bank: Bank, *both: TestCard) -> list[Any]:
    """Balance, lifetime, and open lots with their dates, of each card."""
    return [
        (
            await bank.balance(card),
            await bank.sql.fetchval(LIFETIME, card.id),
            [tuple(row) for row in await bank.sql.fetch(OPEN_LOTS, card.id)],
        )
        for card in both
    ]


async def test_what_one_has_is_the_others_and_comes_back(
    open_bank: OpenBank, clock: Clock, sql: Connection, healthy: Healthy
) -> None:
    cafe = await open_bank("cafe", lives_days=30)
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    for amount, card in ((300, twin), (500, mia), (700, twin)):
        await cafe.sale(amount, card=card)
        await clock.advance(days=1)
    before = await state(cafe, mia, twin)
    first, again = await merge(cafe, twin, mia, "k"), await merge(cafe, twin, mia, "k")
    assert (first.status, first.body, again.replayed) == (201, again.body, True)
    lots = sorted([*before[0][2], *before[1][2]], key=lambda lot: lot[1])
    assert await state(cafe, mia, twin) == [(150, 150, lots), (0, 0, [])]
    await healthy()
    undone, again = await unmerge(cafe, first, "u"), await unmerge(cafe, first, "u")
    assert (undone.status, undone.body, again.replayed) == (201, again.body, True)
    assert await state(cafe, mia, twin) == before
    await healthy()


async def test_the_other_card_leads_to_the_one_that_stays(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    mia, twin, third = cafe.world.card, *[await cafe.world.add_card(f"{name}@cafe.example") for name in ("b", "c")]
    await cafe.sale(1000, card=third)
    inner = await merge(cafe, third, twin)
    outer = await merge(cafe, twin, mia)
    await cafe.sale(500, card=third)
    assert [await cafe.balance(card) for card in (mia, twin, third)] == [150, 0, 0]
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        hits = [await cards.by_token(session, card.token) for card in (mia, twin, third)]
        found = await cards.find(session, cafe.world.context(), "c@cafe.example")
    assert [hit.id for hit in (*hits, *found)] == [mia.id] * 4
    with pytest.raises(Conflict, match="into another one since"):
        await unmerge(cafe, inner)
    await unmerge(cafe, outer)
    await cafe.sale(500, card=third)
    assert [await cafe.balance(card) for card in (mia, twin, third)] == [50, 150, 0]
    await unmerge(cafe, inner)
    await cafe.sale(500, card=third)
    assert [await cafe.balance(card) for card in (mia, twin, third)] == [50, 150, 50]
    await healthy()


async def test_what_was_spent_stays_spent(open_bank: OpenBank, clock: Clock, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    await cafe.sale(800, card=twin)
    await clock.advance(days=1)
    await cafe.sale(500)
    merged = await merge(cafe, twin, mia)
    await cafe.mug()  # 100: all of the older 80, and 20
    await unmerge(cafe, merged)
    assert (await cafe.balance(mia), await cafe.balance(twin)) == (30, 0)
    await healthy()


@pytest.mark.parametrize(("own", "theirs"), [(-30, 50), (50, -30), (-30, -20), (-30, 20)])
async def test_debts_are_kept(open_bank: OpenBank, healthy: Healthy, own: int, theirs: int) -> None:
    cafe = await open_bank("cafe", debt=1000)
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    for card, wanted in ((mia, own), (twin, theirs)):
        sale = await cafe.sale(1000, card=card)
        await cafe.mug(card=card)
        if wanted < 0:
            await cafe.refund(sale, part=Part(amount_minor=-10 * wanted))
        else:
            await cafe.sale(10 * wanted, card=card)
    before = await state(cafe, mia, twin)
    merged = await merge(cafe, twin, mia)
    assert (await cafe.balance(mia), await cafe.balance(twin)) == (own + theirs, 0)
    await healthy()
    await unmerge(cafe, merged)
    assert await state(cafe, mia, twin) == before
    await cafe.sale(1000, card=twin)
    await healthy()


async def test_the_past_goes_on_from_the_card_that_stays(open_bank: OpenBank, healthy: Healthy) -> None:
    """A sale of the card that was merged is refunded from the one that stays."""
    cafe = await open_bank("cafe", lives_days=30)
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    sale = await cafe.sale(2000, card=twin)
    await cafe.mug(card=twin)
    merged = await merge(cafe, twin, mia)
    assert await cafe.refunded(sale, part=Part(amount_minor=500)) == {"taken": {"coins": 50}}
    assert [await cafe.balance(card) for card in (mia, twin)] == [50, 0]
    await cafe.refund(sale)
    assert [await cafe.balance(card) for card in (mia, twin)] == [0, 0]
    await healthy()
    await unmerge(cafe, merged)
    assert [row[:2] for row in await state(cafe, mia, twin)] == [(0, 0), (0, 100)]
    await healthy()


async def test_what_waits_comes_to_the_card_that_stays(open_bank: OpenBank, clock: Clock, healthy: Healthy) -> None:
    cafe = await open_bank("cafe", waits_days=3)
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    await cafe.sale(800, card=twin)
    merged = await merge(cafe, twin, mia)
    await clock.advance(days=4)
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        await Expiry(cafe.ledger, timedelta(days=7)).release(session, cafe.world.context("job"), twin.id)
    assert [await cafe.balance(card) for card in (mia, twin)] == [80, 0]
    await cafe.sale(500, card=twin)
    await unmerge(cafe, merged)
    assert await cafe.pending(twin) == [(80, "released")]
    await healthy()


async def test_a_hold_of_the_other_card_can_be_given_back(open_bank: OpenBank, clock: Clock, healthy: Healthy) -> None:
    cafe = await open_bank("cafe", lives_days=30)
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    await cafe.sale(1200, card=twin)
    (before,) = await state(cafe, twin)
    context, redemptions = cafe.world.context(), Redemptions(cafe.ledger)
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        attempt = Attempt(Claim("key:web", "hold", b"1"), CardRef("id", twin.id))
        held = await redemptions.redeem(session, context, RedeemCommand(attempt, "coins", hold=True, is_online=True))
    assert held.status == 200
    await clock.advance(days=1)
    await merge(cafe, twin, mia)
    red_id = await cafe.sql.fetchval("SELECT id FROM core.redemption WHERE card_id = $1", twin.id)
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        attempt = Attempt(Claim("key:web", "release", b"1"), CardRef("id", twin.id))
        await redemptions.move(session, context, MoveCommand(attempt, red_id, "release", is_online=True))
    assert await state(cafe, mia) == [(120, 120, [(20, *before[2][0][1:]), (100, *before[2][0][1:])])]
    await healthy()


async def test_who_cannot_be_merged(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    mia, twin, third = cafe.world.card, *[await cafe.world.add_card(f"{name}@cafe.example") for name in ("b", "c")]
    with pytest.raises(InvalidInput, match="two different"):
        await merge(cafe, mia, mia)
    for source, target in ((pizza.world.card, mia), (mia, pizza.world.card)):
        with pytest.raises(NotFound):
            await merge(cafe, source, target)
    merged = await merge(cafe, twin, mia)
    for source, target in ((twin, third), (third, twin)):
        with pytest.raises(Conflict, match="merged already"):
            await merge(cafe, source, target)
    await unmerge(cafe, merged)
    with pytest.raises(Conflict, match="undone already"):
        await unmerge(cafe, merged)
    with pytest.raises(NotFound):
        await unmerge(pizza, merged)
    await sql.execute("UPDATE core.card SET status = 'blocked' WHERE id = $1", third.id)
    with pytest.raises(Conflict, match="blocked"):
        await merge(cafe, third, mia)
    await sql.execute("UPDATE core.member SET status = 'erased' WHERE id = $1", twin.member_id)
    with pytest.raises(NotFound):
        await merge(cafe, twin, mia)
    await healthy()


async def test_opposite_merges_and_sales_at_once(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    mia, twin = cafe.world.card, await cafe.world.add_card("mia2@cafe.example")
    for card in (mia, twin):
        await cafe.sale(1000, card=card)

    async def at_once(do: Awaitable[Any]) -> str:
        try:
            await do
        except RegularsError as error:
            return type(error).__name__
        return "done"

    work = [merge(cafe, twin, mia), merge(cafe, mia, twin)]
    work += [cafe.sale(100, card=card) for card in (mia, twin) * 4]
    ends = await asyncio.gather(*map(at_once, work))
    assert (sorted(ends[:2]), ends[2:]) == (["Conflict", "done"], ["done"] * 8)
    assert await cafe.balance(mia) + await cafe.balance(twin) == 280
    assert 0 in {await cafe.balance(mia), await cafe.balance(twin)}
    await healthy()
