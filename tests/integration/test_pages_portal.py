"""The customer's pages: joining in half a minute, getting a card back, seeing nothing of anybody else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg import Connection
from visitors import Seen, led_to, member_at, read

from regulars.domain.cards.handover import make_ticket
from regulars.kernel import ids
from regulars.kernel.tokens import sign
from regulars.testing.clock import Clock
from regulars.testing.till import Till
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import World

LINK = re.compile(r"http://\S+/card/open/(\S+)")
JOIN = {"email": "Nina@Example.com", "name": "Nina Weiß", "phone": "", "terms": "1"}


async def join(visitor: Browser, **changes: str) -> dict[str, str]:
    """The form as it came, filled in."""
    page = read(await visitor.get("/join"))
    return {"key": page.fields["key"], **JOIN, **changes}


async def count(sql: Connection, table: str, world: World) -> int:
    found: int = await sql.fetchval(f"SELECT count(*) FROM core.{table} WHERE tenant_id = $1", world.tenant.id)
    return found


async def last_link(sql: Connection, world: World) -> str:
    """Token of the link in the last mail."""
    text = await sql.fetchval(
        "SELECT text_body FROM core.mail WHERE tenant_id = $1 AND template = 'mails/card_link' "
        "ORDER BY created_at DESC LIMIT 1",
        world.tenant.id,
    )
    found = LINK.search(text)
    assert found
    return found[1]


async def test_home_shows_the_brand_and_the_way_to_a_card(web: WebServer, cafe: World) -> None:
    page = read(await web.at(cafe.host).get("/"))
    assert "Cafe" in page.text
    assert "10 more stamps until your free coffee!" in page.text
    assert {"/join", "/signin", "/terms", "/privacy"} <= set(page.links)


async def test_join_shows_the_card_at_once(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = web.at(cafe.host)
    form = await join(visitor)
    assert led_to(await visitor.submit("/join", form)) == "/card"
    page = read(await visitor.get("/card"))
    row = await sql.fetchrow(
        "SELECT m.id, m.email, m.name, c.number FROM core.member m JOIN core.card c ON c.member_id = m.id "
        "WHERE m.tenant_id = $1 AND m.email = 'nina@example.com'",
        cafe.tenant.id,
    )
    assert row["name"] == "Nina Weiß"
    number = row["number"]
    assert f"{number[:4]}-{number[4:8]}-{number[8:]}" in page.text
    assert "Welcome! This is your card." in page.text
    assert "9 more stamps until your free coffee!" in page.text
    assert "A present for getting the card." in page.text
    consents = await sql.fetch("SELECT purpose, granted FROM core.consent WHERE member_id = $1", row["id"])
    assert {(one["purpose"], one["granted"]) for one in consents} == {("terms", True), ("marketing", False)}
    assert led_to(await visitor.get("/")) == "/card"
    assert led_to(await visitor.get("/join")) == "/card"


async def test_a_form_sent_twice_makes_one_card(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = web.at(cafe.host)
    form = await join(visitor)
    answers = await asyncio.gather(*(visitor.submit("/join", form) for _ in range(3)))
    again = await visitor.submit("/join", form)
    assert [led_to(answer) for answer in (*answers, again)] == ["/card"] * 4
    assert await count(sql, "card", cafe) == 2
    assert await count(sql, "member", cafe) == 2
    read(await visitor.get("/card"))


async def test_a_known_address_gets_a_mail_and_no_second_card(web: WebServer, cafe: World, sql: Connection) -> None:
    stranger = web.at(cafe.host)
    page = read(await stranger.submit("/join", await join(stranger, email=cafe.card.email.upper())))
    assert "Look into your mail" in page.text
    assert led_to(await stranger.get("/card")) == "/?next=%2Fcard"
    assert await count(sql, "card", cafe) == 1
    assert await sql.fetchval("SELECT recipient FROM core.mail WHERE template = 'mails/card_link'") == cafe.card.email


async def test_a_known_address_gives_no_card_of_another_program_to_strangers(
    web: WebServer, cafe: World, sql: Connection
) -> None:
    await sql.execute("UPDATE core.program SET status = 'inactive' WHERE tenant_id = $1", cafe.tenant.id)
    await sql.execute(
        "INSERT INTO core.program (tenant_id, id, name, kind, status, timezone, currency, require_pin) "
        "VALUES ($1, $2, 'New', 'stamps', 'active', 'Europe/Luxembourg', 'EUR', true)",
        cafe.tenant.id,
        UUID(int=7),
    )
    stranger = web.at(cafe.host)
    page = read(await stranger.submit("/join", await join(stranger, email=cafe.card.email)))
    assert "Look into your mail" in page.text
    assert await count(sql, "card", cafe) == 1
    assert await count(sql, "session", cafe) == 0


async def test_a_link_signs_in_only_when_the_button_is_pressed(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = web.at(cafe.host)
    read(await visitor.submit("/signin", {"email": f" {cafe.card.email} "}))
    token = await last_link(sql, cafe)
    page = read(await visitor.get(f"/card/open/{token}"))
    assert page.actions == [f"/card/open/{token}"]
    assert await count(sql, "session", cafe) == 0
    assert led_to(await visitor.submit(f"/card/open/{token}", {})) == "/card"
    assert "Mia Ledoux" in read(await visitor.get("/card")).text


async def test_a_ticket_of_the_till_opens_the_card(web: WebServer, cafe: World) -> None:
    visitor = web.at(cafe.host)
    ticket = make_ticket(cafe.config.secret_key, cafe.tenant.id, cafe.card.id)
    read(await visitor.get(f"/card/open/{ticket}"))
    assert led_to(await visitor.submit(f"/card/open/{ticket}", {})) == "/card"
    assert "Mia Ledoux" in read(await visitor.get("/card")).text


async def test_links_of_others_and_damaged_ones_open_nothing(web: WebServer, cafe: World, pizza: World) -> None:
    secret, visitor = cafe.config.secret_key, web.at(cafe.host)
    foreign = {"tenant_id": pizza.tenant.id, "subject": str(pizza.card.id), "lifetime": timedelta(days=1)}
    own = {**foreign, "tenant_id": cafe.tenant.id}
    worthless = [
        sign(secret, purpose="card_link", **foreign),  # type: ignore[arg-type]
        sign(secret, purpose="card_link", **own),  # type: ignore[arg-type]
        sign(secret, purpose="another", **{**own, "subject": str(cafe.card.id)}),  # type: ignore[arg-type]
        sign(secret, purpose="card_link", **{**own, "subject": "no-id"}),  # type: ignore[arg-type]
        sign(secret, purpose="card_link", **{**own, "subject": str(cafe.card.id), "lifetime": timedelta(-1)}),  # type: ignore[arg-type]
        make_ticket(secret, pizza.tenant.id, pizza.card.id),
        make_ticket(secret, cafe.tenant.id, pizza.card.id),
        "x",
        "é" * 48,
        "A" * 48,
    ]
    for token in worthless:
        assert "This link does not work any more" in read(await visitor.get(f"/card/open/{token}"), 404).text
        assert "This link does not work any more" in read(await visitor.submit(f"/card/open/{token}", {}), 404).text


async def test_sign_in_says_the_same_of_every_address(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = web.at(cafe.host)
    known = read(await visitor.submit("/signin", {"email": cafe.card.email}))
    unknown = read(await visitor.submit("/signin", {"email": "who@cafe.example"}))
    assert known.text.replace(cafe.card.email, "X") == unknown.text.replace("who@cafe.example", "X")
    assert await count(sql, "mail", cafe) == 1


async def test_one_address_gets_few_mails(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = web.at(cafe.host)
    for _ in range(7):
        read(await visitor.submit("/signin", {"email": cafe.card.email}))
    assert await count(sql, "mail", cafe) == 5


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"email": ""}, ["We need your e-mail address to find your card again."]),
        ({"email": "nina@"}, ["Please enter an e-mail address such as name@example.com."]),
        ({"terms": ""}, ["Please accept the terms to get a card."]),
        ({"email": "", "terms": ""}, ["We need your e-mail address", "Please accept the terms to get a card."]),
        ({"phone": "12"}, ["Please enter a phone number"]),
        ({"name": "x" * 150}, ["A name has at most 100 characters."]),
        ({"email": "a" * 400 + "@example.com"}, ["At most 320 characters are possible."]),
        ({"name": "Nina\0"}, ["This text has characters that cannot be stored."]),
    ],
)
async def test_what_is_wrong_stands_at_the_field_and_nothing_is_lost(
    web: WebServer, cafe: World, sql: Connection, changes: dict[str, str], sentences: list[str]
) -> None:
    visitor = web.at(cafe.host)
    form = {**await join(visitor), "marketing": "1", **changes}
    page = read(await visitor.submit("/join", form), 422)
    for sentence in sentences:
        assert sentence in page.text
    kept = {name: form[name].replace("\0", "") for name in ("email", "name", "phone", "key")}
    assert {name: page.fields[name].replace("\ufffd", "").replace("\0", "") for name in kept} == kept
    assert page.fields["marketing"] == "1"
    assert await count(sql, "member", cafe) == 1


async def test_too_many_tries_keep_the_form(web: WebServer, cafe: World) -> None:
    visitor = web.at(cafe.host)
    form = await join(visitor, email="not an address")
    for _ in range(30):
        read(await visitor.submit("/join", form), 422)
    page = read(await visitor.submit("/join", form), 429)
    assert "Too many tries from here." in page.text
    assert page.fields["email"] == "not an address"


async def test_no_program_to_join(web: WebServer, cafe: World, sql: Connection) -> None:
    await sql.execute("UPDATE core.program SET status = 'inactive' WHERE tenant_id = $1", cafe.tenant.id)
    visitor = web.at(cafe.host)
    assert "/join" not in read(await visitor.get("/")).links
    assert "The loyalty card starts soon" in read(await visitor.get("/join")).text
    page = read(await visitor.submit("/join", JOIN), 422)
    assert "The loyalty card starts soon" in page.text


async def test_card_history_and_reasons(
    web: WebServer, cafe: World, sql: Connection, make_till: Callable[[World], Till], clock: Clock
) -> None:
    till = make_till(cafe)
    await till.sale(3)
    await clock.advance(minutes=15)
    await till.sale()
    await till.undo()
    visitor = await member_at(web, sql, cafe)
    page = read(await visitor.get("/card/history"))
    assert re.findall(r"[+−]\d+ stamps?", page.text) == ["−1 stamp", "+1 stamp", "+3 stamps"]
    assert "taken back" in page.text
    assert "One stamp for each of 3 items or visits." in page.text
    assert "Taken back by whoever recorded it." in page.text
    assert "rule “visit”" in page.text
    assert "Main street" in page.text
    assert cafe.anna.name not in page.text
    assert "1–3 of 3" in page.text
    assert read(await visitor.get("/card/history?page=999")).text.count("Why?") == 0


async def test_the_open_card_follows_the_till(
    web: WebServer, cafe: World, sql: Connection, make_till: Callable[[World], Till]
) -> None:
    visitor = await member_at(web, sql, cafe)
    page = await visitor.get("/card")
    found = re.search(r'hx-get="([^"]+)"', page.text)
    assert found
    live = found[1].replace("&amp;", "&")
    assert (await visitor.get(live)).status_code == 204
    assert (await visitor.get("/card/live")).status_code == 404
    await make_till(cafe).sale(2)
    changed = await visitor.get(live)
    assert changed.status_code == 200
    assert changed.text.count("is-filled is-new") == 2
    assert "8 more stamps until your free coffee!" in changed.text


async def test_members_see_their_own_card_only(web: WebServer, cafe: World, pizza: World, sql: Connection) -> None:
    other = await cafe.add_card("otto@cafe.example", name="Otto")
    visitor = await member_at(web, sql, cafe)
    for card_id in (other.id, pizza.card.id, UUID(int=1)):
        name = ids.show(ids.CARD, card_id)
        for path in ("/card", "/card/live", "/card/history"):
            assert (await visitor.get(f"{path}?card={name}")).status_code == 404
    assert (await visitor.get("/card?card=nonsense")).status_code == 404
    assert (await visitor.get(f"/card?card={ids.show(ids.CARD, cafe.card.id)}")).status_code == 200
    visitor.client.headers["Host"] = pizza.host
    assert led_to(await visitor.get("/card")) == "/?next=%2Fcard"


async def test_sign_out_ends_the_session(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await member_at(web, sql, cafe)
    assert "mia@cafe.example" in read(await visitor.get("/account")).text
    assert led_to(await visitor.submit("/signout", {})) == "/"
    assert await count(sql, "session", cafe) == 0
    assert led_to(await visitor.get("/account")) == "/?next=%2Faccount"


async def test_news_are_agreed_to_and_ended_with_one_tap(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await member_at(web, sql, cafe)
    assert "Switched off." in read(await visitor.get("/account")).text
    for wanted in ("1", "1", "", ""):
        assert led_to(await visitor.submit("/account/news", {"wanted": wanted})) == "/account"
    rows = await sql.fetch("SELECT granted FROM core.consent WHERE purpose = 'marketing' ORDER BY created_at, id")
    assert [row["granted"] for row in rows] == [True, False]
    assert "You get no news any more." in read(await visitor.get("/account")).text
    assert led_to(await web.at(cafe.host).submit("/account/news", {"wanted": "1"})) == "/"


async def test_without_plugins_the_card_is_still_a_card(
    web: WebServer, make_world: Callable[..., Awaitable[World]], sql: Connection
) -> None:
    plain = await make_world("plain", offering="plain", features=("antifraud", "cards", "enrolment"))
    visitor = await member_at(web, sql, plain)
    page = read(await visitor.get("/card"))
    assert "Mia Ledoux" in page.text
    assert "stamp" not in page.text
    stranger = web.at(plain.host)
    assert led_to(await stranger.submit("/join", await join(stranger))) == "/card"


async def test_a_blocked_card_says_so(web: WebServer, cafe: World, sql: Connection) -> None:
    await sql.execute("UPDATE core.card SET status = 'blocked' WHERE tenant_id = $1", cafe.tenant.id)
    visitor = await member_at(web, sql, cafe)
    assert "This card is not active. Please ask the team." in read(await visitor.get("/card")).text


async def test_the_code_opens_nothing(web: WebServer, cafe: World) -> None:
    visitor = web.at(cafe.host)
    known, unknown = await visitor.get(f"/c/{cafe.card.token}"), await visitor.get("/c/AAAAAAAAAAAAAAAAAAAAAA")
    page = read(known)
    assert "Mia" not in page.text
    assert page.text == read(unknown).text


@pytest.mark.parametrize("path", ["/terms", "/privacy"])
async def test_legal_texts_name_the_merchant(web: WebServer, cafe: World, path: str) -> None:
    page: Seen = read(await web.at(cafe.host).get(path))
    assert "Cafe" in page.text
    assert "Main street" in page.text
