"""Receipts on the pages and over the API: a shop's system keeps them, members and the team claim them."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable

from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, as_role, open_shop
from visitors import led_to, member_at, read

from regulars.kernel import ids
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

Healthy = Callable[[], Awaitable[None]]
API = "/api/v1/store/loyalty"


async def keep(till: Browser, number: str, amount: str) -> None:
    """What the shop's system sends about a purchase without a card."""
    answer = await till.post(f"{API}/receipts", json={"external_ref": number, "amount": amount})
    assert answer.status_code == 201, answer.text


async def test_from_the_shops_system_to_the_card(
    web: WebServer, make_world: MakeWorld, sql: Connection, healthy: Healthy
) -> None:
    cafe: World = await open_shop(make_world, "cafe", features=(*FEATURES, "api_access"))
    member, owner = await member_at(web, sql, cafe), await as_role(web, sql, cafe, "owner")
    till = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    assert (await member.get("/receipts")).status_code == 404, "nothing counts yet"
    assert "/manage/receipts/days" in read(await owner.get("/manage/receipts")).links
    program = {"program": ids.show(ids.PROGRAM, cafe.program_id)}
    again = read(await owner.submit("/manage/receipts/days", {**program, "days": "91"}), 422)
    assert again.fields["days"] == "91"
    await owner.submit("/manage/receipts/days", {**program, "days": "14"})
    for number, amount in (("A-1", "12,50"), ("A-2", "8.00"), ("A-3", "5.00")):
        await keep(till, number, amount)

    page = read(await member.get("/card/history"))
    page = read(await member.get(next(link for link in page.links if link.startswith("/receipts"))))
    assert "up to 14 days later" in page.text
    sent = {name: page.fields[name] for name in ("card", "key")}
    bad = read(await member.submit("/receipts", {**sent, "number": "A-1", "amount": "much"}), 422)
    assert (bad.fields["number"], bad.fields["amount"]) == ("A-1", "much")
    led = led_to(await member.submit("/receipts", {**sent, "number": "A-1", "amount": "12.51"}))
    wrong = read(await member.get(led))
    assert (wrong.fields["number"], "Check both, or ask the team." in wrong.text) == ("A-1", True)
    right = {**sent, "key": wrong.fields["key"], "number": " A-1 ", "amount": "12,50"}
    card = read(await member.get(led_to(await member.submit("/receipts", right))))
    assert "Added: 1 stamp." in card.text
    assert "Added later, for a receipt." in read(await member.get("/card/history")).text

    someone = read(await owner.get(f"/manage/members/{ids.show(ids.MEMBER, cafe.card.member_id)}"))
    form = next(link for link in someone.links if link.startswith("/manage/receipts/claim"))
    page = read(await owner.get(form))
    claim = {"key": page.fields["key"], "card": page.fields["card"], "number": "A-2", "amount": "9"}
    wrong = read(await owner.submit("/manage/receipts/claim", claim))
    assert (wrong.fields["number"], "Check both" in wrong.text) == ("A-2", True)
    nobody = read(await owner.submit("/manage/receipts/claim", {**claim, "card": "nobody", "amount": "8"}), 422)
    assert "No card fits this." in nobody.text
    await owner.submit("/manage/receipts/claim", {**claim, "key": wrong.fields["key"], "amount": "8"})

    listed = read(await owner.get("/manage/receipts?show=open"))
    assert ("A-3" in listed.text, "A-1" in listed.text) == (True, False)
    file = await owner.submit("/manage/receipts/export", {"q": "", "show": "claimed"})
    rows = list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [(row[1], row[4], row[7]) for row in rows[1:]] == [
        ("A-2", "Claimed", cafe.card.email),
        ("A-1", "Claimed", cafe.card.email),
    ]
    answer = (await till.get(f"{API}/receipts?show=claimed")).json()
    assert [(one["external_ref"], one["member"]) for one in answer["items"]] == [
        (number, ids.show(ids.MEMBER, cafe.card.member_id)) for number in ("A-2", "A-1")
    ]
    claim = {"card": cafe.card.number, "number": "A-3", "amount_minor": 500}
    done = await till.post(f"{API}/receipts/claim", json=claim, headers={"Idempotency-Key": "a"})
    assert (done.status_code, done.json()["earned"]) == (200, {"stamps": 1})
    off = await till.send("PUT", f"{API}/receipts/days", json={**program, "claim_days": 0})
    assert off.status_code == 204
    past = {**cafe.till_body(), "occurred_at": "2020-01-01T10:00:00+01:00"}
    late = await till.post(f"{API}/stamp", json=past, headers={"Idempotency-Key": "b"})
    assert (late.status_code, late.json()["code"]) == (422, "sale.too_old")
    assert (await (await as_role(web, sql, cafe, "staff")).get("/manage/receipts")).status_code == 403
    await healthy()
