"""Purchases before joining: past sales within the program's days, and receipts that are claimed once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection
from coin_bank import Bank

from regulars.contracts.context import Context, Principal
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.ledger import Purchase
from regulars.contracts.paging import PageRequest
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.receipts import lists, repository
from regulars.domain.receipts.service import MISSES, ClaimCommand, NewReceipt, Receipts
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.testing.till import content
from regulars.testing.world import TestCard

OpenBank = Callable[..., Awaitable[Bank]]
Healthy = Callable[[], Awaitable[None]]
_keys = count(1)
NOW = "SELECT core.now()"
JOINED = "UPDATE core.card SET created_at = $2 WHERE id = $1"
AUDITED = "SELECT action, outcome, details FROM core.audit_log WHERE tenant_id = $1 AND action LIKE $2 ORDER BY id"


@dataclass
class Counter:
    """Where receipts are kept and claimed."""

    bank: Bank
    now: datetime

    async def keep(self, ref: str, amount: int = 1000, *, days_ago: float = 1, **more: Any) -> Any:
        """Keep a receipt."""
        purchase = Purchase(1, amount, more.pop("currency", "EUR"))
        at = self.now - timedelta(days=days_ago)
        async with self.bank.database.tenant(self.bank.world.tenant.id) as session:
            new = NewReceipt(purchase, ref, more.pop("shop", self.bank.world.shop_id), at)
            return await Receipts(self.bank.ledger).keep(session, self.bank.world.context(**more), new)

    async def claim(
        self, ref: str, amount: int = 1000, *, card: TestCard | None = None, key: str = "", ctx: Context | None = None
    ) -> Answer:
        """Claim a receipt as the card's member, or as somebody else."""
        card = card or self.bank.world.card
        ctx = ctx or self.member(card)
        claim = Claim("m", key or f"c{next(_keys)}", f"{ref} {amount}".encode())
        command = ClaimCommand(Attempt(claim, CardRef("number", card.number)), ref, amount)
        async with self.bank.database.tenant(self.bank.world.tenant.id) as session:
            return await Receipts(self.bank.ledger).claim(session, ctx, command)

    def member(self, card: TestCard) -> Context:
        """The card's own member at the customer's pages."""
        return self.bank.world.context("portal", principal=Principal("member", card.member_id, "Mia"))

    async def past(self, days_ago: float, ref: str | None = None) -> Answer:
        """A sale of 10.00 that was made some days ago."""
        world = self.bank.world
        claim = Claim("api", f"p{next(_keys)}", b"past")
        attempt = Attempt(claim, CardRef("number", world.card.number), world.anna.id, world.anna.pin, world.shop_id)
        at = self.now - timedelta(days=days_ago)
        command = SaleCommand(attempt, "coins", Purchase(1, 1000, "EUR"), ref, at)
        async with self.bank.database.tenant(world.tenant.id) as session:
            return await Sales(self.bank.ledger).record(session, world.context(), command)

    async def set_days(self, days: int) -> None:
        """Let earlier purchases count."""
        world = self.bank.world
        async with self.bank.database.tenant(world.tenant.id) as session:
            await Receipts(self.bank.ledger).set_days(session, world.context(), world.program_id, days)
        revision = await self.bank.sql.fetchval("SELECT revision FROM core.tenant WHERE id = $1", world.tenant.id)
        world.tenant = replace(world.tenant, revision=revision)


@pytest.fixture
async def cafe(open_bank: OpenBank, sql: Connection) -> Counter:
    """Counts the purchases of ten days; its customer has joined now."""
    counter = Counter(await open_bank("cafe"), await sql.fetchval(NOW))
    await sql.execute(JOINED, counter.bank.world.card.id, counter.now)
    await counter.set_days(10)
    return counter


async def test_past_sales_count_within_the_days(cafe: Counter, sql: Connection, healthy: Healthy) -> None:
    assert (await cafe.past(9)).status == 200
    codes = [content(await cafe.past(days))["code"] for days in (10.1, -0.1)]
    assert codes == ["sale.too_old", "sale.in_future"]
    occurred_at = await sql.fetchval("SELECT occurred_at FROM core.sale")
    assert (occurred_at, await cafe.bank.balance()) == (cafe.now - timedelta(days=9), 100)
    await cafe.set_days(0)
    assert content(await cafe.past(1))["code"] == "sale.too_old"
    with pytest.raises(InvalidInput):
        await cafe.set_days(91)
    audited = await sql.fetch(AUDITED, cafe.bank.world.tenant.id, "program.receipts_set")
    assert [row["details"] for row in audited] == ['{"claim_days": 10}', '{"claim_days": 0}']
    await healthy()


async def test_a_receipt_is_claimed_once_by_one(cafe: Counter, sql: Connection, healthy: Healthy) -> None:
    bank, tenant = cafe.bank, cafe.bank.world.tenant.id
    other = await bank.world.add_card("max@cafe.example")
    kept, again = await cafe.keep("R-1", days_ago=3), await cafe.keep("R-1", days_ago=3)
    assert (kept.id, kept.kept_until) == (again.id, cafe.now + timedelta(days=7))
    with pytest.raises(Conflict, match="Another receipt"):
        await cafe.keep("R-1", 900)
    both = await asyncio.gather(*(cafe.claim("R-1", card=card) for card in (bank.world.card, other) * 3))
    assert sorted(one.status for one in both) == [200, 409, 409, 409, 409, 409]
    assert {content(one)["code"] for one in both if one.refused} == {"receipt.unknown"}
    sale = await sql.fetchrow("SELECT source, shop_id, external_ref, occurred_at FROM core.sale")
    assert tuple(sale) == ("api", bank.world.shop_id, "R-1", cafe.now - timedelta(days=3))
    assert await bank.balance() + await bank.balance(other) == 100
    with pytest.raises(Conflict, match="counted before"):
        await cafe.keep("R-1")
    assert (await cafe.claim("R-2", key="k")).body == (await cafe.claim("R-2", key="k")).body
    entry = await sql.fetchrow("SELECT reason, kind FROM core.ledger_entry WHERE tenant_id = $1", tenant)
    assert tuple(entry) == ("receipt", "earn")
    done = await sql.fetch(AUDITED, tenant, "receipt.claim")
    assert sorted(row["outcome"] for row in done) == ["done", *["refused"] * 6]
    await healthy()


async def test_nothing_can_be_guessed(cafe: Counter, sql: Connection, healthy: Healthy) -> None:
    await cafe.keep("R-1")
    await cafe.keep("R-2", days_ago=9.9)
    said = {(await cafe.claim(ref, amount)).body for ref, amount in (("R-9", 1000), ("R-1", 999))}
    await sql.execute("UPDATE core.receipt SET occurred_at = occurred_at - interval '1 day' WHERE external_ref = 'R-2'")
    said.add((await cafe.claim("R-2")).body)
    for amount in range(MISSES - 1):
        said.add((await cafe.claim("R-1", amount + 1)).body)
    said.add((await cafe.claim("R-1")).body)
    assert len(said) == 1, "wrong number, wrong amount, too late, guessed too often"
    assert (await cafe.claim("R-1", ctx=cafe.bank.world.context())).status == 200, "the team can"
    await healthy()


async def test_refunds_before_and_after_the_claim(cafe: Counter, healthy: Healthy) -> None:
    bank = cafe.bank
    for ref in ("R-1", "R-2"):
        await cafe.keep(ref)
    assert (await bank.refund(sale_ref="R-1", external_ref="back-1")).status == 202
    assert content(await cafe.claim("R-1"))["earned"] == {"coins": 100}
    assert await bank.balance() == 0, "what had waited was taken back"
    await cafe.claim("R-2")
    assert await bank.refunded(sale_ref="R-2", external_ref="back-2") == {"taken": {"coins": 100}}
    assert content(await cafe.claim("R-2"))["code"] == "receipt.unknown", "once for ever"
    await healthy()


async def test_other_ways_to_the_same_sale(cafe: Counter, healthy: Healthy) -> None:
    await cafe.keep("R-1")
    assert (await cafe.past(1, "R-1")).status == 200
    assert content(await cafe.claim("R-1"))["code"] == "receipt.unknown"
    assert await cafe.bank.balance() == 100
    await healthy()


async def test_whose_cards(cafe: Counter, open_bank: OpenBank, sql: Connection) -> None:
    bank = cafe.bank
    other, ben = await bank.world.add_card("max@cafe.example"), bank.world.staff[1]
    own = await bank.world.add_card("ben@staff.example")
    pizza = Counter(await open_bank("pizza"), cafe.now)
    await cafe.keep("R-1")
    with pytest.raises(NotFound):
        await cafe.claim("R-1", card=other, ctx=cafe.member(bank.world.card))
    await pizza.set_days(10)
    assert content(await pizza.claim("R-1"))["code"] == "receipt.unknown"
    staff = Principal("staff", ben.id, ben.name, "manager", frozenset({"members.adjust"}))
    refused = await cafe.claim("R-1", card=own, ctx=bank.world.context("manage", principal=staff))
    assert content(refused)["code"] == "receipt.own_card"
    assert (await cafe.claim("R-1", card=own)).status == 200
    audited = await sql.fetch(AUDITED, bank.world.tenant.id, "receipt.claim")
    assert '"own_card"' in audited[-1]["details"], "flagged"
    await sql.execute("UPDATE core.card SET status = 'closed' WHERE id = $1", other.id)
    await cafe.keep("R-2")
    assert content(await cafe.claim("R-2", card=other))["code"] == "card.inactive"


async def test_listed_until_they_are_forgotten(cafe: Counter, sql: Connection) -> None:
    world = cafe.bank.world
    for number in (1, 2, 3):
        await cafe.keep(f"R-{number}")
    await cafe.claim("R-2")
    await sql.execute("UPDATE core.receipt SET kept_until = $1 WHERE external_ref = 'R-3'", cafe.now)

    async def listed(**more: Any) -> list[tuple[str, str, str]]:
        async with cafe.bank.database.tenant(world.tenant.id) as session:
            found = await lists.list_receipts(session, world.context(), PageRequest(), **more)
        assert found.total == len(found.items)
        return [(one.external_ref, one.state, one.email) for one in found.items]

    mine = world.card.email
    assert await listed() == [("R-3", "over", ""), ("R-2", "claimed", mine), ("R-1", "open", "")]
    assert [await listed(show=show) for show in ("open", "claimed")] == [
        [("R-1", "open", "")],
        [("R-2", "claimed", mine)],
    ]
    assert (await listed(query="R-1"), await listed(query=mine)) == ([("R-1", "open", "")], [("R-2", "claimed", mine)])
    async with cafe.bank.database.platform("a test") as session:
        await session.execute(repository.FORGET)
    assert [one[0] for one in await listed()] == ["R-2", "R-1"]


async def test_what_cannot_be_kept(cafe: Counter) -> None:
    with pytest.raises(InvalidInput, match="no such shop"):
        await cafe.keep("R-1", shop=UUID(int=1))
    for days_ago in (10.1, -1):
        with pytest.raises(InvalidInput, match="last 10 days"):
            await cafe.keep("R-1", days_ago=days_ago)
    await cafe.set_days(0)
    with pytest.raises(Conflict, match="how many days"):
        await cafe.keep("R-1")
