"""Telling the workers that there is work, so that they need not wait for their next look. May get lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog

from regulars.kernel.redis import RedisDown, TenantRedis

log = structlog.get_logger(__name__)

KIND = "wake"


class WakeUp:
    """Sends and receives wake-ups.

    Args:
        redis: the process's client.
    """

    def __init__(self, redis: TenantRedis) -> None:
        self._redis = redis
        self._sending: set[asyncio.Task[None]] = set()

    def send(self, tenant_id: UUID) -> None:
        """Wake the workers, after a transaction that made jobs or events has committed. Never waits, never raises.

        Args:
            tenant_id: whose work it is.
        """
        task = asyncio.get_running_loop().create_task(self._publish(tenant_id))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def listen(self, wake: Callable[[], None], retry_after: float) -> None:
        """Call `wake` for each wake-up, until cancelled; while Redis is away nobody is woken.

        Args:
            wake: called for each wake-up.
            retry_after: seconds between two tries to reach Redis.
        """
        while True:
            try:
                async for _ in self._redis.messages(KIND):
                    wake()
            except RedisDown as error:
                log.debug("wake_ups_not_heard", reason=str(error))
            await asyncio.sleep(retry_after)

    async def _publish(self, tenant_id: UUID) -> None:
        try:
            await self._redis.publish(KIND, tenant_id)
        except RedisDown as error:
            log.debug("wake_up_not_sent", reason=str(error))
