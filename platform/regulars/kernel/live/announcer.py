"""Saying what has changed: collected after each commit, sent by a task of its own, so that nobody waits for Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from uuid import UUID

import structlog

from regulars.kernel.redis import RedisDown, TenantRedis

log = structlog.get_logger(__name__)

KIND = "live"
MOST_WAITING = 5_000
"""Topics that wait while Redis is away; beyond that they are forgotten, and pages find out by asking."""
SEND_SECONDS = 1.0
RETRY_SECONDS = 0.5


class Announcer:
    """Sends topics to every process that has open pages.

    Args:
        redis: the process's client.
    """

    def __init__(self, redis: TenantRedis) -> None:
        self._redis = redis
        self._waiting: dict[UUID, set[str]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def announce(self, tenant_id: UUID, topics: AbstractSet[str]) -> None:
        """Take topics to be sent; the same one waits once. Never waits, never raises.

        Args:
            tenant_id: whose they are.
            topics: what has changed.
        """
        if self._task is None:
            return
        if sum(map(len, self._waiting.values())) > MOST_WAITING:
            log.warning("announcements_dropped")
            self._waiting.clear()
        self._waiting.setdefault(tenant_id, set()).update(topics)
        self._wake.set()

    def start(self) -> None:
        """Begin to send. Needs a running event loop; what was announced before is not sent."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="announcer")

    async def stop(self) -> None:
        """End; what still waits is forgotten."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not await self._send():
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

    async def _send(self) -> bool:
        """Send everything; what could not be sent waits on.

        Returns:
            Whether Redis has it all.
        """
        batch, self._waiting = self._waiting, {}
        if not batch:
            return True
        messages = {tenant_id: " ".join(sorted(topics)) for tenant_id, topics in batch.items()}
        try:
            await self._redis.publish(KIND, messages, SEND_SECONDS)
        except RedisDown:
            for tenant_id, topics in batch.items():
                self._waiting.setdefault(tenant_id, set()).update(topics)
            return False
        except Exception:  # whatever it is, it must not end the sending silently and for good
            log.exception("announcements_failed")
        return True
