"""The till's pages: finding a card, stamps with a PIN, refusals with their reason, rewards, undo, enrolment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection
from visitors import Seen, led_to, member_at, read, staff_at

from regulars.contracts.paging import PageRequest
from regulars.domain.cards.numbers import format_number
from regulars.domain.cards.view import CardViews
from regulars.domain.ledger.engine import Ledger
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.testing.clock import Clock
from regulars.testing.counting import counted
from regulars.testing.till import Till
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import Person, TestCard, World

Healthy = Callable[[], Awaitable[None]]


def at(card: TestCard, act: str = "") -> str:
    """Address of a customer's view, or of an act below it."""
    return f"/terminal/cards/{ids.show(ids.CARD, card.id)}{act}"


def as_person(person: Person, pin: str = "") -> dict[str, str]:
    return {"staff": ids.show(ids.STAFF, person.id), "pin": pin or person.pin}


async def sheet(visitor: Browser, card: TestCard, act: str) -> dict[str, str]:
    """The PIN sheet's fields, as they came."""
    page = read(await visitor.get(at(card, act)))
    return {name: value for name, value in page.fields.items() if name not in {"staff", "pin"}}


async def add(visitor: Browser, card: TestCard, person: Person, quantity: int = 1) -> Seen:
    form = await sheet(visitor, card, f"/add?unit=stamps&quantity={quantity}")
    return read(await visitor.submit(at(card, "/add"), {**form, **as_person(person)}))


async def entries(sql: Connection, world: World) -> list[tuple[str, int]]:
    rows = await sql.fetch(
        "SELECT kind, amount FROM core.ledger_entry WHERE tenant_id = $1 ORDER BY seq", world.tenant.id
    )
    return [(row["kind"], row["amount"]) for row in rows]


async def scalar(sql: Connection, statement: str, *values: Any) -> Any:
    return await sql.fetchval(statement, *values)


async def test_strangers_and_members_are_sent_to_the_log_in(web: WebServer, cafe: World, sql: Connection) -> None:
    card = at(cafe.card)
    for visitor in (web.at(cafe.host), await member_at(web, sql, cafe)):
        assert led_to(await visitor.get("/terminal")) == "/manage/log-in?next=%2Fterminal"
        assert led_to(await visitor.get(card)).startswith("/manage/log-in?next=")
        assert led_to(await visitor.submit(f"{card}/add", {"unit": "stamps"})) == "/manage/log-in"
        assert led_to(await visitor.submit("/terminal/find", {"card": "mia"})) == "/manage/log-in"
    assert await entries(sql, cafe) == []


@pytest.mark.parametrize(
    "way", ["number", "dashed", "spaced", "short", "part of the name", "e-mail", "phone", "code", "address of the code"]
)
async def test_every_way_to_a_card(web: WebServer, cafe: World, sql: Connection, way: str) -> None:
    await cafe.add_card("otto@other.example", name="Otto Weber")
    await sql.execute(
        "UPDATE core.member SET phone = '+352621123456' WHERE tenant_id = $1 AND id = $2",
        cafe.tenant.id,
        cafe.card.member_id,
    )
    number = cafe.card.number
    typed = {
        "number": number,
        "dashed": format_number(number),
        "spaced": f" {number[:4]} {number[4:]} ",
        "short": f"{number[:4]}-{number[4:8]}",
        "part of the name": "ledo",
        "e-mail": cafe.card.email.upper(),
        "phone": "621 123 456",
        "code": cafe.card.token,
        "address of the code": f"http://{cafe.host}/c/{cafe.card.token}",
    }[way]
    visitor = await staff_at(web, sql, cafe)
    assert led_to(await visitor.submit("/terminal/find", {"card": typed})) == at(cafe.card)
    assert "Mia Ledoux" in read(await visitor.get(at(cafe.card))).text


async def test_what_leads_to_no_card(web: WebServer, cafe: World, pizza: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    wrong = cafe.card.number[:-1] + str((int(cafe.card.number[-1]) + 1) % 10)
    for typed, sentence in (
        ("", "Type at least two characters"),
        ("m", "Type at least two characters"),
        (wrong, "This number has a typing mistake"),
        (pizza.card.number, "There is no card with this number here."),
        (cafe.card.number[:10], "A card number has 12 digits, this one has 10."),
        (pizza.card.email, "Nobody found"),
        (pizza.card.token, "Nobody found"),
        ("mia \0 ledoux", "This text has characters that cannot be stored."),
        ("m" * 301, "At most 300 characters are possible."),
    ):
        page = read(await visitor.submit("/terminal/find", {"card": typed}))
        assert sentence in page.text, typed
        assert "Mia" not in page.text
    assert led_to(await visitor.get("/terminal/find")) == "/terminal"


async def test_what_a_camera_reads(web: WebServer, cafe: World, pizza: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    card, foreign = cafe.card, pizza.card
    for code in (f"https://{cafe.host}/c/{card.token}", card.token, card.number, f" {format_number(card.number)} "):
        assert led_to(await visitor.submit("/terminal/scan", {"card": code})) == at(card)
    wrong = card.number[:-1] + str((int(card.number[-1]) + 1) % 10)
    others = (f"https://{pizza.host}/c/{foreign.token}", foreign.token, foreign.number, wrong, "4006381333931")
    for code in (*others, "Mia Ledoux", card.email, card.number[:8], "https://evil.example/", "", "x" * 301, "mia \0"):
        page = read(await visitor.submit("/terminal/scan", {"card": code}))
        assert page.text == "This is not a card of this shop.", code
    assert led_to(await visitor.get("/terminal/scan")) == "/terminal"


async def test_only_the_till_may_use_a_camera(web: WebServer, cafe: World, sql: Connection) -> None:
    staff, mia = await staff_at(web, sql, cafe), await member_at(web, sql, cafe)
    for visitor, path, allowed in (
        (staff, "/terminal", True),
        (staff, "/manage", False),
        (mia, "/card", False),
        (mia, "/", False),
    ):
        answer = await visitor.get(path, follow_redirects=True)
        policy, permissions = answer.headers["Content-Security-Policy"], answer.headers["Permissions-Policy"]
        assert ("script-src 'self' 'wasm-unsafe-eval';" in policy) is allowed, path
        assert ("camera=(self)" in permissions) is allowed, path
        assert ("scanner." in answer.text) is allowed, path
        assert "'unsafe-eval'" not in policy


async def test_several_cards_are_listed(web: WebServer, cafe: World, sql: Connection) -> None:
    other = await cafe.add_card("miro@cafe.example", name="Miro Ledoux")
    visitor = await staff_at(web, sql, cafe)
    page = read(await visitor.submit("/terminal/find", {"card": "ledoux"}))
    assert {at(cafe.card), at(other)} <= set(page.links)
    assert "Who is “ledoux”?" in page.text


async def test_the_customer_view(web: WebServer, cafe: World, sql: Connection) -> None:
    page = read(await (await staff_at(web, sql, cafe)).get(at(cafe.card)))
    for words in ("Mia Ledoux", cafe.card.email, "member since", "0 / 10", "10 more until FREE COFFEE", "Add stamp"):
        assert words in page.text
    assert "Undo" not in page.text
    assert "Redeem" not in page.text


async def test_a_stamp_with_pin(web: WebServer, cafe: World, sql: Connection, clock: Clock, healthy: Healthy) -> None:
    visitor = await staff_at(web, sql, cafe)
    page = await add(visitor, cafe.card, cafe.anna)
    assert "Stamp added!" in page.text
    assert "9 more stamps until your free coffee!" in page.text
    assert page.html.count("is-filled is-new") == 1
    sale = await sql.fetchrow("SELECT staff_id, shop_id, source, quantity FROM core.sale")
    assert dict(sale) == {"staff_id": cafe.anna.id, "shop_id": cafe.shop_id, "source": "terminal", "quantity": 1}
    start = read(await visitor.get("/terminal"))
    assert at(cafe.card) in start.links
    await clock.advance(minutes=15)
    page = await add(visitor, cafe.card, cafe.anna, 3)
    assert "3 stamps added!" in page.text
    assert page.html.count("is-filled is-new") == 3
    assert await entries(sql, cafe) == [("earn", 1), ("earn", 3)]
    await healthy()


async def test_a_sheet_sent_twice_counts_once_and_shows_the_same(
    web: WebServer, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    visitor = await staff_at(web, sql, cafe)
    form = {**await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=2"), **as_person(cafe.anna)}
    answers = await asyncio.gather(*(visitor.submit(at(cafe.card, "/add"), form) for _ in range(4)))
    again = await visitor.submit(at(cafe.card, "/add"), form)
    for answer in (*answers, again):
        page = read(answer)
        assert "2 stamps added!" in page.text
        assert "8 more stamps until your free coffee!" in page.text
    assert await entries(sql, cafe) == [("earn", 2)]
    await healthy()


async def test_a_used_sheet_for_something_else_asks_again(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    form = {**await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=1"), **as_person(cafe.anna)}
    read(await visitor.submit(at(cafe.card, "/add"), form))
    page = read(await visitor.submit(at(cafe.card, "/add"), {**form, "quantity": "2"}), 422)
    assert "This sheet was used before." in page.text
    assert page.fields["key"] != form["key"]
    assert await entries(sql, cafe) == [("earn", 1)]


async def test_wrong_pins_are_counted_once_each_and_lock_one_person(
    web: WebServer, cafe: World, sql: Connection
) -> None:
    visitor, ben = await staff_at(web, sql, cafe), cafe.staff[1]
    form = await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=1")
    for left in (4, 3, 2, 1):
        wrong = {**form, **as_person(cafe.anna, "0000")}
        page = read(await visitor.submit(at(cafe.card, "/add"), wrong))
        twice = read(await visitor.submit(at(cafe.card, "/add"), wrong))
        assert page.text == twice.text
        assert str(left) in page.text
        assert page.fields["staff"] == ids.show(ids.STAFF, cafe.anna.id)
        assert page.fields["key"] != form["key"]
        form = {**form, "key": page.fields["key"]}
        failures = await scalar(sql, "SELECT pin_failures FROM core.staff WHERE id = $1", cafe.anna.id)
        assert failures == 5 - left
    page = read(await visitor.submit(at(cafe.card, "/add"), {**form, **as_person(cafe.anna, "0000")}))
    assert page.text.index("This PIN is locked until") < page.text.index("Who are you?")
    assert "Locked until" in page.text
    assert "staff" not in page.fields
    right = {**form, "key": page.fields["key"], **as_person(cafe.anna)}
    assert "This PIN is locked until" in read(await visitor.submit(at(cafe.card, "/add"), right)).text
    assert "Stamp added!" in (await add(visitor, cafe.card, ben)).text


@pytest.mark.parametrize(
    "who", [{}, {"pin": "4711"}, {"staff": "staff_00000000000000000000000000000000"}, {"staff": "x", "pin": "4711"}]
)
async def test_without_person_or_pin_the_sheet_asks_again(
    web: WebServer, cafe: World, sql: Connection, who: dict[str, str]
) -> None:
    visitor = await staff_at(web, sql, cafe)
    form = await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=1")
    page = read(await visitor.submit(at(cafe.card, "/add"), {**form, **who}), 422)
    assert "This program needs a staff PIN." in page.text
    assert await entries(sql, cafe) == []


async def test_too_soon_is_refused_with_the_time_left(
    web: WebServer, cafe: World, sql: Connection, clock: Clock
) -> None:
    visitor = await staff_at(web, sql, cafe)
    await add(visitor, cafe.card, cafe.anna)
    await clock.advance(minutes=3)
    view = read(await visitor.get(at(cafe.card)))
    assert "Next stamp possible at" in view.text
    assert "Still 12 minutes to go." in view.text
    form = {**await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=1"), **as_person(cafe.anna)}
    page = read(await visitor.submit(at(cafe.card, "/add"), form), 409)
    assert "It is too soon after the last stamp." in page.text
    assert "Still 12 minutes to go. Nothing was changed on the card." in page.text
    await clock.advance(minutes=12)
    assert "Stamp added!" in (await add(visitor, cafe.card, cafe.anna)).text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE core.card SET status = 'blocked'", "This card is not active. Please ask the team."),
        ("UPDATE core.program SET status = 'inactive'", "This loyalty program is not active at the moment."),
    ],
)
async def test_inactive_cards_and_programs_have_sentences_of_their_own(
    web: WebServer, cafe: World, sql: Connection, change: str, sentence: str
) -> None:
    visitor = await staff_at(web, sql, cafe)
    form = {**await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=1"), **as_person(cafe.anna)}
    await sql.execute(change)
    assert sentence in read(await visitor.get(at(cafe.card))).text
    assert sentence in read(await visitor.submit(at(cafe.card, "/add"), form), 409).text
    assert await entries(sql, cafe) == []


@pytest.mark.parametrize("quantity", ["0", "-1", "101", "1.5", "many", "1e3", "٣"])
async def test_odd_numbers_of_stamps_are_asked_again(
    web: WebServer, cafe: World, sql: Connection, quantity: str
) -> None:
    visitor = await staff_at(web, sql, cafe)
    address = at(cafe.card)
    assert led_to(await visitor.get(f"{address}/add?unit=stamps&quantity={quantity}")) == address
    form = {"unit": "stamps", "quantity": quantity, "key": "k", **as_person(cafe.anna)}
    assert led_to(await visitor.submit(f"{address}/add", form)) == address
    assert await entries(sql, cafe) == []


async def test_more_than_the_program_allows_is_refused(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    form = {**await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=11"), **as_person(cafe.anna)}
    page = read(await visitor.submit(at(cafe.card, "/add"), form), 409)
    assert "11" in page.text
    assert await entries(sql, cafe) == []


async def test_the_reward_is_handed_out_once_and_taken_back(
    web: WebServer, cafe: World, sql: Connection, make_till: Callable[[World], Till], healthy: Healthy
) -> None:
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=50)
    await cafe.set_settings("stamps", max_per_sale=50)
    visitor = await staff_at(web, sql, cafe)
    early = {**await sheet(visitor, cafe.card, "/redeem?unit=stamps&reward=stamps.full_card"), **as_person(cafe.anna)}
    assert "Not yet: 10 more needed" in read(await visitor.submit(at(cafe.card, "/redeem"), early), 409).text
    await make_till(cafe).sale(12)
    view = read(await visitor.get(at(cafe.card)))
    assert "Reward ready" in view.text
    assert "Redeem: free coffee" in view.text
    form = {**await sheet(visitor, cafe.card, "/redeem?unit=stamps&reward=stamps.full_card"), **as_person(cafe.anna)}
    answers = await asyncio.gather(*(visitor.submit(at(cafe.card, "/redeem"), form) for _ in range(3)))
    for answer in answers:
        page = read(answer)
        assert "Reward redeemed" in page.text
        assert "Please hand it over: free coffee" in page.text
    assert await entries(sql, cafe) == [("earn", 12), ("redeem", -10)]
    assert "Undo the last one: reward for 10 stamps" in read(await visitor.get(at(cafe.card))).text
    undo = {**await sheet(visitor, cafe.card, "/undo"), **as_person(cafe.anna)}
    assert "Taken back" in read(await visitor.submit(at(cafe.card, "/undo"), undo)).text
    assert await entries(sql, cafe) == [("earn", 12), ("redeem", -10), ("reverse", 10)]
    assert await scalar(sql, "SELECT status FROM core.redemption") == "undone"
    await healthy()


async def test_only_whoever_did_it_can_undo_it(
    web: WebServer, cafe: World, sql: Connection, clock: Clock, healthy: Healthy
) -> None:
    visitor, ben = await staff_at(web, sql, cafe), cafe.staff[1]
    await add(visitor, cafe.card, cafe.anna, 2)
    page = read(await visitor.get(at(cafe.card)))
    assert "Undo the last one: 2 stamps" in page.text
    asked = read(await visitor.get(at(cafe.card, "/undo")))
    assert cafe.anna.name in asked.text
    assert ids.show(ids.STAFF, ben.id) not in asked.html
    form = await sheet(visitor, cafe.card, "/undo")
    refused = read(await visitor.submit(at(cafe.card, "/undo"), {**form, **as_person(ben)}), 409)
    assert "Only the person who did it can undo it." in refused.text
    form = await sheet(visitor, cafe.card, "/undo")
    done = read(await visitor.submit(at(cafe.card, "/undo"), {**form, **as_person(cafe.anna)}))
    assert "Taken back" in done.text
    assert await entries(sql, cafe) == [("earn", 2), ("reverse", -2)]
    await add(visitor, cafe.card, cafe.anna)
    await clock.advance(minutes=11)
    assert "Undo" not in read(await visitor.get(at(cafe.card))).text
    await healthy()


async def test_programs_without_pin_need_no_sheet(web: WebServer, cafe: World, sql: Connection) -> None:
    await sql.execute("UPDATE core.program SET require_pin = false")
    visitor, ben = await staff_at(web, sql, cafe), cafe.staff[1]
    view = read(await visitor.get(at(cafe.card)))
    assert led_to(await visitor.get(at(cafe.card, "/add?unit=stamps"))) == at(cafe.card)
    form = {"unit": "stamps", "quantity": "2", "key": view.fields["key"]}
    assert "2 stamps added!" in read(await visitor.submit(at(cafe.card, "/add"), form)).text
    assert await scalar(sql, "SELECT staff_id FROM core.sale") == ben.id
    again = read(await visitor.get(at(cafe.card)))
    assert "Undo the last one: 2 stamps" in again.text
    assert "Taken back" in read(await visitor.submit(at(cafe.card, "/undo"), {"key": again.fields["key"]})).text
    others = await staff_at(web, sql, cafe, cafe.anna)
    await sql.execute("UPDATE core.ledger_entry SET id = id WHERE false")
    assert "Undo" not in read(await others.get(at(cafe.card))).text


async def test_enrolment_at_the_till(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    page = read(await visitor.submit("/terminal/enrol", {"email": "Nina@Example.com", "name": "Nina"}))
    assert "Welcome, Nina" in page.text
    member = await sql.fetchrow("SELECT id, email FROM core.member WHERE name = 'Nina'")
    assert member["email"] == "nina@example.com"
    granted = await sql.fetch("SELECT purpose, granted FROM core.consent WHERE member_id = $1", member["id"])
    assert {(one["purpose"], one["granted"]) for one in granted} == {("terms", True), ("marketing", False)}
    assert await scalar(sql, "SELECT shop_id FROM core.ledger_entry") == cafe.shop_id
    again = await visitor.submit("/terminal/enrol", {"email": "nina@example.com"})
    assert led_to(again) in page.links
    assert "This customer has a card already." in read(await visitor.get(led_to(again))).text
    wrong = read(await visitor.submit("/terminal/enrol", {"email": "nina@", "name": "Nina"}), 422)
    assert "Please enter an e-mail address" in wrong.text
    assert wrong.fields["email"] == "nina@"
    assert await scalar(sql, "SELECT count(*) FROM core.member") == 2


async def test_cards_of_others_are_not_found(web: WebServer, cafe: World, pizza: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    for name in (ids.show(ids.CARD, pizza.card.id), ids.show(ids.CARD, UUID(int=3)), "card_x", "x"):
        address = f"/terminal/cards/{name}"
        assert (await visitor.get(address)).status_code == 404
        for act in ("add", "redeem", "undo"):
            assert (await visitor.get(f"{address}/{act}?unit=stamps")).status_code == 404
            form = {"unit": "stamps", "key": "k", **as_person(cafe.anna)}
            assert (await visitor.submit(f"{address}/{act}", form)).status_code == 404
    assert (await visitor.get(f"/terminal/scan/{pizza.card.token}")).status_code == 404
    assert led_to(await visitor.get(f"/terminal/scan/{cafe.card.token}")) == at(cafe.card)
    assert await entries(sql, pizza) == []
    foreign = {**await sheet(visitor, cafe.card, "/add?unit=stamps&quantity=1"), **as_person(pizza.anna)}
    assert "This PIN is not right" in read(await visitor.submit(at(cafe.card, "/add"), foreign)).text
    visitor.client.headers["Host"] = pizza.host
    assert led_to(await visitor.get("/terminal")) == "/manage/log-in?next=%2Fterminal"


async def test_a_disabled_plugin_is_gone(
    web: WebServer, make_world: Callable[..., Awaitable[World]], sql: Connection
) -> None:
    plain = await make_world("plain", offering="plain", features=("antifraud", "cards", "enrolment"))
    visitor = await staff_at(web, sql, plain)
    page = read(await visitor.get(at(plain.card)))
    assert "Mia Ledoux" in page.text
    assert "stamp" not in page.text.lower()
    assert page.actions == ["/terminal/sign-out"]
    for act in ("add", "redeem"):
        form = {"unit": "stamps", "reward": "stamps.full_card", "key": "k", **as_person(plain.anna)}
        assert (await visitor.get(at(plain.card, f"/{act}?unit=stamps&reward=stamps.full_card"))).status_code == 404
        assert (await visitor.submit(at(plain.card, f"/{act}"), form)).status_code == 404


async def test_with_several_shops_the_device_says_where_it_stands(
    web: WebServer, cafe: World, pizza: World, sql: Connection
) -> None:
    second = new_id()
    await sql.execute("INSERT INTO core.shop (tenant_id, id, name) VALUES ($1, $2, 'Station')", cafe.tenant.id, second)
    visitor = await staff_at(web, sql, cafe)
    for path in ("/terminal", at(cafe.card), "/terminal/enrol"):
        assert led_to(await visitor.get(path)) == "/terminal/place"
    page = read(await visitor.get("/terminal/place"))
    assert "Station" in page.text
    for foreign in (ids.show(ids.SHOP, pizza.shop_id), "x", ""):
        assert (await visitor.submit("/terminal/place", {"shop": foreign})).status_code == 404
    assert led_to(await visitor.submit("/terminal/place", {"shop": ids.show(ids.SHOP, second)})) == "/terminal"
    assert "Station · Ben" in read(await visitor.get("/terminal")).text
    await add(visitor, cafe.card, cafe.anna)
    assert await scalar(sql, "SELECT shop_id FROM core.sale") == second


async def test_sign_out_of_the_device(web: WebServer, cafe: World, sql: Connection) -> None:
    visitor = await staff_at(web, sql, cafe)
    assert led_to(await visitor.submit("/terminal/sign-out", {})) == "/manage/log-in"
    assert await scalar(sql, "SELECT count(*) FROM core.session") == 0
    assert led_to(await visitor.get("/terminal")) == "/manage/log-in?next=%2Fterminal"


async def test_staff_see_no_way_to_figures(web: WebServer, cafe: World, sql: Connection) -> None:
    staff, manager = await staff_at(web, sql, cafe, cafe.anna), await staff_at(web, sql, cafe)
    assert "/manage" not in read(await staff.get("/terminal")).links
    assert "/manage" in read(await manager.get("/terminal")).links


async def test_view_and_history_ask_the_same_whatever_there_is(
    cafe: World, database: Database, ledger: Ledger, make_till: Callable[[World], Till]
) -> None:
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=500)
    views, till = CardViews(ledger), make_till(cafe)

    async def statements() -> int:
        async with database.tenant(cafe.tenant.id, read_only=True) as session:
            with counted(session) as sent:
                await views.view(session, cafe.context(), cafe.card.id)
                await views.history(session, cafe.context(), cafe.card.id, PageRequest(1, 50))
            return len(sent)

    await statements()
    before = await statements()
    for _ in range(12):
        await till.sale()
    assert await statements() == before == 4


async def test_a_bill_is_split_among_cards(web: WebServer, cafe: World, sql: Connection, healthy: Healthy) -> None:
    visitor, other = await staff_at(web, sql, cafe), await cafe.add_card("max@cafe.example", name="Max Weber")
    for wrong, sentence in (
        ("", "Enter the amount of the bill first."),
        ("?bill=10,00", "the card of somebody else"),
        ("?bill=10,00&card1=123", "is no card number"),
        ("?bill=ten&card1=" + other.number, "amount"),
    ):
        assert led_to(await visitor.get(at(cafe.card, f"/split{wrong}"))) == at(cafe.card)
        assert sentence in read(await visitor.get(at(cafe.card))).text
    form = await sheet(visitor, cafe.card, f"/split?bill=10,01&card1={other.number}")
    uneven = {**form, "own": "6,00", "amount1": "4,00", **as_person(cafe.anna)}
    again = await visitor.submit(at(cafe.card, "/split"), uneven)
    assert (again.status_code, "must be exactly the bill" in again.text) == (422, True)
    done = read(await visitor.submit(at(cafe.card, "/split"), {**form, **as_person(cafe.anna)}))
    assert "Bill recorded" in done.text
    assert "€5.01 + €5.00" in done.text
    rows = await sql.fetch("SELECT card_id, amount_minor FROM core.sale ORDER BY amount_minor DESC")
    assert [tuple(row) for row in rows] == [(cafe.card.id, 501), (other.id, 500)]
    assert await entries(sql, cafe) == [("earn", 1), ("earn", 1)]
    await healthy()


async def test_a_sale_is_refunded_by_somebody_who_may_after_it_was_said_what_it_comes_to(
    web: WebServer, cafe: World, pizza: World, sql: Connection, healthy: Healthy
) -> None:
    visitor, ben = await staff_at(web, sql, cafe), cafe.staff[1]
    await cafe.set_settings("antifraud", cooldown_minutes=0)
    assert at(cafe.card, "/refund") not in read(await visitor.get(at(cafe.card))).links
    assert led_to(await visitor.get(at(cafe.card, "/refund"))) == at(cafe.card), "nothing was sold"
    await add(visitor, cafe.card, cafe.anna, 3)
    await add(visitor, cafe.card, cafe.anna, 2)
    assert at(cafe.card, "/refund") in read(await visitor.get(at(cafe.card))).links
    page = read(await visitor.get(at(cafe.card, "/refund")))
    assert "Refund all: 2 pieces" in page.text
    first = next(link for link in page.links if "refund?sale=" in link and page.fields["sale"] not in link)
    page = read(await visitor.get(first))
    form = {"sale": page.fields["sale"], "reason": "cold", "part": "some", "quantity": "9"}
    wrong = read(await visitor.submit(at(cafe.card, "/refund"), form), 422)
    assert "This sale has fewer pieces left than that." in wrong.text
    assert wrong.fields["reason"] == "cold"
    asked = read(await visitor.submit(at(cafe.card, "/refund"), form | {"quantity": "2"}))
    for words in ("Refund: 2 pieces", "−2 stamps (Stamps: 5 → 3).", "The money is not moved from here"):
        assert words in asked.text, asked.text
    assert cafe.anna.name not in asked.text, "only those who may refund are asked"
    assert await entries(sql, cafe) == [("earn", 3), ("earn", 2)], "it was only tried"
    sent = {name: value for name, value in asked.fields.items() if name not in {"staff", "pin"}}
    for person, status in ((cafe.anna, 422), (ben, 200)):
        pin = as_person(person) if status == 422 else as_person(person, "0000")
        assert "PIN" in read(await visitor.submit(at(cafe.card, "/refund"), sent | pin), status).text
    assert await entries(sql, cafe) == [("earn", 3), ("earn", 2)]
    fresh = read(await visitor.submit(at(cafe.card, "/refund"), form | {"quantity": "2"})).fields
    for _twice in range(2):
        done = read(await visitor.submit(at(cafe.card, "/refund"), fresh | as_person(ben)))
        assert "Taken back: 2 stamps." in done.text
    assert await entries(sql, cafe) == [("earn", 3), ("earn", 2), ("reverse", -2)]
    actor = "SELECT actor_name FROM core.audit_log WHERE action = 'sale.refund' AND outcome = 'done'"
    assert await sql.fetchval(actor) == ben.name
    stranger = await staff_at(web, sql, pizza)
    assert (await stranger.get(at(cafe.card, "/refund"))).status_code == 404
    assert (await (await staff_at(web, sql, cafe, cafe.anna)).get(at(cafe.card, "/refund"))).status_code == 403
    await healthy()
