"""Refunds on a real database: what comes back, what stays, and that nothing can be gained by cutting them up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.ledger import Item
from regulars.domain.expiry.service import Expiry
from regulars.domain.refunds.parts import Part, RefundedLine
from regulars.testing.clock import Clock
from regulars.testing.till import Till, content
from regulars.testing.world import World

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
BREAD = Item("b1", "Bread", "bakery", 3, 900)
MILK = Item("m1", "Milk", "dairy", 1, 600)


async def test_a_part_takes_what_the_rest_would_not_have_given(open_bank: OpenBank, healthy: Healthy) -> None:
    """60 euros earn 20 a euro, 40 euros only 10: refunding 20 leaves what 40 earn, not two thirds."""
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    sale, _other = await cafe.sale(6000), await pizza.sale(6000)
    assert await cafe.refunded(sale, part=Part(amount_minor=2000)) == {"taken": {"coins": 800}}
    assert await cafe.refunded(sale, part=Part(amount_minor=1000)) == {"taken": {"coins": 100}}
    assert await cafe.entries() == [("earn", 1200, 1200), ("reverse", -800, 400), ("reverse", -100, 300)]
    assert await cafe.refunded(sale) == {"taken": {"coins": 300}}
    assert (await cafe.balance(), await pizza.balance()) == (0, 1200)
    with pytest.raises(NotFound):
        await pizza.refund(sale)
    await healthy()


async def test_what_was_refunded_while_it_waited_counts_after_the_release(
    open_bank: OpenBank, clock: Clock, healthy: Healthy
) -> None:
    """Of 100 euros and 1200 coins half is refunded before the release, half of the rest after it, by other rules."""
    cafe = await open_bank("cafe", waits_days=1, big_per_euro=12, per_euro=12)
    sale = await cafe.sale(10_000)
    assert await cafe.refunded(sale, part=Part(amount_minor=5000)) == {"taken": {"coins": 600}}
    await clock.advance(days=2)
    async with cafe.database.tenant(cafe.world.tenant.id) as session:
        expiry = Expiry(cafe.ledger, timedelta(days=7))
        assert await expiry.release(session, cafe.world.context("job"), cafe.world.card.id) == 1
    await cafe.world.set_settings("coins", per_euro=100, big_per_euro=100)
    assert await cafe.refunded(sale, part=Part(amount_minor=2500)) == {"taken": {"coins": 300}}
    assert await cafe.refunded(sale) == {"taken": {"coins": 300}}
    await healthy()


async def test_a_sale_is_refunded_once(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    sale = await cafe.sale(1000)
    with pytest.raises(InvalidInput, match="More than what is left"):
        await cafe.refund(sale, part=Part(amount_minor=1001))
    answers = await asyncio.gather(*(cafe.refund(sale) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert {content(a)["code"] for a in answers if a.refused} == {"refund.nothing_left"}
    assert await cafe.entries() == [("earn", 100, 100), ("reverse", -100, 0)]
    await healthy()


async def test_parts_at_once_take_no_more_than_the_whole(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    sale = await cafe.sale(1000)
    await asyncio.gather(*(cafe.refund(sale, part=Part(amount_minor=100)) for _ in range(10)))
    assert await cafe.balance() == 0
    assert len(await cafe.entries()) == 11
    await healthy()


async def test_a_line_takes_its_own_bonus(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe", bakery_bonus=7)
    sale = await cafe.sale(1500, BREAD, MILK)
    assert await cafe.balance() == 150 + 21
    assert await cafe.refunded(sale, part=Part(lines=(RefundedLine(1, 1),))) == {"taken": {"coins": 30 + 7}}
    assert await cafe.refunded(sale, part=Part(lines=(RefundedLine(2, 1),))) == {"taken": {"coins": 60}}
    with pytest.raises(InvalidInput, match="fewer pieces"):
        await cafe.refund(sale, part=Part(lines=(RefundedLine(1, 3),)))
    assert await cafe.refunded(sale, part=Part(lines=(RefundedLine(1, 2),))) == {"taken": {"coins": 60 + 14}}
    assert await cafe.balance() == 0
    await healthy()


async def test_where_the_rules_have_changed_it_goes_by_proportion(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    sale = await cafe.sale(6000)
    await cafe.world.set_settings("coins", per_euro=100, big_per_euro=100)
    assert await cafe.refunded(sale, part=Part(amount_minor=2001)) == {"taken": {"coins": 401}}
    assert await cafe.balance() == 799
    await healthy()


async def test_spent_coins_come_from_other_lots_then_from_a_debt(
    open_bank: OpenBank, sql: Connection, healthy: Healthy
) -> None:
    """E5: 100 coins were spent; 30 others are taken, 40 become a debt, 30 are let go; the next earning pays."""
    cafe = await open_bank("cafe", debt=40)
    sale = await cafe.sale(1000)
    await cafe.mug()
    await cafe.sale(300)
    assert await cafe.refunded(sale) == {"taken": {"coins": 70}, "let_go": {"coins": 30}}
    assert (await cafe.balance(), await cafe.lots()) == (-40, [(100, 0), (30, 0)])
    await healthy()
    await cafe.sale(1000)
    assert (await cafe.balance(), (await cafe.lots())[-1]) == (60, (100, 60))
    explanation = await sql.fetchval("SELECT explanation->>'asked' FROM core.ledger_entry WHERE kind = 'reverse'")
    assert explanation == "100"
    await healthy()


async def test_without_a_debt_what_was_spent_is_let_go(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    sale = await cafe.sale(1000)
    await cafe.mug()
    assert await cafe.refunded(sale, part=Part(amount_minor=500)) == {"let_go": {"coins": 50}}
    await cafe.sale(1000)
    assert await cafe.refunded(sale) == {"taken": {"coins": 50}}, "what was let go is not asked again"
    assert await cafe.balance() == 50
    await healthy()


async def test_a_reward_comes_back_to_its_lots(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    first = await cafe.sale(600)
    second = await cafe.sale(600)
    mug = await cafe.mug()
    assert await cafe.lots() == [(60, 0), (60, 20)]
    assert await cafe.refunded(second, redemptions=(mug,)) == {"taken": {"coins": 60}, "given_back": {"coins": 100}}
    assert (await cafe.balance(), await cafe.lots()) == (60, [(60, 60), (60, 0)])
    with pytest.raises(InvalidInput, match="no such reward"):
        await cafe.refund(first, redemptions=(mug,))
    assert await sql.fetchval("SELECT status FROM core.redemption") == "undone"
    await healthy()


async def test_a_reward_of_an_expired_lot_lives_on_for_a_while(
    open_bank: OpenBank, sql: Connection, clock, healthy: Healthy
) -> None:
    """O8: what would be lost at once gets a lot of its own; and what the refund takes is taken from it too."""
    cafe = await open_bank("cafe", lives_days=10)
    sale = await cafe.sale(1500)
    mug = await cafe.mug()
    await clock.advance(days=11)
    assert await cafe.refunded(sale, part=Part(amount_minor=800), redemptions=(mug,)) == {
        "taken": {"coins": 80},
        "given_back": {"coins": 100},
    }
    assert (await cafe.balance(), await cafe.lots()) == (70, [(150, 0), (100, 70)])
    days = "SELECT expires_at::date - core.now()::date FROM core.ledger_lot WHERE amount_left > 0"
    assert await sql.fetchval(days) == 30
    await healthy()


async def test_what_waits_is_cancelled_first(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe", waits_days=14)
    sale = await cafe.sale(1000)
    assert await cafe.refunded(sale, part=Part(amount_minor=300)) == {"taken": {"coins": 30}}
    assert (await cafe.pending(), await cafe.balance()) == ([(70, "open")], 0)
    assert await cafe.refunded(sale) == {"taken": {"coins": 70}}
    assert (await cafe.pending(), await cafe.entries()) == ([(70, "cancelled")], [])
    await healthy()


async def test_an_early_refund_waits_for_its_sale(open_bank: OpenBank, sql: Connection, healthy: Healthy) -> None:
    cafe, pizza = await open_bank("cafe"), await open_bank("pizza")
    early = {"part": Part(amount_minor=400), "sale_ref": "order-1", "external_ref": "refund-1"}
    first, again = await cafe.refund(**early), await cafe.refund(**early)
    assert (first.status, content(first)["status"], first.body) == (202, "waiting", again.body)
    await pizza.sale(1000, ref="order-1")
    await cafe.sale(1000, ref="order-1")
    assert (await cafe.balance(), await pizza.balance()) == (60, 100)
    settled = await cafe.refund(**early)
    assert (settled.status, content(settled)["status"], content(settled)["taken"]) == (200, "done", {"coins": 40})
    assert await sql.fetchval("SELECT count(*) FROM core.refund") == 1
    await healthy()


async def test_an_early_refund_of_more_than_the_sale_takes_all(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    with pytest.raises(InvalidInput, match="external_ref"):
        await cafe.refund(sale_ref="order-1")
    await cafe.refund(part=Part(amount_minor=5000), sale_ref="order-1", external_ref="refund-1")
    sale = await cafe.sale(1000, ref="order-1")
    assert await cafe.entries() == [("earn", 100, 100), ("reverse", -100, 0)]
    assert content(await cafe.refund(sale))["code"] == "refund.nothing_left"
    await healthy()


async def test_a_refund_counts_once_by_its_own_name(open_bank: OpenBank, healthy: Healthy) -> None:
    cafe = await open_bank("cafe")
    sale = await cafe.sale(1000)
    command = {"part": Part(amount_minor=100), "external_ref": "r-1"}
    first, again = await cafe.refund(sale, **command), await cafe.refund(sale, **command)
    assert (content(again)["id"], again.replayed) == (content(first)["id"], True)
    assert await cafe.balance() == 90
    await healthy()


async def test_an_undone_sale_is_not_refunded_and_a_refunded_one_not_undone(
    make_till: Callable[[World], Till], cafe: World, open_bank: OpenBank, clock, sql: Connection, healthy: Healthy
) -> None:
    bank = await open_bank("bank", waits_days=3)
    till = Till(bank.world, bank.database, bank.ledger)
    sale = await bank.sale(1000)
    assert (await till.undo()).status == 200, "a sale whose coins all wait is the last action too"
    assert await bank.pending() == [(100, "cancelled")]
    assert content(await bank.refund(sale))["code"] == "refund.undone"
    await clock.advance(minutes=1)
    await bank.refund(await bank.sale(1000), part=Part(amount_minor=10))
    assert content(await till.undo())["code"] == "undo.nothing"
    await healthy()
