"""A steady pace that all processes keep together, for services of others that count our requests."""

from __future__ import annotations

import asyncio
import time

import structlog

from regulars.kernel.ratelimit.limiter import PATIENCE
from regulars.kernel.redis import RedisDown, TenantRedis

log = structlog.get_logger(__name__)

KIND = "pace"
LONGEST = 10.0
"""Seconds that somebody waits for a turn; whoever would wait longer does something else."""
SHARE = 0.1
"""What one process allows itself of the pace while it cannot ask the others."""


class TooBusy(Exception):
    """The next turn is too far away.

    Args:
        seconds: until then.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next turn is in {seconds:.1f} s")
        self.seconds = seconds


class Pace:
    """Gives turns to whoever calls a service of others. One of a process.

    Args:
        redis: the process's client.
    """

    def __init__(self, redis: TenantRedis) -> None:
        self._redis = redis
        self._free: dict[str, float] = {}

    async def turn(self, service: str, per_second: float) -> None:
        """Wait until one more request may be made.

        Args:
            service: lower case, the same for all tenants.
            per_second: requests of the whole platform; without Redis each process makes a tenth of them.

        Raises:
            TooBusy: that would take longer than `LONGEST`; no turn was taken.
        """
        try:
            seconds = await self._redis.reserve(KIND, service, 1 / per_second, LONGEST, PATIENCE)
        except RedisDown as error:
            log.warning("pace_not_shared", service=service, reason=str(error))
            seconds = self._reserve(service, 1 / (per_second * SHARE))
        if seconds > LONGEST:
            raise TooBusy(seconds)
        await asyncio.sleep(seconds)

    def _reserve(self, service: str, interval: float) -> float:
        """As Redis does it, for this process alone."""
        now = time.monotonic()
        free = max(self._free.get(service, 0.0), now)
        if free - now <= LONGEST:
            self._free[service] = free + interval
        return free - now
