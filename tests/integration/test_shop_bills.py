"""One bill, several shops: one visit, each sale its own shop's, all of them or each by itself, and back again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection

from regulars.contracts.errors import Forbidden, InvalidInput, NotFound
from regulars.contracts.ledger import Purchase
from regulars.domain.bills.service import Bills
from regulars.domain.bills.shops import ShopBillCommand, ShopBills, ShopPart
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.testing.till import Till, content
from regulars.testing.web import WebServer
from regulars.testing.wire import counting
from regulars.testing.world import World

Healthy = Callable[[], Awaitable[None]]
MakeTill = Callable[[World], Till]
_keys = count(1)
SHOP = "INSERT INTO core.shop (tenant_id, id, name) VALUES ($1, gen_random_uuid(), $2) RETURNING id"
SALES = "SELECT shop_id, amount_minor::int, bill_id, external_ref FROM core.sale WHERE tenant_id = $1 ORDER BY id"
ENTRIES = "SELECT shop_id, amount::int FROM core.ledger_entry WHERE tenant_id = $1 AND kind = $2 ORDER BY seq"
AUDITED = "SELECT outcome FROM core.audit_log WHERE tenant_id = $1 AND action = 'sale.record' ORDER BY created_at, id"


class Court:
    """A food court: one merchant's three shops."""

    def __init__(self, world: World, database: Database, ledger: Ledger, shops: list[UUID]) -> None:
        self.world, self.database, self.ledger, self.shops = world, database, ledger, shops

    def parts(self, *refs: str | None, quantity: int = 1) -> list[ShopPart]:
        """A part at each shop, of 1.00, 2.00 and so on."""
        return [
            ShopPart(shop, Purchase(quantity, 100 * place, "EUR"), ref)
            for place, (shop, ref) in enumerate(zip(self.shops, refs, strict=False), 1)
        ]

    async def buy(self, *parts: ShopPart, key: str = "", by_itself: bool = False, **more: Any) -> Answer:
        """Record them."""
        claim = Claim("api_key:test", key or f"s{next(_keys)}", f"{parts}".encode())
        anna, card = self.world.anna, more.pop("card", self.world.card)
        attempt = Attempt(claim, CardRef("number", card.number), anna.id, more.pop("pin", anna.pin))
        ctx = self.world.context()
        ctx = replace(ctx, principal=replace(ctx.principal, shop_id=more.pop("bound", None)))
        async with self.database.tenant(self.world.tenant.id) as session:
            return await ShopBills(self.ledger).record(session, ctx, ShopBillCommand(attempt, parts, not by_itself))


@pytest.fixture
async def court(cafe: World, database: Database, ledger: Ledger, sql: Connection) -> Court:
    """With a cooldown of a quarter of an hour and five stamps a day."""
    await cafe.set_settings("stamps", milestones=[], welcome_stamps=0)
    others = [await sql.fetchval(SHOP, cafe.tenant.id, name) for name in ("Sushi", "Ice cream")]
    return Court(cafe, database, ledger, [cafe.shop_id, *others])


async def test_each_shop_has_its_sale_and_the_visit_one_cooldown(
    court: Court, make_till: MakeTill, sql: Connection, healthy: Healthy
) -> None:
    parts = court.parts("a", "b", None)
    first, again = await court.buy(*parts, key="k"), await court.buy(*parts, key="k")
    assert (first.status, first.body, again.replayed) == (200, again.body, True)
    told = content(first)
    assert [(one["shop"], one["earned"], one["refusal"]) for one in told["parts"]] == [
        (ids.show(ids.SHOP, shop), {"stamps": 1}, None) for shop in court.shops
    ]
    assert told["balances"] == {"stamps": 3}
    tenant, bill_id = court.world.tenant.id, ids.read(ids.SALE, told["bill"])
    rows = [tuple(row) for row in await sql.fetch(SALES, tenant)]
    assert rows == [
        (shop, amount, bill_id, ref)
        for shop, amount, ref in zip(court.shops, (100, 200, 300), ("a", "b", None), strict=True)
    ]
    assert [tuple(row) for row in await sql.fetch(ENTRIES, tenant, "earn")] == [(shop, 1) for shop in court.shops]
    assert [row["outcome"] for row in await sql.fetch(AUDITED, tenant)] == ["done"] * 3
    assert content(await make_till(court.world).sale())["code"] == "antifraud.cooldown"
    assert content(await court.buy(*court.parts("c")))["code"] == "antifraud.cooldown"
    async with court.database.tenant(tenant) as session:
        claim = Claim("api_key:test", "back", b"")
        back = await Bills(court.ledger).refund(session, court.world.context(), claim, bill_id, "cold")
    assert [one["taken"] for one in content(back)["refunds"]] == [{"stamps": 1}] * 3
    assert {tuple(row) for row in await sql.fetch(ENTRIES, tenant, "reverse")} == {(shop, -1) for shop in court.shops}
    await healthy()


async def test_all_or_nothing(court: Court, sql: Connection, healthy: Healthy) -> None:
    refused = await court.buy(*court.parts("a", "b", "c", quantity=2))
    told = content(refused)
    assert (refused.status, told["code"], told["part"]) == (409, "antifraud.daily_limit", 3)
    twice = content(await court.buy(*court.parts("a", "a")))
    assert (twice["code"], twice["part"]) == ("sale.already_counted", 2)
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 0
    assert await sql.fetchval("SELECT sum(balance) FROM core.account") is None
    assert [row["outcome"] for row in await sql.fetch(AUDITED, court.world.tenant.id)] == ["refused", "refused"]
    assert (await court.buy(*court.parts("a", "b", quantity=2))).status == 200
    await healthy()


async def test_each_by_itself(court: Court, sql: Connection, healthy: Healthy) -> None:
    dollars = replace(court.parts("b")[0], shop_id=court.shops[1], purchase=Purchase(1, 200, "USD"))
    first, _second, third = court.parts("a", "b", "c", quantity=3)
    small = replace(third, purchase=Purchase(2, 300, "EUR"))
    answer = content(await court.buy(first, dollars, small, by_itself=True))
    assert [one["refusal"] and (one["refusal"]["code"], one["refusal"]["part"]) for one in answer["parts"]] == [
        None,
        ("sale.currency", 2),
        None,
    ]
    assert answer["balances"] == {"stamps": 5}
    assert [row["external_ref"] for row in await sql.fetch(SALES, court.world.tenant.id)] == ["a", "c"]
    assert [row["outcome"] for row in await sql.fetch(AUDITED, court.world.tenant.id)] == ["done", "refused", "done"]
    nothing = await court.buy(dollars, first, key="n", by_itself=True)
    assert (nothing.status, content(nothing)["code"], content(nothing)["part"]) == (422, "sale.currency", 1)
    assert (await court.buy(dollars, first, key="n", by_itself=True)).body == nothing.body
    await healthy()


async def test_a_wrong_pin_counts_once_and_refuses_all(court: Court, sql: Connection) -> None:
    wrong = await court.buy(*court.parts("a", "b", "c"), by_itself=True, pin="0000")
    assert content(wrong)["code"] == "pin.wrong"
    failures = "SELECT pin_failures FROM core.staff WHERE id = $1"
    assert await sql.fetchval(failures, court.world.anna.id) == 1
    assert content(await court.buy(*court.parts("a", "b", "c", quantity=2)))["code"] == "antifraud.daily_limit"
    assert await sql.fetchval(failures, court.world.anna.id) == 0, "the PIN was right"
    await sql.execute("UPDATE core.card SET status = 'blocked' WHERE id = $1", court.world.card.id)
    blocked = content(await court.buy(*court.parts("a", "b"), by_itself=True))
    assert (blocked["code"], "part" in blocked) == ("card.inactive", False)


async def test_shops_of_ones_own(court: Court, pizza: World, sql: Connection) -> None:
    one, two, _three = court.parts("a", "b", "c")
    with pytest.raises(Forbidden, match="another"):
        await court.buy(one, two, bound=one.shop_id)
    with pytest.raises(InvalidInput) as twice:
        await court.buy(one, one)
    with pytest.raises(InvalidInput) as foreign:
        await court.buy(one, replace(two, shop_id=pizza.shop_id))
    assert (list(twice.value.fields), list(foreign.value.fields)) == (["parts.1.shop"], ["parts.1.shop"])
    with pytest.raises(NotFound):
        await court.buy(one, card=pizza.card)
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 0
    assert (await court.buy(two, bound=two.shop_id)).status == 200


async def test_a_refund_that_came_first_waits_for_its_part(court: Court, sql: Connection, healthy: Healthy) -> None:
    early = RefundCommand(Claim("api_key:test", "early", b""), sale_ref="b", external_ref="back")
    async with court.database.tenant(court.world.tenant.id) as session:
        await Refunds(court.ledger).refund(session, court.world.context(), early)
    told = content(await court.buy(*court.parts("a", "b", "c")))
    assert [one["earned"] for one in told["parts"]] == [{"stamps": 1}] * 3
    assert await sql.fetchval("SELECT balance FROM core.account") == 2
    reversed_at = await sql.fetch(ENTRIES, court.world.tenant.id, "reverse")
    assert [tuple(row) for row in reversed_at] == [(court.shops[1], -1)]
    await healthy()


async def test_each_further_part_is_three_statements(court: Court, config: Config) -> None:
    async with counting(config.database_url_app) as wire:
        database = Database(config.model_copy(update={"database_url_app": wire.url, "pool_size": 1}))
        counted = Court(court.world, database, court.ledger, court.shops)
        await court.world.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
        await counted.buy(*counted.parts("a"))
        trips = []
        for refs in (("b",), ("c", "d"), ("e", "f", "g")):
            wire.reset()
            assert (await counted.buy(*counted.parts(*refs))).status == 200
            trips.append(wire.round_trips)
        await database.close()
    assert trips == [9, 12, 15]


async def test_over_http(web: WebServer, court: Court) -> None:
    world = court.world
    till = web.at(world.host, authorization=f"Bearer {world.api_key}")
    shops = [ids.show(ids.SHOP, shop) for shop in court.shops]
    path, body = "/api/v1/store/loyalty/sales/several", world.till_body()

    async def send(*parts: dict[str, Any]) -> Any:
        headers = {"Idempotency-Key": f"http-{next(_keys)}"}
        return await till.post(path, json={**body, "parts": list(parts)}, headers=headers)

    wrong = await send({"shop": shops[0], "amount": "1,00"}, {"shop": shops[1], "amount": "-1"}, {"shop": "x"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["parts.1.amount", "parts.2.shop"])
    done = await send({"shop": shops[0], "amount": "1,00"}, {"shop": shops[2], "amount_minor": 250, "quantity": 2})
    assert (done.status_code, [one["earned"] for one in done.json()["parts"]]) == (
        200,
        [{"stamps": 1}, {"stamps": 2}],
    )
