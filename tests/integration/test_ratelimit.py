"""Rate limits against a real Redis: counting, isolation of tenants, and the declared side while Redis is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from regulars.contracts.errors import RateLimited, Unavailable
from regulars.kernel.embedded import EmbeddedRedis
from regulars.kernel.ratelimit import Limit, Pace, RateLimiter, TooBusy
from regulars.kernel.redis import CircuitBreaker, TenantRedis

TENANT = UUID("01890000-0000-7000-8000-000000000001")
OTHER = UUID("01890000-0000-7000-8000-000000000002")
OPEN = Limit("lookup", count=2, window=60.0, fails="open")
CLOSED = Limit("signup", count=2, window=60.0, fails="closed")


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(Path(tmp_path_factory.mktemp("ratelimit"))) as server:
        yield server


@pytest.fixture
async def redis(redis_server: EmbeddedRedis) -> AsyncIterator[TenantRedis]:
    redis_server.start()
    async with Redis.from_url(redis_server.url) as raw:
        await raw.flushall()
    client = TenantRedis(redis_server.url)
    yield client
    await client.close()


async def test_the_third_try_is_one_too_many(redis: TenantRedis) -> None:
    limiter = RateLimiter(redis)
    assert [(await limiter.check(OPEN, TENANT, "1.2.3.4")).left for _ in range(2)] == [1, 0]
    with pytest.raises(RateLimited) as refused:
        await limiter.check(OPEN, TENANT, "1.2.3.4")
    assert refused.value.retry_after in {59, 60}


async def test_tenants_subjects_and_limits_are_counted_apart(redis: TenantRedis) -> None:
    limiter = RateLimiter(redis)
    seen = [
        (await limiter.check(limit, tenant, subject)).left
        for limit in (OPEN, CLOSED)
        for tenant in (TENANT, OTHER, None)
        for subject in ("a", "b")
    ]
    assert seen == [1] * 12


async def test_every_key_carries_the_tenant_and_ends(redis: TenantRedis, redis_server: EmbeddedRedis) -> None:
    limiter = RateLimiter(redis)
    await limiter.check(OPEN, TENANT, "ada@example.com")
    await limiter.check(CLOSED, None, "1.2.3.4")
    async with Redis.from_url(redis_server.url) as raw:
        keys = sorted(key.decode() for key in await raw.keys())
        assert [key.rsplit(":", 1)[0] for key in keys] == sorted([f"rl:{TENANT}:lookup", "rl:platform:signup"])
        assert "ada" not in "".join(keys)
        assert all([0 < await raw.pttl(key) <= 60_000 for key in keys])


@pytest.mark.fault
async def test_a_dead_redis_opens_some_limits_and_closes_others(
    redis: TenantRedis, redis_server: EmbeddedRedis
) -> None:
    limiter = RateLimiter(redis)
    await limiter.check(OPEN, TENANT, "a")
    redis_server.kill()
    started = time.monotonic()
    for _ in range(10):
        assert (await limiter.check(OPEN, TENANT, "a")).left == 2
        with pytest.raises(Unavailable) as refused:
            await limiter.check(CLOSED, TENANT, "a")
        assert refused.value.retry_after == 5
    assert time.monotonic() - started < 0.5, "twenty checks cost less than ten budgets"


@pytest.mark.fault
async def test_it_counts_again_when_redis_is_back(redis_server: EmbeddedRedis) -> None:
    redis_server.start()
    now = [0.0]
    client = TenantRedis(redis_server.url, CircuitBreaker(pause=2.0, clock=lambda: now[0]))
    limiter = RateLimiter(client)
    redis_server.kill()
    assert (await limiter.check(OPEN, OTHER, "back")).left == 2
    redis_server.start()
    assert (await limiter.check(OPEN, OTHER, "back")).left == 2, "left alone for the pause"
    now[0] += 2.0
    assert [(await limiter.check(OPEN, OTHER, "back")).left for _ in range(2)] == [1, 0]
    await client.close()


@pytest.mark.fault
async def test_a_silent_redis_costs_the_budget_and_no_more() -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = TenantRedis(f"redis://127.0.0.1:{port}/0")
    limiter = RateLimiter(client)
    costs = []
    for _ in range(6):
        started = time.monotonic()
        assert (await limiter.check(OPEN, TENANT, "a")).left == 2
        costs.append(time.monotonic() - started)
    assert all(0.04 < cost < 0.3 for cost in costs[:3])
    assert all(cost < 0.04 for cost in costs[3:]), "left alone after three silences"
    await client.close()
    server.close()


@pytest.mark.fault
async def test_an_error_answer_counts_as_away(redis: TenantRedis, redis_server: EmbeddedRedis) -> None:
    async with Redis.from_url(redis_server.url) as raw:
        await raw.config_set("maxmemory", "1")
        await raw.config_set("maxmemory-policy", "noeviction")
        try:
            with pytest.raises(Unavailable):
                await RateLimiter(redis).check(CLOSED, TENANT, "a")
        finally:
            await raw.config_set("maxmemory", "0")


async def test_all_processes_keep_one_pace(redis: TenantRedis, redis_server: EmbeddedRedis) -> None:
    """Forty turns of two processes at twenty a second are 50 ms apart, whoever takes them."""
    second = TenantRedis(redis_server.url)
    waits = [await client.reserve("pace", "google", 0.05, 10.0) for _ in range(20) for client in (redis, second)]
    await second.close()
    started = 40 * 0.05 - waits[-1] - 0.05
    assert waits == sorted(waits)
    assert all(0 <= later - earlier <= 0.0501 for earlier, later in pairwise(waits))
    assert 0 <= started < 1.0
    assert await redis.reserve("pace", "apple", 0.05, 10.0) == 0.0


async def test_a_turn_that_is_too_far_away_is_not_taken(redis: TenantRedis, redis_server: EmbeddedRedis) -> None:
    assert await redis.reserve("pace", "google", 3600.0, 10.0) == 0.0
    pace = Pace(redis)
    for _ in range(2):
        with pytest.raises(TooBusy) as refused:
            await pace.turn("google", 20)
        assert 3590 < refused.value.seconds <= 3600
    redis_server.stop()
    await pace.turn("google", 1 / 60)  # a tenth of the pace: one turn in ten minutes
    with pytest.raises(TooBusy) as alone:
        await pace.turn("google", 1 / 60)
    assert 590 < alone.value.seconds <= 600
