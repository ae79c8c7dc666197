"""One bill, several members: all shares or none, once, and back again from each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.ledger import Item, Purchase
from regulars.domain.bills.service import BillCommand, Bills
from regulars.domain.bills.shares import Pieces, Wanted
from regulars.domain.ledger.commands import Answer, CardRef, Claim
from regulars.kernel import ids
from regulars.testing.till import content
from regulars.testing.world import TestCard

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
_keys = count(1)
SALES = "SELECT amount_minor::int, bill_id, external_ref FROM core.sale WHERE tenant_id = $1 ORDER BY created_at, id"


async def split(bank: Bank, bill: Purchase, *shares: tuple[TestCard, Wanted], key: str = "", **more: Any) -> Answer:
    claim = Claim("staff:test", key or f"b{next(_keys)}", f"{bill} {shares}".encode())
    wanted = [(CardRef("number", card.number), share) for card, share in shares]
    anna = bank.world.anna
    command = BillCommand(claim, bill, wanted, anna.id, more.pop("pin", anna.pin), bank.world.shop_id, **more)
    async with bank.database.tenant(bank.world.tenant.id) as session:
        return await Bills(bank.ledger).record(session, bank.world.context(), command)


async def refund(bank: Bank, sale_id: Any, key: str = "") -> Answer:
    claim = Claim("staff:test", key or f"r{next(_keys)}", b"refund")
    async with bank.database.tenant(bank.world.tenant.id) as session:
        return await Bills(bank.ledger).refund(session, bank.world.context(), claim, sale_id, "cold")


async def test_each_share_is_a_sale_and_the_bill_goes_back_from_each(
    open_bank: OpenBank, sql: Connection, healthy: Healthy
) -> None:
    cafe = await open_bank("cafe", bakery_bonus=7)
    mia, max_ = cafe.world.card, await cafe.world.add_card("max@cafe.example")
    cake, coffee = Item(category="bakery", quantity=2, amount_minor=900), Item(amount_minor=300)
    bill = Purchase(currency="EUR", amount_minor=1200, items=(cake, coffee))
    shares = ((mia, Wanted(pieces=(Pieces(1, 1),))), (max_, Wanted(pieces=(Pieces(1, 1), Pieces(2, 1)))))
    first = await split(cafe, bill, *shares, key="k", external_ref="table 4")
    again = await split(cafe, bill, *shares, key="k", external_ref="table 4")
    assert (first.status, first.body, again.replayed) == (200, again.body, True)
    answered = [(one["amount_minor"], one["earned"], one["balances"]) for one in content(first)["shares"]]
    assert answered == [(450, {"coins": 52}, {"coins": 52}), (750, {"coins": 82}, {"coins": 82})]
    bill_id = ids.read(ids.SALE, content(first)["bill"])
    rows = [tuple(row) for row in await sql.fetch(SALES, cafe.world.tenant.id)]
    assert rows == [(450, bill_id, "table 4"), (750, bill_id, None)]
    twice = await split(cafe, bill, *shares, external_ref="table 4")
    assert content(twice)["code"] == "sale.already_counted"
    back, replayed = await refund(cafe, bill_id, "back"), await refund(cafe, bill_id, "back")
    assert (back.body, replayed.replayed) == (replayed.body, True)
    assert sorted(one["taken"]["coins"] for one in content(back)["refunds"]) == [52, 82]
    assert [await cafe.balance(card) for card in (mia, max_)] == [0, 0]
    with pytest.raises(Conflict, match="already"):
        await refund(cafe, bill_id)
    await healthy()


async def test_a_refusal_of_one_is_one_of_all(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    mia, max_ = cafe.world.card, await cafe.world.add_card("max@cafe.example")
    bill = Purchase(currency="EUR", amount_minor=1000)
    await sql.execute("UPDATE core.card SET status = 'blocked' WHERE id = $1", max_.id)
    refused = await split(cafe, bill, (mia, Wanted()), (max_, Wanted()))
    assert (refused.status, content(refused)["code"]) == (409, "card.inactive")
    wrong = await split(cafe, bill, (mia, Wanted()), (max_, Wanted()), pin="0000")
    assert content(wrong)["code"] == "pin.wrong"
    with pytest.raises(InvalidInput, match="one share"):
        await split(cafe, bill, (mia, Wanted()), (mia, Wanted()))
    with pytest.raises(NotFound):
        await split(cafe, bill, (mia, Wanted()), (pizza.world.card, Wanted()))
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 0
    sale = await cafe.sale(100)
    with pytest.raises(NotFound):
        await refund(pizza, sale)
    assert [one["taken"] for one in content(await refund(cafe, sale))["refunds"]] == [{"coins": 10}]
    await healthy()


async def test_a_refund_that_came_first_waits_for_its_bill(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    mia, max_ = cafe.world.card, await cafe.world.add_card("max@cafe.example")
    assert (await cafe.refund(sale_ref="table 4", external_ref="back")).status == 202
    bill = Purchase(currency="EUR", amount_minor=1000)
    await split(cafe, bill, (mia, Wanted()), (max_, Wanted()), external_ref="table 4")
    assert [await cafe.balance(card) for card in (mia, max_)] == [0, 50], "its name is that of the first share"
    await healthy()


async def test_bills_in_opposite_orders_and_sales_at_once(open_bank: OpenBank, healthy: Healthy) -> None:
    """With one person's PIN, whose row is locked after all cards."""
    cafe = await open_bank("cafe")
    one, other = cafe.world.card, await cafe.world.add_card("max@cafe.example")
    bill = Purchase(currency="EUR", amount_minor=1000)
    pairs = [(one, other), (other, one)] * 6
    bills = asyncio.gather(*(split(cafe, bill, *((card, Wanted()) for card in pair)) for pair in pairs))
    sales = asyncio.gather(*(cafe.sale(100, card=card) for card in (one, other) * 6))
    answers, _sales = await asyncio.gather(bills, sales)
    assert {answer.status for answer in answers} == {200}
    assert (await cafe.balance(one), await cafe.balance(other)) == (660, 660)
    await healthy()
