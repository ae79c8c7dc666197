"""Sales over the services: answers, order of checks, idempotency, round trips."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from asyncpg import Connection, PostgresError

from regulars.contracts.errors import IdempotencyInProgress, IdempotencyMismatch, InvalidInput, NotFound
from regulars.contracts.ledger import Purchase
from regulars.domain.cards.numbers import is_valid
from regulars.domain.ledger.commands import CardRef
from regulars.domain.ledger.engine import Ledger
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.testing.clock import Clock
from regulars.testing.till import Till, content
from regulars.testing.wire import counting
from regulars.testing.world import World

MakeTill = Callable[[World], Till]
Healthy = Callable[[], Awaitable[None]]


async def test_a_stamp_has_the_fields_of_the_brief(make_till: MakeTill, cafe: World, clock: Clock) -> None:
    answer = await make_till(cafe).sale()
    next_at = datetime.fromisoformat(content(answer)["next_stamp_available"])
    assert answer.status == 200
    assert content(answer) == {
        "success": True,
        "stamp_count": 1,
        "stamps_target": 10,
        "stamps_until_reward": 9,
        "message": "9 more stamps until your free coffee!",
        "next_stamp_available": content(answer)["next_stamp_available"],
    }
    assert timedelta(minutes=14) < next_at - await clock.now() <= timedelta(minutes=15)


async def test_ten_stamps_and_the_reward(
    make_till: MakeTill, cafe: World, clock: Clock, sql: Connection, healthy: Healthy
) -> None:
    till = make_till(cafe)
    counts = []
    for _ in range(10):
        counts.append(content(await till.sale())["stamp_count"])
        await clock.advance(hours=5)
    answer = await till.redeem()
    assert counts == list(range(1, 11))
    assert (answer.status, content(answer)["stamp_count"]) == (200, 0)
    assert await sql.fetchval("SELECT sum(amount) FROM core.ledger_entry") == 0
    await healthy()


async def test_checks_come_in_the_order_of_the_brief(
    make_till: MakeTill, cafe: World, clock: Clock, sql: Connection
) -> None:
    till = make_till(cafe)
    await till.sale()
    await sql.execute("UPDATE core.card SET status = 'blocked'")
    await sql.execute("UPDATE core.program SET status = 'inactive'")
    codes = [content(await till.sale(pin="0000"))["code"]]
    await sql.execute("UPDATE core.card SET status = 'active'")
    codes.append(content(await till.sale(pin="0000"))["code"])
    await sql.execute("UPDATE core.program SET status = 'active'")
    codes.append(content(await till.sale(pin="0000"))["code"])
    codes.append(content(await till.sale(5))["code"])
    await clock.advance(minutes=16)
    codes.append(content(await till.sale(5))["code"])
    assert codes == ["card.inactive", "program.inactive", "pin.wrong", "antifraud.cooldown", "antifraud.daily_limit"]
    assert await sql.fetchval("SELECT pin_failures FROM core.staff WHERE id = $1", cafe.anna.id) == 0


async def test_a_refusal_leaves_only_its_traces(make_till: MakeTill, cafe: World, sql: Connection) -> None:
    till = make_till(cafe)
    await till.sale()
    before = await fingerprint(sql)
    answer = await till.sale()
    assert content(answer)["code"] == "antifraud.cooldown"
    assert await fingerprint(sql) == before
    traces = "SELECT outcome, details->>'code' AS code FROM core.audit_log ORDER BY created_at DESC, id DESC LIMIT 1"
    assert tuple(await sql.fetchrow(traces)) == ("refused", "antifraud.cooldown")


async def fingerprint(sql: Connection) -> dict[str, str]:
    """A hash over every row of the tables that a refusal must not touch (invariant L11)."""
    tables = ("account", "card", "ledger_entry", "ledger_lot", "ledger_lot_use", "member", "outbox_event", "sale")
    query = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM core.{} t"
    return {table: await sql.fetchval(query.format(table)) for table in tables}


async def test_same_key_same_request_gives_the_same_bytes(make_till: MakeTill, cafe: World, sql: Connection) -> None:
    till = make_till(cafe)
    first, again = await till.sale(key="k"), await till.sale(key="k")
    assert (again.body, again.status, again.replayed) == (first.body, first.status, True)
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 1


async def test_a_refusal_is_replayed_too(make_till: MakeTill, cafe: World, clock: Clock) -> None:
    till = make_till(cafe)
    await till.sale()
    refused = await till.sale(key="k")
    await clock.advance(hours=1)
    again = await till.sale(key="k")
    assert (again.body, again.replayed, again.refused) == (refused.body, True, True)


async def test_same_key_other_request_is_refused(make_till: MakeTill, cafe: World) -> None:
    till = make_till(cafe)
    await till.sale(1, key="k")
    with pytest.raises(IdempotencyMismatch):
        await till.sale(2, key="k")


async def test_keys_of_one_tenant_never_answer_another(make_till: MakeTill, cafe: World, pizza: World) -> None:
    one, other = await make_till(cafe).sale(key="k"), await make_till(pizza).sale(key="k")
    assert (one.replayed, other.replayed) == (False, False)


async def test_fifty_keys_sent_many_times_at_once(
    make_till: MakeTill, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    """I1: one key has at most one set of effects, whatever the concurrency."""
    cards = [await cafe.add_card(f"m{n}@example.com") for n in range(10)]
    till = make_till(cafe)

    async def send(n: int) -> bytes | None:
        try:
            return (await till.sale(card=cards[n % 10], key=f"key {n % 10}")).body
        except IdempotencyInProgress:
            return None

    answers = await asyncio.gather(*(send(n) for n in range(100)))
    for n in range(10):
        assert len({body for body in answers[n::10] if body is not None}) == 1
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 10
    await healthy()


async def test_validation_is_not_stored(make_till: MakeTill, cafe: World, sql: Connection) -> None:
    till = make_till(cafe)
    without_pin = replace(till.attempt(None, None, None, "k", body="x"), pin=None)
    with pytest.raises(InvalidInput) as refused:
        async with till.database.tenant(cafe.tenant.id) as session:
            await Sales(till.ledger).record(session, cafe.context(), SaleCommand(without_pin, "stamps", Purchase(1)))
    assert refused.value.fields == {"pin": "Say who you are and enter the PIN."}
    assert await sql.fetchval("SELECT count(*) FROM core.idempotency") == 0


async def test_external_sale_counts_once_even_with_new_keys(
    make_till: MakeTill, cafe: World, clock: Clock, sql: Connection
) -> None:
    """L9: the order's number protects longer than any idempotency key."""
    till = make_till(cafe)
    await till.sale(external_ref="order 1", key="a")
    await sql.execute("DELETE FROM core.idempotency")
    await clock.advance(days=40)
    again = await till.sale(external_ref="order 1", key="b")
    assert content(again)["code"] == "sale.already_counted"


async def test_foreign_and_unknown_shops_are_refused_alike(
    make_till: MakeTill, cafe: World, pizza: World, sql: Connection
) -> None:
    till = make_till(cafe)
    for shop_id in (pizza.shop_id, cafe.card.id):
        attempt = replace(till.attempt(None, None, None, "k", body="x"), shop_id=shop_id)
        with pytest.raises(InvalidInput) as refused:
            async with till.database.tenant(cafe.tenant.id) as session:
                await Sales(till.ledger).record(session, cafe.context(), SaleCommand(attempt, "stamps", Purchase(1)))
        assert refused.value.fields == {"shop": "There is no such shop here."}
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 0


async def test_double_scan_on_two_terminals_counts_once(
    make_till: MakeTill, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    """E2: the second transaction waits for the first one's lock and must then see its stamp."""
    till = make_till(cafe)
    command = SaleCommand(till.attempt(None, None, None, "one", body="a"), "stamps", Purchase(1))
    async with till.database.tenant(cafe.tenant.id) as session:
        first = await Sales(till.ledger).record(session, cafe.context(), command)
        second = asyncio.create_task(till.sale(key="two", staff=cafe.staff[1]))
        await until_blocked(sql)
    assert (first.status, content(await second)["code"]) == (200, "antifraud.cooldown")
    assert await sql.fetchval("SELECT count(*) FROM core.sale") == 1
    await healthy()


async def until_blocked(sql: Connection) -> None:
    """Wait until some session waits for a lock."""
    async with asyncio.timeout(5):
        while not await sql.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0)


async def test_five_wrong_pins_lock_and_the_next_are_not_looked_at(
    make_till: MakeTill, cafe: World, clock: Clock, sql: Connection
) -> None:
    till = make_till(cafe)
    codes = [content(await till.sale(pin="0000"))["code"] for _ in range(6)]
    right = content(await till.sale())["code"]
    other = await till.sale(staff=cafe.staff[1])
    assert codes == ["pin.wrong"] * 4 + ["pin.locked"] * 2
    assert (right, other.status) == ("pin.locked", 200)
    assert await sql.fetchval("SELECT pin_failures FROM core.staff WHERE id = $1", cafe.anna.id) == 5
    await clock.advance(minutes=31)
    assert (await till.sale()).status == 200


async def test_many_wrong_pins_at_once_are_counted_one_by_one(
    make_till: MakeTill, cafe: World, sql: Connection
) -> None:
    """P1: at most five of all attempts are evaluated."""
    till = make_till(cafe)
    answers = await asyncio.gather(*(till.sale(pin="0000") for _ in range(40)))
    codes = [content(answer)["code"] for answer in answers]
    assert (codes.count("pin.wrong"), codes.count("pin.locked")) == (4, 36)
    assert await sql.fetchval("SELECT pin_failures FROM core.staff WHERE id = $1", cafe.anna.id) == 5


async def test_unknown_and_foreign_cards_look_the_same(make_till: MakeTill, cafe: World, pizza: World) -> None:
    till = make_till(cafe)
    with pytest.raises(NotFound) as unknown:
        CardRef.parse("not a card")
    with pytest.raises(NotFound) as foreign:
        await till.sale(card=pizza.card)
    assert (unknown.value.status, foreign.value.status) == (404, 404)


@pytest.mark.parametrize("plugins", [("stamps",), ("stamps", "antifraud")])
async def test_a_sale_is_six_round_trips(
    plugins: tuple[str, ...], config: Config, ledger: Ledger, make_world: Callable[..., Awaitable[World]], clock: Clock
) -> None:
    world = await make_world("cafe", offering="o", features=plugins)
    async with counting(config.database_url_app) as wire:
        database = Database(config.model_copy(update={"database_url_app": wire.url, "pool_size": 1}))
        till = Till(world, database, ledger)
        await till.sale()
        await clock.advance(hours=1)
        wire.reset()
        sold = await till.sale()
        trips = [wire.round_trips]
        wire.reset()
        refused = await till.sale(pin="0000")
        trips.append(wire.round_trips)
        wire.reset()
        unknown = await till.sale(staff=world.anna.__class__(world.shop_id, "Nobody", "staff", "1111"))
        trips.append(wire.round_trips)
        await database.close()
    assert (sold.status, refused.status, unknown.status) == (200, 403, 403)
    assert trips == [6, 6, 6]


async def test_days_begin_at_midnight_of_the_programs_zone(make_till: MakeTill, cafe: World, clock: Clock) -> None:
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=2)
    till = make_till(cafe)
    evening = datetime(2027, 3, 27, 23, 50, tzinfo=ZoneInfo("Europe/Luxembourg"))
    await clock.set(evening)
    await till.sale(2)
    refused = content(await till.sale())
    await clock.advance(minutes=11)
    assert (refused["code"], (await till.sale()).status) == ("antifraud.daily_limit", 200)
    assert refused["retry_at"] == "2027-03-27T23:00:00+00:00"


async def test_a_day_with_two_midnights_is_one_day(
    make_till: MakeTill, cafe: World, clock: Clock, sql: Connection
) -> None:
    """On the Azores the clocks go back from one to midnight: the hour before counts for the day too."""
    await sql.execute("UPDATE core.program SET timezone = 'Atlantic/Azores'")
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=2)
    till = make_till(cafe)
    await clock.set(datetime(2027, 10, 31, 0, 30, tzinfo=UTC))  # 00:30 for the first time
    codes = [(await till.sale(2)).status, content(await till.sale())["code"]]
    await clock.advance(hours=1)  # 00:30 for the second time
    codes.append(content(await till.sale())["code"])
    await clock.set(datetime(2027, 11, 1, 1, 30, tzinfo=UTC))
    codes.append((await till.sale(2)).status)
    assert codes == [200, "antifraud.daily_limit", "antifraud.daily_limit", 200]


async def test_without_pins_nobody_acts_in_anothers_name(make_till: MakeTill, cafe: World, sql: Connection) -> None:
    """A name without a PIN is no proof: neither the ledger nor the log takes it for one, nor can it undo."""
    await sql.execute("UPDATE core.program SET require_pin = false")
    till = make_till(cafe)
    assert (await till.sale()).status == 200
    named = replace(till.attempt(None, None, None, "undo", body="undo"), pin=None)
    async with till.database.tenant(cafe.tenant.id) as session:
        refused = await Sales(till.ledger).undo(session, cafe.context(), named)
    assert content(refused)["code"] == "undo.not_yours"
    last = "SELECT actor_kind, actor_id FROM core.audit_log ORDER BY created_at DESC, id DESC LIMIT 1"
    assert tuple(await sql.fetchrow(last)) == ("api_key", cafe.api_key_id)
    assert (await till.undo()).status == 200


async def test_a_stored_answer_outlives_the_name_of_its_card(make_till: MakeTill, cafe: World, sql: Connection) -> None:
    """I2: the same request gets the same bytes, also when its eight digits have come to mean two cards."""
    till = make_till(cafe)
    short = CardRef.parse(cafe.card.number[:8])
    attempt = replace(till.attempt(None, None, None, "k", body="x"), card=short)
    command = SaleCommand(attempt, "stamps", Purchase(1))
    async with till.database.tenant(cafe.tenant.id) as session:
        first = await Sales(till.ledger).record(session, cafe.context(), command)
    twin = await cafe.add_card("twin@example.com")
    number = next(
        n for end in range(10000) if is_valid(n := f"{cafe.card.number[:8]}{end:04}") and n != cafe.card.number
    )
    await sql.execute("UPDATE core.card SET number = $2 WHERE id = $1", twin.id, number)
    async with till.database.tenant(cafe.tenant.id) as session:
        again = await Sales(till.ledger).record(session, cafe.context(), command)
    assert (again.body, again.replayed) == (first.body, True)
    nobody = replace(attempt, card=CardRef("id", new_id()), claim=replace(attempt.claim, request_hash=b"other"))
    with pytest.raises(IdempotencyMismatch):
        async with till.database.tenant(cafe.tenant.id) as session:
            await Sales(till.ledger).record(session, cafe.context(), replace(command, attempt=nobody))


async def test_ledger_entries_never_change(make_till: MakeTill, cafe: World, sql: Connection, config: Config) -> None:
    """L1: neither the app role nor the owner can change, remove or empty the ledger."""
    await make_till(cafe).sale()
    for statement in (
        "UPDATE core.ledger_entry SET amount = 2",
        "DELETE FROM core.ledger_entry",
        "TRUNCATE core.ledger_entry CASCADE",
    ):
        with pytest.raises(PostgresError) as refused:
            await sql.execute(statement)
        assert refused.value.sqlstate == "RG002"


async def test_many_redeems_at_once_hand_over_one_reward(
    make_till: MakeTill, cafe: World, clock: Clock, sql: Connection, healthy: Healthy
) -> None:
    """E1 for one card: the units are there once."""
    await cafe.set_settings("stamps", target=2)
    till = make_till(cafe)
    await till.sale(2)
    answers = await asyncio.gather(*(till.redeem() for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    assert await sql.fetchval("SELECT count(*) FROM core.redemption") == 1
    await healthy()


async def test_many_undos_at_once_take_back_once(
    make_till: MakeTill, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    """L5: a reversal names its original once."""
    till = make_till(cafe)
    await till.sale()
    answers = await asyncio.gather(*(till.undo() for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    assert await sql.fetchval("SELECT count(*) FROM core.ledger_entry WHERE kind = 'reverse'") == 1
    await healthy()


async def test_many_sales_at_once_stay_within_the_day(
    make_till: MakeTill, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    """P3: the limit is judged under the card's lock; entries' times never go back though waiters began earlier (L8)."""
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=5)
    till = make_till(cafe)
    answers = await asyncio.gather(*(till.sale() for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [409] * 15
    assert await sql.fetchval("SELECT sum(amount) FROM core.ledger_entry") == 5
    await healthy()


async def test_sale_redeem_and_undo_at_once_leave_the_ledger_whole(
    make_till: MakeTill, cafe: World, clock: Clock, healthy: Healthy
) -> None:
    """E4, as far as there are these three."""
    await cafe.set_settings("stamps", target=2)
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    till = make_till(cafe)
    await till.sale(4)
    await asyncio.gather(*(act() for _ in range(8) for act in (till.sale, till.redeem, till.undo)))
    await healthy()
