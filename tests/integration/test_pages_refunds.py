"""Sales for the merchant: found, looked at, refunded whole or in part after saying what it comes to."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, actions_of, as_role, open_shop
from visitors import led_to, read

from regulars.contracts.ledger import Item, Purchase
from regulars.kernel import ids
from regulars.testing.till import Till
from regulars.testing.web import WebServer
from regulars.testing.world import World

Healthy = Callable[[], Awaitable[None]]
MakeTill = Callable[[World], Till]
BREAD = Item("b1", "Rye bread", "bakery", 3, 900)
BALANCE = "SELECT balance FROM core.account WHERE card_id = $1 AND unit = 'points'"


async def points_shop(make_world: MakeWorld, slug: str) -> World:
    """A tenant that gives ten points for each euro."""
    features = (*FEATURES, "points", "api_access")
    return await open_shop(make_world, slug, features=features, plugins=("stamps", "points"), kind="points")


@pytest.fixture
async def cafe(make_world: MakeWorld) -> World:
    return await points_shop(make_world, "cafe")


async def sale_of(make_till: MakeTill, sql: Connection, world: World, purchase: Purchase, ref: str = "") -> str:
    """Record a sale and say the address of its page."""
    await make_till(world).sale(unit="points", purchase=purchase, external_ref=ref or None)
    last = "SELECT id FROM core.sale WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1"
    return f"/manage/sales/{ids.show(ids.SALE, await sql.fetchval(last, world.tenant.id))}"


async def test_a_part_is_refunded_after_it_was_said_what_it_comes_to(
    web: WebServer, cafe: World, sql: Connection, make_till: MakeTill, healthy: Healthy
) -> None:
    url = await sale_of(make_till, sql, cafe, Purchase(1, 1250, "EUR", (BREAD,)))
    visitor = await as_role(web, sql, cafe, "manager")
    member = read(await visitor.get(f"/manage/members/{ids.show(ids.MEMBER, cafe.card.member_id)}"))
    assert url in member.links
    page = read(await visitor.get(url))
    for words in ("Mia Ledoux", "€12.50", "125 points", "Rye bread", "Refund all: €12.50", "At most €12.50."):
        assert words in page.text, page.text

    nothing = read(await visitor.submit(f"{url}/refund", {"part": "some", "reason": "stale"}), 422)
    assert "Say which part" in nothing.text
    assert nothing.fields["reason"] == "stale"
    much = read(await visitor.submit(f"{url}/refund", {"part": "some", "line.1": "4"}), 422)
    assert "Line 1 of this sale has fewer pieces left than that." in much.text
    for amount in ("1e3", "-5", "NaN", "0"):
        assert read(await visitor.submit(f"{url}/refund", {"part": "some", "amount": amount}), 422)

    asked = read(await visitor.submit(f"{url}/refund", {"part": "some", "line.1": "2", "reason": "stale"}))
    for words in ("Refund: 2 pieces", "−60 points", "Points: 125 65", "The money is not moved from here"):
        assert words in asked.text, words
    assert await sql.fetchval(BALANCE, cafe.card.id) == 125, "nothing is done before it is confirmed"
    sent = asked.fields | {"step": "confirmed"}
    for _twice in range(2):
        assert led_to(await visitor.submit(f"{url}/refund", sent)) == url
    after = read(await visitor.get(url))
    for words in ("Refunded. Taken back: 60 points.", "Refunded in part", "Refund all: €6.50", "stale"):
        assert words in after.text, words
    assert await sql.fetchval(BALANCE, cafe.card.id) == 65
    assert await actions_of(sql, cafe) == ["sale.record", "sale.refund"]

    whole = read(await visitor.submit(f"{url}/refund", {"part": "whole"}))
    assert "Refund the whole sale" in whole.text
    assert led_to(await visitor.submit(f"{url}/refund", whole.fields | {"step": "confirmed"})) == url
    done = read(await visitor.get(url))
    assert f"{url}/refund" not in done.actions
    again = read(await visitor.submit(f"{url}/refund", {"part": "whole"}), 422)
    assert "This sale was refunded already." in again.text
    assert await sql.fetchval(BALANCE, cafe.card.id) == 0
    await healthy()


async def test_lists_are_searched_filtered_and_exported(
    web: WebServer, cafe: World, make_world: MakeWorld, sql: Connection, make_till: MakeTill
) -> None:
    pizza = await points_shop(make_world, "pizza")
    foreign = await sale_of(make_till, sql, pizza, Purchase(1, 9900, "EUR"), "P-1")
    visitor = await as_role(web, sql, cafe, "manager")
    assert "No sales yet" in read(await visitor.get("/manage/sales")).text
    assert "No refunds yet" in read(await visitor.get("/manage/refunds")).text
    url = await sale_of(make_till, sql, cafe, Purchase(1, 1000, "EUR"), "R-7")
    await sale_of(make_till, sql, cafe, Purchase(1, 2000, "EUR"))
    key = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    early = {"sale_ref": "R-8", "external_ref": "RE-8", "amount_minor": 500, "reason": "cold"}
    waits = await key.post("/api/v1/store/loyalty/refunds", json=early, headers={"Idempotency-Key": "early"})
    assert waits.status_code == 202
    await visitor.submit(f"{url}/refund", {"part": "whole", "step": "confirmed", "key": "k1"})

    assert "1–2 of 2" in read(await visitor.get("/manage/sales")).text
    found = read(await visitor.get("/manage/sales?q=R-7&show=refunded"))
    assert "1–1 of 1" in found.text
    assert url in found.links
    assert "None found" in read(await visitor.get("/manage/sales?q=P-1")).text
    assert "1–2 of 2" in read(await visitor.get("/manage/sales?q=mia")).text
    assert (await visitor.get(foreign)).status_code == 404
    assert (await visitor.submit(f"{foreign}/refund", {"part": "whole"})).status_code == 404
    waiting = read(await visitor.get("/manage/refunds?show=waiting"))
    for words in ("R-8", "€5.00", "Waits for its sale", "cold", "1–1 of 1"):
        assert words in waiting.text, words
    assert "−100 points" in read(await visitor.get("/manage/refunds?q=R-7")).text

    rows = list(csv.reader(io.StringIO((await visitor.submit("/manage/sales/export", {"q": "R-7"})).text)))
    assert [row[4:6] + row[8:] for row in rows[1:]] == [["€10.00", "100 points", "R-7", "Refunded"]]
    rows = list(csv.reader(io.StringIO((await visitor.submit("/manage/refunds/export", {})).text)))
    assert sorted(row[4] for row in rows[1:]) == ["Waits for its sale", "−100 points"]
    assert (await actions_of(sql, cafe))[-2:] == ["sale.exported", "sale.refunds_exported"]


async def test_whoever_may_not_refund_sees_no_form(
    web: WebServer, cafe: World, sql: Connection, make_till: MakeTill
) -> None:
    url = await sale_of(make_till, sql, cafe, Purchase(1, 1000, "EUR"))
    visitor = await as_role(web, sql, cafe, "staff")
    assert (await visitor.get(url)).status_code == 403
    assert (await visitor.submit(f"{url}/refund", {"part": "whole"})).status_code == 403
