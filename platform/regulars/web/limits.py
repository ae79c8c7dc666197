"""How often a visitor may try what is worth guessing or costly."""

from __future__ import annotations

from regulars.kernel.ratelimit import Limit
from regulars.web.request import RegularsRequest
from regulars.web.services import Services

LOG_IN = Limit("log_in", count=20, window=300, fails="closed")
LOOK_UP = Limit("look_up", count=240, window=60, fails="open")
ENROL = Limit("enrol", count=30, window=600, fails="closed")
"""Of customers by themselves."""
ENROL_BY_SHOP = Limit("enrol_by_shop", count=600, window=60, fails="open")
"""By staff and by programs of the shop."""


async def check_limit(limit: Limit, request: RegularsRequest, parts: Services) -> None:
    """Count one try of a visitor, by the address that it comes from.

    Raises:
        RateLimited: one too many.
        Unavailable: it cannot be counted, and the limit fails closed.
    """
    tenant = request.visit.tenant
    await parts.limiter.check(limit, tenant.id if tenant else None, request.visit.peer.ip)
