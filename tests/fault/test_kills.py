"""Kill -9 at random moments under load: every acknowledged sale, bill and merge is there exactly once, and whole."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from asyncpg import connect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.domain.ledger.invariants import breaches
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.installation import Installation, installation
from regulars.testing.world import World, make_tenant

pytestmark = pytest.mark.fault
CLIENTS, SALES, ROUNDS = 20, 6, 10
FREE = {"stamps": {"target": 50}, "antifraud": {"cooldown_minutes": 0, "max_daily_stamps": 1000}}
STAFF = [(f"Staff {n}", "staff", f"{2580 + n}") for n in range(8)]
AGAIN = {409, 429, 500, 502, 503, 504}


@pytest.fixture(scope="module")
async def running(registry: PluginRegistry) -> AsyncIterator[Installation]:
    async with installation(registry) as started:
        yield started


@pytest.fixture(scope="module")
async def shop(running: Installation) -> World:
    world = await make_tenant(running.config, "cafe", settings=FREE, staff=STAFF)
    for number in range(CLIENTS):
        await world.add_card(f"m{number}@example.com")
    return world


async def sell(running: Installation, world: World, number: int, acknowledged: list[str]) -> None:
    """One till: sells with a new key each time and sends again until it is told that it worked."""
    staff, card = world.staff[number % len(world.staff)], world.cards[1 + number]
    async with httpx.AsyncClient(base_url=running.address(), timeout=10, verify=False) as client:
        for _ in range(SALES):
            key = uuid4().hex
            body = {"card": card.number, "staff": f"staff_{staff.id.hex}", "pin": staff.pin}
            await insist(running, client, world, "stamp", body, key)
            acknowledged.append(key)


async def insist(
    running: Installation, client: httpx.AsyncClient, world: World, path: str, body: Mapping[str, Any], key: str
) -> Any:
    """Send a request with one key until it is told that it worked."""
    headers = {"Host": world.host, "Authorization": f"Bearer {world.api_key}", "Idempotency-Key": key}
    while True:
        try:
            answer = await client.post(f"/api/v1/store/loyalty/{path}", json=body, headers=headers)
        except httpx.TransportError:
            await running.until_ready()
            continue
        if answer.status_code in {200, 201}:
            return answer.json()
        assert answer.status_code in AGAIN, answer.text
        await asyncio.sleep(0.1)


async def split_and_merge(running: Installation, world: World, number: int, acknowledged: list[str]) -> None:
    """Two friends pay a bill together, turn out to be one person, and not to be."""
    staff = world.staff[number % len(world.staff)]
    one, other = world.cards[1 + 2 * number : 3 + 2 * number]
    bill = {
        "shares": [{"card": one.number}, {"card": other.number}],
        "amount_minor": 1000,
        "staff": f"staff_{staff.id.hex}",
        "pin": staff.pin,
    }
    both = {"from": f"mem_{other.member_id.hex}", "into": f"mem_{one.member_id.hex}", "reason": "one phone"}
    async with httpx.AsyncClient(base_url=running.address(), timeout=10, verify=False) as client:
        for _ in range(2):
            key = uuid4().hex
            await insist(running, client, world, "bills", bill, key)
            acknowledged.append(key)
            merged = await insist(running, client, world, "members/merge", both, uuid4().hex)
            await insist(running, client, world, f"members/merges/{merged['id']}/undo", {}, uuid4().hex)


async def under_load(
    running: Installation,
    world: World,
    fault: Callable[[], None],
    dice: random.Random,
    till: Callable[..., Awaitable[None]] = sell,
    clients: int = CLIENTS,
) -> list[str]:
    """Run all tills, let the fault happen at a random moment, and give the keys that were acknowledged."""
    acknowledged: list[str] = []

    async def strike() -> None:
        await asyncio.sleep(dice.uniform(0.02, 0.6))
        await asyncio.to_thread(fault)

    async with asyncio.timeout(120):
        await asyncio.gather(strike(), *(till(running, world, n, acknowledged) for n in range(clients)))
    return acknowledged


async def check(running: Installation, acknowledged: list[str]) -> None:
    """Every acknowledged key has exactly one sale, and nothing of the ledger is broken."""
    connection = await connect(running.config.database_url_migrator.replace("+asyncpg", ""))
    rows = await connection.fetch(
        "SELECT i.key, count(s.id) AS sales FROM core.idempotency i LEFT JOIN core.sale s "
        "ON s.tenant_id = i.tenant_id AND s.id = i.sale_id WHERE i.key = ANY($1) GROUP BY i.key",
        acknowledged,
    )
    total = await connection.fetchval("SELECT count(DISTINCT coalesce(bill_id, id)) FROM core.sale")
    keys = await connection.fetchval("SELECT count(*) FROM core.idempotency WHERE sale_id IS NOT NULL")
    await connection.close()
    assert Counter({row["key"]: row["sales"] for row in rows}) == Counter(acknowledged)
    assert total == keys
    engine = create_async_engine(running.config.database_url_migrator, poolclass=NullPool)
    async with engine.connect() as opened:
        assert await breaches(opened) == []


def fault_of(running: Installation, victim: str) -> Callable[[], None]:
    """Kill somebody and start them again."""

    def fault() -> None:
        if victim == "postgres":
            running.postgres.kill()
            running.postgres.start()
        elif victim == "redis":
            running.redis.kill()
            running.redis.start()
        else:
            process = running.web[0] if victim == "web" else running.worker
            process.kill()
            process.start()

    return fault


@pytest.mark.parametrize("victim", ["web", "worker", "postgres", "redis"])
async def test_no_acknowledged_sale_is_lost_or_doubled(running: Installation, shop: World, victim: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    fault = fault_of(running, victim)
    for _ in range(ROUNDS):
        acknowledged = await under_load(running, shop, fault, dice)
        assert len(acknowledged) == CLIENTS * SALES
        await check(running, acknowledged)


@pytest.mark.parametrize("victim", ["web", "postgres"])
async def test_bills_and_merges_are_whole_or_not_there(running: Installation, shop: World, victim: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    clients, fault = 8, fault_of(running, victim)
    acknowledged = await under_load(running, shop, fault, random.Random(seed), split_and_merge, clients)
    assert len(acknowledged) == 2 * clients
    engine = create_async_engine(running.config.database_url_migrator, poolclass=NullPool)
    async with engine.connect() as opened:
        sales = text(
            "SELECT (SELECT count(*) FROM core.sale s WHERE s.tenant_id = i.tenant_id AND s.bill_id = i.sale_id)"
            " FROM core.idempotency i WHERE i.key = ANY(:keys)"
        )
        assert list((await opened.execute(sales, {"keys": acknowledged})).scalars()) == [2] * len(acknowledged)
        merges = text("SELECT count(*), count(undone_at) FROM core.member_merge")
        made, undone = (await opened.execute(merges)).one()
        assert (made % len(acknowledged), undone) == (0, made), "each once, whatever died, and undone"
        assert await breaches(opened) == []
