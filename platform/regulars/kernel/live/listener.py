"""Hearing what has changed: one connection to Redis per process, for all its open pages."""

from __future__ import annotations

import asyncio

import structlog

from regulars.kernel.live.announcer import KIND
from regulars.kernel.live.hub import Hub
from regulars.kernel.redis import RedisDown, TenantRedis

log = structlog.get_logger(__name__)

RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
"""Waits between attempts to connect again; the last one repeats."""


class LiveListener:
    """Tells the hub of every announcement, and whether there is a connection to hear them.

    Args:
        redis: the process's client.
        hub: the open pages.
    """

    def __init__(self, redis: TenantRedis, hub: Hub) -> None:
        self._redis = redis
        self._hub = hub
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect in the background, now and after every loss. Needs a running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live-listener")

    async def stop(self) -> None:
        """End the connection."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._redis.listening(KIND) as messages:
                    attempt = 0
                    self._hub.turn(on=True)
                    log.info("live_listener_up")
                    async for tenant_id, topics in messages:
                        self._hub.hear(tenant_id, topics.split())
            except RedisDown as error:
                log.warning("live_listener_down", error=str(error))
            except Exception:  # whatever it is, it must not end the listening silently and for good
                log.exception("live_listener_failed")
            finally:
                self._hub.turn(on=False)
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1
