"""“Why these points?”: the steps of a movement, for customer, staff and merchant, and in the API."""

from __future__ import annotations

from asyncpg import Connection
from pages_under_test import FEATURES, MakeWorld, as_role, open_shop, person
from visitors import member_at, read, staff_at

from regulars.kernel import ids
from regulars.testing.web import WebServer

STEPS = "“<b>Friends” is for other customers. “Lucky number” gives more. +1"


async def test_every_page_and_the_api_say_the_steps(web: WebServer, make_world: MakeWorld, sql: Connection) -> None:
    cafe = await open_shop(
        make_world, "cafe", features=(*FEATURES, "probe", "api_access"), settings={"antifraud": {"max_daily_stamps": 9}}
    )
    card = f"/terminal/cards/{ids.show(ids.CARD, cafe.card.id)}"
    staff = await staff_at(web, sql, cafe)
    sheet = read(await staff.get(f"{card}/add?unit=stamps&quantity=7")).fields
    sent = {**sheet, "staff": ids.show(ids.STAFF, person(cafe, "staff").id), "pin": person(cafe, "staff").pin}
    done = read(await staff.submit(f"{card}/add", sent))
    assert "8 stamps added!" in done.text
    history = read(await (await member_at(web, sql, cafe)).get("/card/history"))
    member = f"/manage/members/{ids.show(ids.MEMBER, cafe.card.member_id)}"
    merchant = read(await (await as_role(web, sql, cafe, "manager")).get(member))
    for page in (done, read(await staff.get(card)), history, merchant):
        assert STEPS in page.text
    answer = await web.at(cafe.host, authorization=f"Bearer {cafe.card.token}").get(
        "/api/v1/storefront/loyalty/transactions"
    )
    assert answer.json()["items"][0]["why_steps"] == [
        {"kind": "missed", "message": "“<b>Friends” is for other customers.", "change": 0},
        {"kind": "added", "message": "“Lucky number” gives more.", "change": 1},
    ]
