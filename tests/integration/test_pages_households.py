"""Households on the pages: members ask, join and leave; the merchant sees them, puts one in and takes one out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, as_role, open_shop
from visitors import led_to, member_at, read, staff_at

from regulars.kernel import ids
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import TestCard, World

Healthy = Callable[[], Awaitable[None]]
CODE = re.compile(r"/household/join\?code=(\w+)")
API = "/api/v1/store/loyalty"


@pytest.fixture
async def cafe(make_world: MakeWorld) -> World:
    """A tenant with households and three members."""
    features = (*FEATURES, "rewards", "households", "api_access")
    world = await open_shop(make_world, "cafe", features=features)
    await world.allow_households(3)
    for name in ("Ben", "Cleo"):
        await world.add_card(f"{name.lower()}@cafe.example", name=name)
    return world


def card_of(card: TestCard) -> str:
    """The card's public id."""
    return ids.show(ids.CARD, card.id)


async def code_of(visitor: Browser) -> str:
    """Ask somebody in, and read the code."""
    page = read(await visitor.get("/household"))
    assert "/household/invite" in page.actions
    led = led_to(await visitor.submit("/household/invite", {"card": page.fields["card"]}))
    found = CODE.search(read(await visitor.get(led)).text)
    assert found
    return found[1]


async def test_members_ask_join_and_leave(
    web: WebServer, cafe: World, make_till: Callable[[World], Till], sql: Connection, clock: Clock, healthy: Healthy
) -> None:
    till = make_till(cafe)
    mia, ben, cleo = cafe.cards
    visitors = [await member_at(web, sql, cafe, card) for card in (mia, ben, cleo)]
    await cafe.set_settings("stamps", target=5)
    assert "/household" in read(await visitors[0].get("/account")).links
    await till.sale(3, card=mia)
    await till.sale(4, card=ben)
    code = await code_of(visitors[0])
    wrong = read(await visitors[1].get("/household/join?code=WRONG")).text
    assert "Ask for a new one." in wrong
    asked = read(await visitors[1].get(f"/household/join?code={code}"))
    assert "Join the household of Mia Ledoux?" in asked.text
    assert "can be spent by all of you: 4 stamps." in asked.text
    sent = {"card": card_of(ben), "code": code}
    home = led_to(await visitors[1].submit("/household/join", sent))
    assert "Ask for a new one." in read(await visitors[2].submit("/household/join", {"code": code}), 422).text
    together = read(await visitors[1].get(home))
    for words in ("Household of Mia Ledoux, 2 members", "7 stamps", "Ben (you)", "4 stamps", "3 stamps"):
        assert words in together.text, words
    assert "Invite somebody" not in together.text
    assert "Together with the household of Mia Ledoux" in read(await visitors[1].get("/card")).text
    staff = await staff_at(web, sql, cafe, cafe.staff[0], cafe.shop_id)
    assert "Household of Mia Ledoux, 2 members" in read(await staff.get(f"/terminal/cards/{card_of(ben)}")).text
    assert (await till.redeem(card=ben)).status == 200
    history = read(await visitors[0].get("/card/history")).text
    assert "Spent by your household." in history
    leave = next(link for link in read(await visitors[0].get("/household")).links if f"who={card_of(ben)}" in link)
    assert "Ben keeps what is on their own card now: nothing." in read(await visitors[0].get(leave)).text
    other = {"card": card_of(ben), "who": card_of(mia)}
    assert (await visitors[1].submit("/household/leave", other)).status_code == 403
    assert led_to(await visitors[0].submit("/household/leave", {"who": card_of(ben)})).startswith("/household")
    assert "Were you invited?" in read(await visitors[1].get("/household")).text
    assert "2 / 5 stamps" in read(await visitors[0].get("/card")).text
    await healthy()


async def test_the_merchant_sees_puts_in_and_takes_out(
    web: WebServer, cafe: World, make_world: MakeWorld, sql: Connection, healthy: Healthy
) -> None:
    mia, ben, _cleo = cafe.cards
    visitor = await as_role(web, sql, cafe, "manager")
    start = f"/manage/members/{ids.show(ids.MEMBER, mia.member_id)}/cards/{card_of(mia)}/household"
    assert start in read(await visitor.get(start.partition("/cards")[0])).links
    assert "No households yet" in read(await visitor.get("/manage/households")).text
    for typed, said in (("nobody", "No card fits this."), (mia.number, "Choose two different cards.")):
        assert said in read(await visitor.submit(start, {"card": typed}), 422).text
    home = led_to(await visitor.submit(start, {"card": ben.number}))
    assert led_to(await visitor.get(start)) == home
    assert led_to(await visitor.submit(home, {"card": "cleo@"})) == home
    page = read(await visitor.get(home))
    assert ("Put somebody in" in page.text, page.text.count("Take out")) == (False, 3)
    listed = read(await visitor.get("/manage/households?q=cleo"))
    assert home in listed.links
    exported = (await visitor.submit("/manage/households/export", {"q": "cleo"})).text.splitlines()
    assert [line.split(";")[1:7] if ";" in line else line.split(",")[1:6] for line in exported[1:]] != []
    out = f"{home}/out/{card_of(mia)}"
    assert "Mia Ledoux keeps what is on their own card now: nothing." in read(await visitor.get(out)).text
    assert led_to(await visitor.submit(out, {})) == home
    assert "Household of Ben" in read(await visitor.get(home)).text
    owner, program = await as_role(web, sql, cafe), ids.show(ids.PROGRAM, cafe.program_id)
    sizes = "/manage/households/size"
    assert "from 2 to 20" in read(await owner.submit(sizes, {"program": program, "size": "1"}), 422).text
    assert led_to(await owner.submit(sizes, {"program": program, "size": ""})) == sizes
    member = await member_at(web, sql, cafe, ben)
    assert (await member.get("/household")).status_code == 404
    assert "/household" not in read(await member.get("/account")).links
    pizza = await open_shop(make_world, "pizza")
    assert (await (await as_role(web, sql, pizza)).get("/manage/households")).status_code == 404
    await healthy()


async def test_the_api(web: WebServer, cafe: World, till: Callable[[World], Browser], healthy: Healthy) -> None:
    mia, ben, cleo = cafe.cards
    shop = till(cafe)
    sent = {"card": mia.number, "joins": card_of(ben)}
    first, again = [await shop.send("POST", f"{API}/households", json=sent) for _twice in range(2)]
    assert (first.status_code, again.json()) == (200, first.json())
    found = first.json()
    assert (found["head"], [one["card"] for one in found["cards"]]) == (card_of(mia), [card_of(mia), card_of(ben)])
    listed = (await shop.get(f"{API}/households?q=ben")).json()
    assert [(one["id"], one["size"]) for one in listed["items"]] == [(found["id"], 2)]
    url = f"{API}/households/{found['id']}"
    assert (await shop.send("POST", f"{url}/leave", json={"card": ben.number})).status_code == 204
    assert (await shop.send("POST", f"{url}/leave", json={"card": ben.number})).status_code == 404
    size = {"program": ids.show(ids.PROGRAM, cafe.program_id), "household_size": 2}
    assert (await shop.send("PUT", f"{API}/households/size", json=size)).status_code == 204
    await shop.send("POST", f"{API}/households", json=sent)
    full = await shop.send("POST", f"{API}/households", json={"card": mia.number, "joins": cleo.number})
    assert (full.status_code, full.json()["detail"]) == (409, "There is no room for more in this household.")
    assert len((await shop.get(url)).json()["cards"]) == 2
    await healthy()
