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

SIGN_UP_FORMS = Limit("sign_up_forms", count=60, window=3600, fails="closed")
"""Of one visitor on the way to a shop; more than somebody needs who changes their mind."""
ADDRESS_CHECKS = Limit("address_checks", count=240, window=60, fails="closed")
"""While an address is typed."""
SIGN_UPS = Limit("sign_ups", count=10, window=3600, fails="closed")
"""Shops opened by one visitor."""
SIGN_UPS_OF_ADDRESS = Limit("sign_ups_of_address", count=3, window=86_400, fails="closed")
"""Shops opened with one mail address."""
PASSWORD_LINKS = Limit("password_links", count=5, window=3600, fails="closed")
"""Mails with a link to a new password to one address."""


def sign_ups_of_all(count: int) -> Limit:
    """Shops opened by everybody together.

    Args:
        count: how many in an hour.
    """
    return Limit("sign_ups_of_all", count=count, window=3600, fails="closed")


async def check_limit(limit: Limit, request: RegularsRequest, parts: Services) -> None:
    """Count one try of a visitor, by the network that it comes from.

    Raises:
        RateLimited: one too many.
        Unavailable: it cannot be counted, and the limit fails closed.
    """
    tenant = request.visit.tenant
    await parts.limiter.check(limit, tenant.id if tenant else None, request.visit.peer.network)
