"""Merchants that the platform shows to visitors; for demonstrations only, a real one names no customers of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.domain.tenants import showcase_repository as repository
from regulars.kernel.db.database import PlatformSession


@dataclass(frozen=True, slots=True)
class ShownTenant:
    """A merchant to visit.

    Attributes:
        host: its primary host name.
        tagline: may be empty.
        primary_color: `#rrggbb`.
        offering: code.
    """

    name: str
    host: str
    tagline: str
    primary_color: str
    offering: str


async def shown_tenants(session: PlatformSession, limit: int = 6) -> Sequence[ShownTenant]:
    """The oldest active merchants, without sandboxes.

    Args:
        session: the platform's.
        limit: most to return.
    """
    return [
        ShownTenant(
            name=row.name,
            host=row.host,
            tagline=row.branding.get("tagline", ""),
            primary_color=row.branding.get("primary_color", "#4f46e5"),
            offering=row.offering,
        )
        for row in await session.rows(repository.SHOWN, {"size": limit})
    ]
