"""The one way to Redis. Every key carries the tenant, every command has a budget, and a dead or slow Redis
is left alone for a while instead of slowing each request down.

Nothing that matters is kept here: it may be lost at any time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

T = TypeVar("T")
BUDGET = 0.05
PLATFORM_SCOPE = "platform"
SILENCE = 10.0
"""Seconds without a message after which a listener asks for a sign of life."""
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""

_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if free - now <= tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], string.format('%.0f', free + ARGV[1]), 'PX', math.ceil((free - now + ARGV[1]) / 1000))
end
return string.format('%.0f', free - now)
"""


class RedisDown(Exception):
    """Redis did not answer in time, answered with an error, or is being left alone after such a fault."""


class Count(NamedTuple):
    """How often something happened in the current window, and the seconds until the window ends."""

    hits: int
    seconds_left: float


class Heard(NamedTuple):
    """A message of a channel."""

    tenant_id: UUID
    text: str


class Facts(NamedTuple):
    """What a server says of itself.

    Attributes:
        version: such as 7.0.15.
        eviction: what it does when it is full; `noeviction` refuses.
    """

    version: str
    eviction: str


async def facts(url: str) -> Facts:
    """Ask a server about itself.

    Raises:
        RedisDown: it does not answer.
    """
    client: Redis = Redis.from_url(url, socket_connect_timeout=2.0, socket_timeout=2.0)
    try:
        told = await client.info("server") | await client.info("memory")
    except (RedisError, OSError) as error:
        raise RedisDown(str(error)) from error
    finally:
        await client.aclose()
    return Facts(str(told["redis_version"]), str(told["maxmemory_policy"]))


class CircuitBreaker:
    """Remembers faults: open (nobody tries) for a pause after some in a row, then one caller may try.

    Args:
        faults: slow answers in a row that open it; a refused connection opens it at once.
        pause: seconds for which it stays open.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, faults: int = 3, pause: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._faults = faults
        self._pause = pause
        self._clock = clock
        self._in_a_row = 0
        self._closed_again_at = 0.0

    def allows(self) -> bool:
        """Whether to try. After the pause the first caller may, the others wait for how it goes."""
        if self._in_a_row < self._faults:
            return True
        now = self._clock()
        if now < self._closed_again_at:
            return False
        self._closed_again_at = now + self._pause
        return True

    def succeeded(self) -> None:
        """Close it."""
        self._in_a_row = 0

    def failed(self, *, certain: bool) -> None:
        """Count a fault; `certain` ones (connection refused, error answer) open it at once."""
        self._in_a_row = self._faults if certain else self._in_a_row + 1
        self._closed_again_at = self._clock() + self._pause


class TenantRedis:
    """Client of one process.

    Args:
        url: `redis://…`.
        breaker: shared by all commands.
    """

    def __init__(self, url: str, breaker: CircuitBreaker | None = None) -> None:
        self._client: Redis = Redis.from_url(url, socket_connect_timeout=1.0)
        self._breaker = breaker or CircuitBreaker()
        self._counter = self._client.register_script(_COUNT)
        self._reserver = self._client.register_script(_RESERVE)

    async def count(
        self, kind: str, tenant_id: UUID | None, name: str, subject: str, window: float, budget: float = BUDGET
    ) -> Count:
        """Count one occurrence in a window that begins with the first.

        Args:
            kind: what the key is for, its first part.
            tenant_id: whose it is, `None` for the platform's own.
            name: what is counted.
            subject: of whom.
            window: length in seconds.
            budget: seconds to wait for the answer.

        Raises:
            RedisDown: no answer within the budget.
        """
        key = scoped_key(kind, tenant_id, name, subject)
        hits, milliseconds = await self._within(lambda: self._counter(keys=[key], args=[int(window * 1000)]), budget)
        return Count(int(hits), max(0.0, int(milliseconds) / 1000))

    async def reserve(self, kind: str, name: str, interval: float, longest: float, budget: float = BUDGET) -> float:
        """Take the next free moment of something that all processes together do at a steady pace.

        Args:
            kind: what the key is for, its first part.
            name: of what is paced, for the whole platform.
            interval: seconds between two moments.
            longest: seconds that somebody waits; a later moment is told but not taken.
            budget: seconds to wait for the answer.

        Returns:
            Seconds until the moment.

        Raises:
            RedisDown: no answer within the budget.
        """
        key, steps = scoped_key(kind, None, name), [round(interval * 1e6), round(longest * 1e6)]
        return int(await self._within(lambda: self._reserver(keys=[key], args=steps), budget)) / 1e6

    async def publish(self, kind: str, messages: Mapping[UUID, str], budget: float = BUDGET) -> None:
        """Tell whoever listens now, one message for each tenant.

        Args:
            kind: of the channels.
            messages: tenant → text.
            budget: seconds to wait until Redis has them all.

        Raises:
            RedisDown: it does not; some may have been told.
        """
        pipeline = self._client.pipeline(transaction=False)
        for tenant_id, text in messages.items():
            pipeline.publish(scoped_key(kind, tenant_id), text)
        await self._within(pipeline.execute, budget)

    @asynccontextmanager
    async def listening(self, kind: str) -> AsyncIterator[AsyncIterator[Heard]]:
        """Hear every tenant's messages, on a connection of its own.

        Args:
            kind: of the channels.

        Raises:
            RedisDown: there is no connection, or it is lost.
        """
        pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        try:
            async with asyncio.timeout(SILENCE):
                await pubsub.psubscribe(f"{kind}:*")
                await pubsub.get_message(timeout=SILENCE)
            yield _messages(pubsub, kind)
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisDown(str(error) or type(error).__name__) from error
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def answers(self) -> bool:
        """Whether Redis answers now, whatever the circuit breaker thinks (health checks)."""
        try:
            async with asyncio.timeout(1.0):
                return bool(await self._client.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _within(self, command: Callable[[], Awaitable[T]], budget: float) -> T:
        if not self._breaker.allows():
            raise RedisDown("Redis is left alone for a moment")
        task = asyncio.ensure_future(command())
        try:
            await asyncio.wait({task}, timeout=budget)
            for _ in range(3):  # an answer that came while this loop was busy is no fault of Redis
                if not task.done():
                    await asyncio.sleep(0)
            if not task.done():
                self._breaker.failed(certain=False)
                raise RedisDown(f"no answer within {budget * 1000:.0f} ms")
            result = task.result()
        except (RedisError, OSError) as error:
            self._breaker.failed(certain=True)
            raise RedisDown(str(error)) from error
        finally:
            _abandon(task)
        self._breaker.succeeded()
        return result


def scoped_key(kind: str, tenant_id: UUID | None, *parts: str) -> str:
    """A key: `<kind>:<tenant or "platform">:…`."""
    return ":".join((kind, str(tenant_id) if tenant_id else PLATFORM_SCOPE, *parts))


async def _messages(pubsub: PubSub, kind: str) -> AsyncIterator[Heard]:
    """What is published, until the connection is lost; a dead network says nothing, so silence is probed."""
    asked = False
    while True:
        message = await pubsub.get_message(timeout=SILENCE)
        if message is not None:
            asked = False
            if message["type"] == "pmessage" and (heard := _heard(message, kind)) is not None:
                yield heard
        elif asked:
            raise TimeoutError("no sign of life")
        else:
            await pubsub.ping()
            asked = True


def _heard(message: Mapping[str, Any], kind: str) -> Heard | None:
    """A message, `None` for one that was not published by us."""
    try:
        return Heard(UUID(message["channel"].decode().removeprefix(f"{kind}:")), message["data"].decode())
    except ValueError:
        return None


def _abandon(task: asyncio.Future[Any]) -> None:
    """Cancel a command that is still under way; the client closes its connection, so no answer can go astray."""
    if task.done():
        return
    task.cancel()
    task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
