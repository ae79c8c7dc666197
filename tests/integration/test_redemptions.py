"""The life of a redemption over the API and in jobs: put aside, handed out, given back, not used in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from asyncpg import Connection

from regulars.domain.jobs import make_job_registry
from regulars.domain.ledger.engine import Ledger
from regulars.domain.redemptions.life import BEGINNINGS, MOVES, TITLES, State, after, beginning
from regulars.domain.redemptions.service import Redemptions
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import enqueue
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import Clock
from regulars.testing.jobs import FixedSnapshots, run_pending
from regulars.testing.till import Till, content
from regulars.testing.web import Browser
from regulars.testing.world import World

BASE = "/api/v1/store/loyalty"
NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)
BALANCE = "SELECT balance FROM core.account WHERE card_id = $1"
STEPS = "SELECT number, status, fulfilment FROM core.redemption_step ORDER BY redemption_id, number"
_keys = count(1)
Shop = Callable[..., Awaitable[httpx.Response]]
Healthy = Callable[[], Awaitable[None]]


@pytest.fixture
async def full(cafe: World, make_till: Callable[[World], Till], clock: Clock) -> Till:
    """A till, and a card with 12 stamps in two lots."""
    await clock.set(NOON)
    await cafe.set_settings("antifraud", cooldown_minutes=0, max_daily_stamps=100)
    till = make_till(cafe)
    await till.sale(5)
    await till.sale(7)
    return till


@pytest.fixture
def shop(cafe: World, till: Callable[[World], Browser]) -> Shop:
    """Posts to the API with a fresh key."""
    browser = till(cafe)

    async def post(path: str, **body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": f"red-{next(_keys)}"}
        return await browser.post(f"{BASE}{path}", json=body, headers=headers)

    return post


def asked(cafe: World, **more: Any) -> dict[str, Any]:
    return {"card": cafe.card.number, "reward": "stamps.full_card", "hold": True, "channel": "online", **more}


def test_every_state_is_reached_and_named_and_whatever_gives_back_is_the_end() -> None:
    reached = BEGINNINGS | set(MOVES.values())
    assert reached == set(TITLES)
    assert {state for state, _move in MOVES} == {state for state in reached if not state.gives_back}
    refusal = after(State("released"), "capture")
    assert not isinstance(refusal, State)
    assert refusal.code == "redemption.not_possible"


async def test_a_held_reward_is_spent_and_captured_exactly_once(
    full: Till, shop: Shop, cafe: World, sql: Connection, till: Callable[[World], Browser], healthy: Healthy
) -> None:
    held = await shop("/redemptions", **asked(cafe))
    told = held.json()
    assert (held.status_code, told["status"], told["fulfilment"]) == (201, "held", "none")
    assert len(told["code"]) == 8
    assert datetime.fromisoformat(told["expires_at"]) - datetime.fromisoformat(told["created_at"]) == timedelta(days=7)
    assert await sql.fetchval(BALANCE, cafe.card.id) == 2
    first = await shop(f"/redemptions/{told['id']}/capture", channel="online")
    second = await shop(f"/redemptions/{told['id']}/capture", channel="online")
    third = await shop(f"/redemptions/{told['id']}/release", channel="online")
    assert (first.status_code, first.json()["status"]) == (200, "captured")
    assert [(a.status_code, a.json()["code"]) for a in (second, third)] == [(409, "redemption.not_possible")] * 2
    found = (await till(cafe).get(f"{BASE}/redemptions?status=captured&q={told['code'].lower()}")).json()
    assert (found["total"], found["items"]) == (1, [first.json()])
    assert (await till(cafe).get(f"{BASE}/redemptions/{told['id']}")).json() == first.json()
    assert [tuple(row) for row in await sql.fetch(STEPS)] == [(1, "held", ""), (2, "captured", "")]
    await healthy()


async def test_what_is_released_goes_back_into_its_lots(
    full: Till, shop: Shop, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    lots = "SELECT amount_left FROM core.ledger_lot WHERE card_id = $1 ORDER BY created_at, id"
    before = [row["amount_left"] for row in await sql.fetch(lots, cafe.card.id)]
    told = (await shop("/redemptions", **asked(cafe))).json()
    assert sum(row["amount_left"] for row in await sql.fetch(lots, cafe.card.id)) == 2
    released = await shop(f"/redemptions/{told['id']}/release", channel="online")
    again = await shop(f"/redemptions/{told['id']}/release", channel="online")
    assert (released.json()["status"], again.json()["code"]) == ("released", "redemption.not_possible")
    assert [row["amount_left"] for row in await sql.fetch(lots, cafe.card.id)] == before
    assert await sql.fetchval("SELECT count(*) FROM core.outbox_event WHERE name = 'redemption.undone'") == 1
    await healthy()


async def test_a_lot_that_expired_meanwhile_comes_back_as_a_new_one(
    full: Till, shop: Shop, cafe: World, sql: Connection, clock: Clock, healthy: Healthy
) -> None:
    told = (await shop("/redemptions", **asked(cafe))).json()
    soon = NOON + timedelta(hours=1)
    await sql.execute("UPDATE core.ledger_lot SET expires_at = $1 WHERE amount = 5", soon)
    await clock.set(NOON + timedelta(hours=2))
    await shop(f"/redemptions/{told['id']}/release", channel="online")
    rows = await sql.fetch("SELECT amount, amount_left, expires_at FROM core.ledger_lot WHERE expires_at IS NOT NULL")
    old, new = sorted(rows, key=lambda row: row["expires_at"])
    assert (old["amount"], old["amount_left"], new["amount"], new["amount_left"]) == (5, 0, 5, 5)
    assert timedelta(days=30) <= new["expires_at"] - (NOON + timedelta(hours=2)) < timedelta(days=30, minutes=1)
    assert await sql.fetchval(BALANCE, cafe.card.id) == 12
    await healthy()


async def test_a_hold_expires_by_itself_and_only_then(
    full: Till,
    shop: Shop,
    cafe: World,
    sql: Connection,
    clock: Clock,
    database: Database,
    registry: PluginRegistry,
    ledger: Ledger,
    healthy: Healthy,
) -> None:
    told = (await shop("/redemptions", **asked(cafe))).json()
    last_activity = "SELECT last_activity_at FROM core.member WHERE id = $1"
    seen = await sql.fetchval(last_activity, cafe.card.member_id)

    async def run() -> None:
        async with database.tenant(cafe.tenant.id) as session:
            await enqueue(session, "core.expire_holds", {})
        jobs, services = make_job_registry(registry), {Redemptions: Redemptions(ledger)}
        outcomes = await run_pending(database, jobs, FixedSnapshots([cafe.tenant]), services=services)
        assert ("core.expire_holds", "done") in [(name, outcome.value) for name, outcome in outcomes]

    await run()
    assert await sql.fetchval("SELECT status FROM core.redemption") == "held"
    await clock.set(NOON + timedelta(days=7, minutes=1))
    late = await shop(f"/redemptions/{told['id']}/capture", channel="online")
    assert (late.status_code, late.json()["code"]) == (409, "redemption.too_late")
    await run()
    await run()
    assert await sql.fetchval("SELECT status FROM core.redemption") == "expired"
    assert await sql.fetchval(BALANCE, cafe.card.id) == 12
    assert await sql.fetchval(last_activity, cafe.card.member_id) == seen
    assert [tuple(row) for row in await sql.fetch(STEPS)] == [(1, "held", ""), (2, "expired", "")]
    await healthy()


async def test_undo_at_the_till_releases_a_hold_of_ones_own(
    full: Till, shop: Shop, cafe: World, sql: Connection, healthy: Healthy
) -> None:
    from regulars.kernel import ids

    person = {"staff": ids.show(ids.STAFF, cafe.anna.id), "pin": cafe.anna.pin}
    told = await shop("/redemptions", **asked(cafe, channel="store", **person))
    assert told.status_code == 201
    assert (await full.undo()).status == 200
    assert await sql.fetchval("SELECT status FROM core.redemption") == "released"
    assert content(await full.redeem())["stamp_count"] == 2
    await healthy()


async def test_at_a_till_a_pin_is_asked_for(full: Till, shop: Shop, cafe: World, sql: Connection) -> None:
    answer = await shop("/redemptions", **asked(cafe, channel="store"))
    assert (answer.status_code, sorted(answer.json()["fields"])) == (422, ["pin", "staff"])
    assert await sql.fetchval("SELECT count(*) FROM core.redemption") == 0


async def test_only_what_is_sent_has_a_parcel(full: Till, shop: Shop, cafe: World) -> None:
    told = (await shop("/redemptions", **asked(cafe))).json()
    answer = await shop(f"/redemptions/{told['id']}/fulfilment", status="shipped")
    assert (answer.status_code, answer.json()["code"]) == (409, "redemption.not_possible")


def test_what_is_sent_begins_as_an_order_and_a_foreign_code_is_handed_out_at_once() -> None:
    from regulars.contracts.ledger import RewardOffer

    def offer(**more: Any) -> RewardOffer:
        return RewardOffer("shop.mug", "mug", "Mug", "points", 5, None, ready=True, missing=0, **more)

    assert beginning(offer(fulfilment="shipping"), hold=False) == State("held", "ordered")
    assert beginning(offer(fulfilment="code", code="ABC"), hold=True) == State("captured")
    assert beginning(offer(fulfilment="code"), hold=True) == State("held")
    assert beginning(offer(), hold=False) == State("captured")
