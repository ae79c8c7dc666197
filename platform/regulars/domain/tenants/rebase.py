"""A new base domain for all tenants of an installation."""

from __future__ import annotations

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.tenants import queries, service
from regulars.kernel.db.database import Database

PLATFORM_NAME = "Regulars"
"""The platform's brand on a base domain that nobody has named yet."""
_REASON = "new base domain"


async def rebase_all(database: Database, base_domain: str) -> list[str]:
    """Let every live tenant and its sandbox answer below a base domain; old hosts keep answering.

    Args:
        database: the engines.
        base_domain: links are built with it from now on.

    Returns:
        Slugs of the tenants that were moved.
    """
    async with database.platform(_REASON) as session:
        await service.add_platform(session, SYSTEM, base_domain, PLATFORM_NAME)
        moved = []
        for tenant in await session.rows(queries.LIVE_ELSEWHERE, {"base_domain": base_domain}):
            await service.move_to_base(session, SYSTEM, tenant.id, base_domain, reason=_REASON)
            moved.append(tenant.slug)
        return moved
