"""Rate limits. What protects secrets for good (log-in and PIN counters) lives in PostgreSQL; these limits keep load and
guessing down and must cost next to nothing when Redis is away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal
from uuid import UUID

import structlog

from regulars.contracts.errors import RateLimited, Unavailable
from regulars.kernel.redis import BUDGET, RedisDown, TenantRedis

log = structlog.get_logger(__name__)

KIND = "rl"
_RETRY_WHEN_DOWN = 5
PATIENCE = 1.0
"""Seconds that a limit which fails closed waits for Redis: waiting a little beats turning people away."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` times in `window` seconds for each subject.

    Attributes:
        name: lower case, part of the key.
        fails: what happens while Redis is away: `open` lets everybody through (look-up, selling), `closed` nobody
            (sign-up, log-in).
    """

    name: str
    count: int
    window: float
    fails: Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Where a subject stands, for the `RateLimit` headers.

    Attributes:
        left: how often it may still try in this window.
        seconds_left: until the window ends.
    """

    limit: Limit
    left: int
    seconds_left: float


class RateLimiter:
    """Counts tries per tenant, limit and subject.

    Args:
        redis: the process's client.
    """

    def __init__(self, redis: TenantRedis) -> None:
        self._redis = redis

    async def check(self, limit: Limit, tenant_id: UUID | None, subject: str) -> Usage:
        """Count one try.

        Args:
            limit: which limit.
            tenant_id: on whose host, `None` on a host without tenant.
            subject: an address, an account name, an API key's id; kept only as a digest.

        Returns:
            Where the subject stands after this try.

        Raises:
            RateLimited: one try too many.
            Unavailable: Redis is away and the limit fails closed.
        """
        budget = BUDGET if limit.fails == "open" else PATIENCE
        subject = subject_digest(subject)
        try:
            count = await self._redis.count(KIND, tenant_id, limit.name, subject, limit.window, budget)
        except RedisDown as error:
            log.warning("rate_limit_not_counted", limit=limit.name, fails=limit.fails, reason=str(error))
            if limit.fails == "closed":
                raise Unavailable(retry_after=_RETRY_WHEN_DOWN) from error
            return Usage(limit, left=limit.count, seconds_left=limit.window)
        if count.hits > limit.count:
            raise RateLimited(retry_after=max(1, math.ceil(count.seconds_left)))
        return Usage(limit, left=limit.count - count.hits, seconds_left=count.seconds_left)


def subject_digest(subject: str) -> str:
    """A short digest: no personal data in Redis, no key of somebody else's choosing, no long keys."""
    return blake2b(subject.encode(), digest_size=16).hexdigest()
