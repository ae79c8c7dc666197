"""The JSON API over HTTP: the story at the till, idempotency, bad input, permissions, limits."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from asyncpg import Connection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from visitors import staff_at

from regulars.kernel.config import Config
from regulars.kernel.keys import digest
from regulars.testing.clock import Clock
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import HOST_FEATURES, PLUGINS, Person, World

STORE = "/api/v1/store/loyalty"
FRONT = "/api/v1/storefront/loyalty"
ADMIN = "/api/v1/admin/loyalty"
Till = Callable[[World], Browser]


async def change(config: Config, sql: str, **values: object) -> None:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(sql), values)


async def scalar(config: Config, sql: str, **values: object) -> Any:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        return (await connection.execute(text(sql), values)).scalar_one()


def by(person: Person, card: str, **more: Any) -> dict[str, Any]:
    return {"card": card, "staff": f"staff_{person.id.hex}", "pin": person.pin, **more}


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_the_story_at_the_till(till: Till, web: WebServer, cafe: World, clock: Clock) -> None:
    visitor, anna = till(cafe), cafe.anna
    card = cafe.card.number
    first = await visitor.post(f"{STORE}/stamp", json=by(anna, card), headers=key("1"))
    now = await clock.now()
    content = first.json()
    next_at = content.pop("next_stamp_available")
    assert (first.status_code, content) == (
        200,
        {
            "success": True,
            "stamp_count": 1,
            "stamps_target": 10,
            "stamps_until_reward": 9,
            "message": "9 more stamps until your free coffee!",
        },
    )
    assert next_at is not None
    early = await visitor.post(f"{STORE}/stamp", json=by(anna, card), headers=key("2"))
    assert problem(early) == (409, "antifraud.cooldown")
    assert early.json()["retry_at"] is not None
    wrong = await visitor.post(f"{STORE}/stamp", json=by(anna, card) | {"pin": "0000"}, headers=key("3"))
    assert problem(wrong) == (403, "pin.wrong")
    soon = await visitor.post(f"{STORE}/stamp/redeem", json=by(anna, card), headers=key("4"))
    assert problem(soon) == (409, "reward.not_ready")
    undone = await visitor.post(f"{STORE}/sales/undo", json=by(anna, card), headers=key("5"))
    assert undone.json()["entries"][0]["amount"] == -1
    await clock.set(now + timedelta(days=1))
    many = await visitor.post(f"{STORE}/stamp", json=by(anna, card, quantity=5), headers=key("6"))
    assert many.json()["stamp_count"] == 5
    await clock.set(now + timedelta(days=2))
    full = await visitor.post(f"{STORE}/stamp", json=by(anna, card, quantity=5), headers=key("7"))
    assert (full.json()["stamp_count"], full.json()["stamps_until_reward"]) == (10, 0)
    front = web.at(cafe.host, authorization=f"Bearer {cafe.card.token}")
    shown = (await front.get(f"{FRONT}/card")).json()
    assert (shown["balances"], shown["rewards"][0]["ready"], shown["name"]) == ({"stamps": 10}, True, "Mia Ledoux")
    redeemed = await visitor.post(f"{STORE}/stamp/redeem", json=by(anna, card), headers=key("8"))
    assert (redeemed.status_code, redeemed.json()["stamp_count"]) == (200, 0)
    moved = (await front.get(f"{FRONT}/transactions?size=2")).json()
    assert [(item["type"], item["amount"], item["balance"]) for item in moved["items"]] == [
        ("redeem", -10, 0),
        ("earn", 5, 10),
    ]
    assert (moved["total"], moved["pages"]) == (5, 3)
    figures = (await visitor.get(f"{STORE}/stats")).json()
    assert (figures["redeemed_total"], figures["issued_total"]) == (1, {"stamps": 10})


async def test_same_key_same_bytes(till: Till, cafe: World, pizza: World, config: Config) -> None:
    visitor = till(cafe)
    body = by(cafe.anna, cafe.card.number)
    first = await visitor.post(f"{STORE}/stamp", json=body, headers=key('"a b"'))
    again = await visitor.post(f"{STORE}/stamp", json=body, headers=key('"a b"'))
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    spaced = json.dumps(dict(reversed(body.items())), indent=3).encode()
    typed = {"Content-Type": "application/json; charset=utf-8"}
    respelled = await visitor.post(f"{STORE}/stamp", content=spaced, headers=key('"a b"') | typed)
    assert respelled.content == first.content
    for path, changed in (("stamp", body | {"quantity": 2}), ("stamp", body | {"pin": "1"}), ("stamp/redeem", body)):
        other = await visitor.post(f"{STORE}/{path}", json=changed, headers=key('"a b"'))
        assert problem(other) == (422, "idempotency_mismatch")
    elsewhere = await till(pizza).post(f"{STORE}/stamp", json=by(pizza.anna, pizza.card.number), headers=key('"a b"'))
    assert (elsewhere.status_code, "Idempotency-Replayed" in elsewhere.headers) == (200, False)
    assert await scalar(config, "SELECT count(*) FROM core.sale") == 2


async def test_bare_and_quoted_keys_are_the_same(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    body = by(cafe.anna, cafe.card.number)
    first = await visitor.post(f"{STORE}/stamp", json=body, headers=key("8e03978e-40d5-43dd-bc93-6894a57f9324"))
    again = await visitor.post(f"{STORE}/stamp", json=body, headers=key('"8e03978e-40d5-43dd-bc93-6894a57f9324"'))
    assert again.content == first.content


async def test_refusals_are_replayed_and_faults_are_not(till: Till, cafe: World, config: Config) -> None:
    visitor = till(cafe)
    body = by(cafe.anna, cafe.card.number) | {"pin": "0000"}
    first = await visitor.post(f"{STORE}/stamp", json=body, headers=key("k"))
    again = await visitor.post(f"{STORE}/stamp", json=body, headers=key("k"))
    assert (again.status_code, again.content) == (403, first.content)
    assert again.headers["Content-Type"] == "application/problem+json"
    assert await scalar(config, "SELECT pin_failures FROM core.staff WHERE id = :id", id=cafe.anna.id) == 1
    broken = await visitor.post(f"{STORE}/stamp", json=body | {"quantity": 0}, headers=key("l"))
    assert problem(broken) == (422, "invalid_input")
    better = await visitor.post(f"{STORE}/stamp", json=by(cafe.anna, cafe.card.number), headers=key("l"))
    assert better.status_code == 200


async def test_many_at_once_have_one_effect(till: Till, cafe: World, config: Config) -> None:
    visitor = till(cafe)
    body = by(cafe.anna, cafe.card.number)
    answers = await asyncio.gather(
        *(visitor.client.post(f"{STORE}/stamp", json=body, headers=key("same")) for _ in range(20))
    )
    assert await scalar(config, "SELECT count(*) FROM core.sale") == 1
    done = [answer for answer in answers if answer.status_code == 200]
    assert len({answer.content for answer in done}) == 1
    for answer in answers:
        await visitor.check(answer)
        if answer.status_code != 200:
            assert problem(answer) == (409, "idempotency_in_progress")
            assert answer.headers["Retry-After"] == "1"


async def test_five_wrong_pins_lock(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    for number in range(5):
        body = by(cafe.anna, cafe.card.number) | {"pin": "0000"}
        last = await visitor.post(f"{STORE}/stamp", json=body, headers=key(f"w{number}"))
    assert problem(last)[0] == 403
    right = await visitor.post(f"{STORE}/stamp", json=by(cafe.anna, cafe.card.number), headers=key("right"))
    assert problem(right) == (403, "pin.locked")
    rows = (await visitor.get(f"{STORE}/pins")).json()["items"]
    assert {row["name"]: row["status"] for row in rows} == {"Anna": "locked", "Ben": "active"}
    anna = next(row["id"] for row in rows if row["name"] == "Anna")
    unlocked = await visitor.post(f"{STORE}/pins/{anna}/unlock")
    assert (unlocked.status_code, unlocked.json()["status"]) == (200, "active")
    again = await visitor.post(f"{STORE}/stamp", json=by(cafe.anna, cafe.card.number), headers=key("now"))
    assert again.status_code == 200


KEYS = ("", '""', "x" * 256, f'"{"x" * 256}"', "a b", '"a', 'a"b', "k\u00e9y".encode(), "a\tb", '"a\tb"')


async def test_keys_that_are_none(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    body = by(cafe.anna, cafe.card.number)
    missing = await visitor.post(f"{STORE}/stamp", json=body)
    assert problem(missing) == (400, "idempotency_key_missing")
    for bad in KEYS:
        response = await visitor.post(f"{STORE}/stamp", json=body, headers=[("Idempotency-Key", bad)])
        assert problem(response) == (400, "malformed_request"), bad
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert problem(await visitor.post(f"{STORE}/stamp", json=body, headers=twice)) == (400, "malformed_request")
    longest = await visitor.post(f"{STORE}/stamp", json=body, headers=key(f'"{"x" * 255}"'))
    assert longest.status_code == 200


GOOD = b'{"email": "zoe@example.org", "terms": true}'
BODIES: tuple[tuple[bytes, int, str], ...] = (
    (b"", 400, "malformed_request"),
    (b"   ", 400, "malformed_request"),
    (b"{", 400, "malformed_request"),
    (b"\xff\xfe", 400, "malformed_request"),
    (b'{"email": "\xff"}', 400, "malformed_request"),
    (b'{"email": "\xc0\xaf"}', 400, "malformed_request"),
    (b'\xef\xbb\xbf{"email": "a"}', 400, "malformed_request"),
    (b"[" * 100_000, 413, "payload_too_large"),
    (b"[" * 60_000, 400, "malformed_request"),
    (b"[" * 33 + b"]" * 33, 400, "malformed_request"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, 400, "malformed_request"),
    (b"[" * 32 + b"]" * 32, 422, "invalid_input"),
    (b'{"email": "a", "email": "b"}', 400, "malformed_request"),
    (b'{"email": NaN}', 400, "malformed_request"),
    (b'{"email": Infinity}', 400, "malformed_request"),
    (b'{"email": -Infinity}', 400, "malformed_request"),
    (b'{"email": 1e999}', 400, "malformed_request"),
    (b'{"email": ' + b"9" * 50_000 + b"}", 400, "malformed_request"),
    (b'{"email": "\\ud800"}', 400, "malformed_request"),
    (b'{"email": "a\\u0000b"}', 400, "malformed_request"),
    (b'{"a\\u0000b": 1}', 400, "malformed_request"),
    (b"null", 422, "invalid_input"),
    (b"true", 422, "invalid_input"),
    (b"1", 422, "invalid_input"),
    (b'"text"', 422, "invalid_input"),
    (b"[]", 422, "invalid_input"),
    (b"{}", 422, "invalid_input"),
    (b'{"email": 1, "terms": true}', 422, "invalid_input"),
    (b'{"email": null, "terms": true}', 422, "invalid_input"),
    (b'{"email": ["zoe@example.org"], "terms": true}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": 1}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": "true"}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": false}', 422, "invalid_input"),
    (b'{"email": "zoe", "terms": true}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "phone": "no phone"}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "birthday": "yesterday"}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "program": "prog_x"}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "locale": "tlh"}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "balance": 100}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "role": "owner"}', 422, "invalid_input"),
    (b'{"email": "zoe@example.org", "terms": true, "created_at": "2020-01-01"}', 422, "invalid_input"),
    (b'{"email": "' + b"x" * 300 + b'@example.org", "terms": true}', 422, "invalid_input"),
    (b'{"x": "' + b"y" * 70_000 + b'"}', 413, "payload_too_large"),
)


async def test_bad_bodies(till: Till, cafe: World, config: Config) -> None:
    visitor = till(cafe)
    typed = {"Content-Type": "application/json"}
    for number, (body, status, code) in enumerate(BODIES):
        path = f"{FRONT}/enroll" if number % 2 else f"{STORE}/cards/enroll"
        response = await visitor.post(path, content=body, headers=typed)
        assert problem(response) == (status, code), (body[:60], response.text)
        assert "instance" in response.json()
    assert await scalar(config, "SELECT count(*) FROM core.member WHERE email LIKE 'zoe%'") == 0


QUANTITIES = ("-1", "0", "101", "1000000000000000000", "1e3", '"1"', "1.5", "1.0", "true", "null", "[1]", '""')


async def test_quantities_that_are_none(till: Till, cafe: World, config: Config) -> None:
    visitor = till(cafe)
    for number, quantity in enumerate(QUANTITIES):
        body = json.dumps(by(cafe.anna, cafe.card.number))[:-1] + f', "quantity": {quantity}}}'
        headers = key(f"q{number}") | {"Content-Type": "application/json"}
        response = await visitor.post(f"{STORE}/stamp", content=body.encode(), headers=headers)
        assert problem(response) == (422, "invalid_input"), quantity
        assert list(response.json()["fields"]) == ["quantity"]
    assert await scalar(config, "SELECT count(*) FROM core.ledger_entry") == 0


async def test_kinds_of_bodies_that_are_not_read(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    path = f"{STORE}/cards/enroll"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ""):
        response = await visitor.post(path, content=GOOD, headers={"Content-Type": kind})
        assert problem(response) == (415, "unsupported_media_type"), kind
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await visitor.post(path, content=gzip.compress(GOOD), headers=packed)
    assert problem(response) == (415, "unsupported_media_type")


async def test_a_huge_body_is_refused_at_once(web: WebServer, cafe: World) -> None:
    async def endless() -> Any:
        for _ in range(2000):
            yield b" " * 65_536

    visitor = web.at(cafe.host, authorization=f"Bearer {cafe.api_key}")
    try:
        response = await visitor.client.post(
            f"{STORE}/cards/enroll", content=endless(), headers={"Content-Type": "application/json"}
        )
    except (httpx.WriteError, httpx.ReadError):
        return  # the server has answered and closed before it heard the end
    assert problem(response) == (413, "payload_too_large")


async def test_queries_that_are_none(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    for query in (
        "page=0",
        "page=-1",
        "page=x",
        "size=0",
        "size=201",
        "size=1000000000",
        "filter=evil",
        "sort=id",
        "q=%00",
    ):
        response = await visitor.get(f"{STORE}/cards?{query}")
        assert problem(response) == (422, "invalid_input"), query
    for query in ("q=%25_%25", "q=%ff%fe", "q='--", "q=%F0%9F%98%80", "q=" + "x" * 200, "page=99999"):
        response = await visitor.get(f"{STORE}/cards?{query}")
        assert (response.status_code, response.json()["items"]) == (200, []), query


async def test_paths_that_are_none(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    for path in ("pins/%00", "pins/%ff", "pins/%2e%2e", "pins/" + "x" * 3000, "%F0%9F%98%80", "cards/enroll/x"):
        response = await visitor.client.delete(f"{STORE}/{path}")
        assert response.status_code in {400, 404}, path
        assert response.headers["Content-Type"] == "application/problem+json"
    wrong = await visitor.client.put(f"{STORE}/program")
    assert problem(wrong) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "GET, HEAD, OPTIONS, PATCH, POST"


AUTHORIZATIONS = ("", "Bearer", "Basic cms6eA==", "bearer rk_live_x", "Bearer a b", "Bearer " + "x" * 5000)


async def test_callers_who_are_nobody(web: WebServer, cafe: World) -> None:
    for header in AUTHORIZATIONS:
        for path in (f"{STORE}/program", f"{FRONT}/card"):
            response = await web.at(cafe.host, authorization=header).get(path)
            assert problem(response) == (401, "unauthenticated"), header
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="Regulars"'
    for path in (f"{STORE}/program", f"{FRONT}/card"):
        assert problem(await web.at(cafe.host).get(path)) == (401, "unauthenticated")
    enrolled = await web.at(cafe.host).post(f"{FRONT}/enroll", json={"email": "zoe@example.org", "terms": True})
    assert (enrolled.status_code, enrolled.json()["is_new"]) == (201, True)
    known = await web.at(cafe.host).post(f"{FRONT}/enroll", json={"email": "ZOE@example.org", "terms": True})
    assert (known.status_code, known.json()["is_new"], known.json()["token"]) == (200, False, None)
    own = web.at(cafe.host, authorization=f"Bearer {enrolled.json()['token']}")
    assert (await own.get(f"{FRONT}/card")).json()["number"] == enrolled.json()["number"]


async def test_without_api_access_the_problem_names_the_offering(
    web: WebServer, make_world: Callable[..., Awaitable[World]], pizza: World
) -> None:
    basic = await make_world("basic", offering="basic", features=("stamps",))
    for headers in ({}, {"authorization": f"Bearer {basic.api_key}"}, {"authorization": f"Bearer {pizza.api_key}"}):
        response = await web.at(basic.host, **headers).get(f"{STORE}/program")
        content = response.json()
        assert (response.status_code, content["code"]) == (403, "feature_not_in_offering")
        assert (content["feature"], content["offering"], content["included_in"]) == (
            "api_access",
            "basic",
            "everything",
        )
        assert content["detail"] == "Your offering does not include this; it is part of Everything."


async def test_a_key_may_what_its_scopes_say(till: Till, cafe: World, config: Config) -> None:
    await change(
        config,
        "UPDATE core.api_key SET permissions = '[\"sales.record\"]' WHERE id = :id",
        id=cafe.api_key_id,
    )
    visitor = till(cafe)
    stamped = await visitor.post(f"{STORE}/stamp", json=by(cafe.anna, cafe.card.number), headers=key("1"))
    assert stamped.status_code == 200
    for method, path, body in (
        ("GET", "program", None),
        ("GET", "stats", None),
        ("GET", "cards", None),
        ("GET", "pins", None),
        ("PATCH", "program", {}),
        ("POST", "cards/enroll", {"email": "zoe@example.org", "terms": True}),
        ("POST", "stamp/redeem", by(cafe.anna, cafe.card.number)),
        ("POST", "sales/undo", by(cafe.anna, cafe.card.number)),
        ("DELETE", f"pins/staff_{cafe.anna.id.hex}", None),
    ):
        options = {"json": body} if body is not None else {}
        response = await visitor.send(method, f"{STORE}/{path}", headers=key("2"), **options)
        assert problem(response) == (403, "forbidden"), path


async def test_program_is_read_and_changed(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    before = (await visitor.get(f"{STORE}/program")).json()
    assert (before["id"], before["type"], before["is_active"]) == (f"prog_{cafe.program_id.hex}", "stamps", True)
    changed = await visitor.send(
        "PATCH",
        f"{STORE}/program",
        json={"name": "Kaffee", "settings": {"stamps": {"target": 8, "reward_text": "cake"}}},
    )
    assert changed.status_code == 200
    expected = {**before["settings"]["stamps"], "target": 8, "reward_text": "cake"}
    after = (await visitor.get(f"{STORE}/program")).json()
    assert (after["name"], after["settings"]["stamps"]) == ("Kaffee", expected)
    assert after == changed.json()
    for body, field in (
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"currency": "XXXX"}, "currency"),
        ({"name": ""}, "name"),
        ({"settings": {"stamps": {"target": 0}}}, "settings.stamps.target"),
        ({"settings": {"stamps": {"nothing": 1}}}, "settings.stamps.nothing"),
        ({"settings": {"nobody": {}}}, "settings.nobody"),
        ({"settings": {"../x": {}}}, "settings.../x"),
        ({"status": "active"}, "status"),
    ):
        response = await visitor.send("PATCH", f"{STORE}/program", json=body)
        assert problem(response) == (422, "invalid_input"), body
        assert list(response.json()["fields"]) == [field]
    assert (await visitor.get(f"{STORE}/program")).json() == after
    closed = await visitor.send("PATCH", f"{STORE}/program", json={"is_active": False})
    assert (closed.json()["status"], closed.json()["is_active"]) == ("inactive", False)
    refused = await visitor.post(f"{STORE}/stamp", json=by(cafe.anna, cafe.card.number), headers=key("1"))
    assert problem(refused) == (409, "program.inactive")


async def test_pins_are_made_changed_and_taken_back(till: Till, cafe: World) -> None:
    visitor = till(cafe)
    made = (await visitor.post(f"{STORE}/pins", json={"name": "Zoe"})).json()
    assert (made["name"], made["role"], made["status"], len(made["pin"])) == ("Zoe", "staff", "active", 4)
    zoe = {"card": cafe.card.number, "staff": made["id"], "pin": made["pin"]}
    assert (await visitor.post(f"{STORE}/stamp", json=zoe, headers=key("1"))).status_code == 200
    chosen = await visitor.send("PATCH", f"{STORE}/pins/{made['id']}", json={"pin": "8351", "name": "Zo\u00eb"})
    assert (chosen.json()["name"], chosen.json()["pin"]) == ("Zo\u00eb", None)
    again = await visitor.post(f"{STORE}/pins", json={"staff": made["id"], "pin": "8352"})
    assert (again.status_code, again.json()["pin"]) == (201, None)
    for body, field in (
        ({}, "staff"),
        ({"name": "A", "staff": made["id"]}, "staff"),
        ({"name": "A", "pin": "1234"}, "pin"),
        ({"name": "A", "pin": "12345"}, "pin"),
        ({"name": "A", "pin": 8352}, "pin"),
        ({"name": "", "pin": "8352"}, "name"),
        ({"name": "A", "role": "boss"}, "role"),
    ):
        response = await visitor.post(f"{STORE}/pins", json=body)
        assert problem(response) == (422, "invalid_input"), body
        assert list(response.json()["fields"]) == [field]
    assert problem(await visitor.post(f"{STORE}/pins", json={"name": "A", "role": "owner"})) == (403, "forbidden")
    assert (await visitor.send("DELETE", f"{STORE}/pins/{made['id']}")).status_code == 204
    assert problem(await visitor.send("DELETE", f"{STORE}/pins/{made['id']}")) == (404, "not_found")
    assert "8352" not in (await visitor.get(f"{STORE}/pins")).text


async def test_customers_are_found_filtered_and_paged(till: Till, cafe: World) -> None:
    for number in range(60):
        await cafe.add_card(f"guest{number:02}@example.org", name=f"Guest {number:02}")
    visitor = till(cafe)
    first = (await visitor.get(f"{STORE}/cards")).json()
    assert (len(first["items"]), first["total"], first["page"], first["size"], first["pages"]) == (50, 61, 1, 50, 2)
    second = (await visitor.get(f"{STORE}/cards?page=2")).json()
    assert len(second["items"]) == 11
    assert len({item["id"] for item in (*first["items"], *second["items"])}) == 61
    found = (await visitor.get(f"{STORE}/cards?q=guest+07")).json()
    assert [item["name"] for item in found["items"]] == ["Guest 07"]
    by_number = (await visitor.get(f"{STORE}/cards?q={cafe.card.number[:8]}")).json()
    assert [item["email"] for item in by_number["items"]] == [cafe.card.email]
    assert (await visitor.get(f"{STORE}/cards?filter=ready")).json()["total"] == 0
    card = found["items"][0]["cards"][0]
    assert (card["balances"], card["progress"]["stamps"]["label"]) == ({}, "0 / 10 stamps")


async def test_signed_in_staff_need_no_key(
    web: WebServer, make_world: Callable[..., Awaitable[World]], config: Config
) -> None:
    basic = await make_world("basic", offering="basic", features=("stamps", "stats"))
    await change(
        config,
        "INSERT INTO core.session (tenant_id, id, token_hash, staff_id, expires_at) "
        "VALUES (:tenant, gen_random_uuid(), :hash, :staff, now() + interval '1 hour')",
        tenant=basic.tenant.id,
        hash=digest("secret"),
        staff=basic.anna.id,
    )
    terminal = web.at(basic.host, cookie="rg_staff=secret", sec_fetch_site="same-origin")
    body = by(basic.anna, basic.card.number)
    assert (await terminal.post(f"{STORE}/stamp", json=body, headers=key("1"))).status_code == 200
    assert problem(await terminal.get(f"{STORE}/stats")) == (403, "forbidden")
    foreign = web.at(basic.host, cookie="rg_staff=secret", sec_fetch_site="cross-site")
    assert problem(await foreign.post(f"{STORE}/stamp", json=body, headers=key("2"))) == (403, "forbidden")


async def test_guessing_is_slowed_down(web: WebServer, cafe: World, pizza: World) -> None:
    visitor = web.at(cafe.host)
    for number in range(31):
        response = await visitor.client.post(f"{FRONT}/enroll", json={"email": f"m{number}@example.org", "terms": True})
    assert problem(response) == (429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 600
    await visitor.check(response)
    other = await web.at(pizza.host).post(f"{FRONT}/enroll", json={"email": "m@example.org", "terms": True})
    assert other.status_code == 201


async def test_customers_forms_do_not_use_up_the_tills(web: WebServer, cafe: World, sql: Connection) -> None:
    """Both come from the shop's one address; the till has a limit of its own."""
    customer, staff = web.at(cafe.host), await staff_at(web, sql, cafe)
    form = {"email": "nobody", "terms": "1"}
    statuses = [(await customer.submit("/join", form)).status_code for _ in range(31)]
    assert statuses == [422] * 30 + [429]
    assert (await staff.submit("/terminal/enrol", form)).status_code == 422


@pytest.fixture
async def operator(web: WebServer, config: Config) -> Browser:
    """Somebody who calls the admin API with an operator's key."""
    await change(
        config,
        "WITH boss AS (INSERT INTO core.operator (id, email, name, password_hash) VALUES "
        "(gen_random_uuid(), 'op@example.org', 'Op', 'x') RETURNING id) "
        "INSERT INTO core.operator_key (id, operator_id, name, prefix, key_hash) "
        "SELECT gen_random_uuid(), id, 'key', 'rk_ops_', :hash FROM boss",
        hash=digest("rk_ops_secret"),
    )
    return web.at("console.localhost", authorization="Bearer rk_ops_secret")


async def test_operators_see_all_programs(web: WebServer, operator: Browser, cafe: World, pizza: World) -> None:
    found = (await operator.get(f"{ADMIN}/programs")).json()
    assert [(one["merchant"], one["type"], one["status"], one["members"]) for one in found["items"]] == [
        ("Cafe", "stamps", "active", 1),
        ("Pizza", "stamps", "active", 1),
    ]
    one = (await operator.get(f"{ADMIN}/programs/prog_{pizza.program_id.hex}")).json()
    assert one == found["items"][1]
    assert (await operator.get(f"{ADMIN}/programs?q=pizz")).json()["total"] == 1
    assert (await operator.get(f"{ADMIN}/programs?type=points")).json()["total"] == 0
    figures = (await operator.get(f"{ADMIN}/stats")).json()
    assert (figures["programs_total"], figures["programs_by_type"]["stamps"], figures["members_total"]) == (2, 2, 2)
    for path in ("prog_0", f"prog_{'0' * 32}", f"card_{pizza.program_id.hex}"):
        assert problem(await operator.get(f"{ADMIN}/programs/{path}")) == (404, "not_found")
    for header in ("Bearer rk_ops_wrong", f"Bearer {cafe.api_key}", ""):
        stranger = web.at("console.localhost", authorization=header)
        assert problem(await stranger.get(f"{ADMIN}/stats")) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("feature", "method", "path"),
    [
        ("stats", "GET", f"{STORE}/stats"),
        ("staff_pins", "GET", f"{STORE}/pins"),
        ("cards", "GET", f"{STORE}/cards"),
        ("enrolment", "POST", f"{STORE}/cards/enroll"),
        ("enrolment", "POST", f"{FRONT}/enroll"),
    ],
)
async def test_a_feature_that_is_off_is_refused_by_name(
    feature: str,
    method: str,
    path: str,
    web: WebServer,
    make_world: Callable[..., Awaitable[World]],
    cafe: World,
    config: Config,
) -> None:
    without = tuple(name for name in (*PLUGINS, *HOST_FEATURES, "api_access") if name != feature)
    small = await make_world("small", offering="small", features=without)
    body = {"json": {"email": "zoe@example.org", "terms": True}} if method == "POST" else {}
    answers = [
        await web.at(world.host, authorization=f"Bearer {world.api_key}").send(method, path, **body)
        for world in (cafe, small)
    ]
    assert [answer.status_code for answer in answers] == [201 if body else 200, 403]
    problem_ = answers[1].json()
    assert (problem_["code"], problem_["feature"], problem_["included_in"]) == (
        "feature_not_in_offering",
        feature,
        "everything",
    )
