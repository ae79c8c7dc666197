"""A live tenant and its sandbox are changed together: what an operator decides for one holds for the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from regulars.contracts.errors import NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_for_tenant, record_platform
from regulars.domain.tenants import repository
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Relative:
    """A tenant of a family, as locked."""

    id: UUID
    slug: str
    status: str
    offering: str
    live_tenant_id: UUID | None


async def lock_family(session: PlatformSession, tenant_id: UUID) -> Sequence[Relative]:
    """Lock a tenant and, when it is a live one, its sandbox.

    Args:
        session: the platform's.
        tenant_id: a live tenant or a sandbox; a sandbox alone is its whole family.

    Returns:
        The tenant itself first.

    Raises:
        NotFound: there is no such tenant.
    """
    rows = await session.rows(repository.FAMILY_FOR_UPDATE, {"tenant_id": tenant_id})
    if not rows:
        raise NotFound(_("There is no such tenant."))
    return [Relative(**row._mapping) for row in rows]


async def record_operation(
    session: PlatformSession,
    actor: Actor,
    family: Sequence[Relative],
    action: str,
    reason: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write what an operator did to a tenant into the platform's log, and into the log of everyone in the family.

    Args:
        session: the transaction of the change.
        actor: who.
        family: those that were changed, the one that was meant first.
        action: stable name.
        reason: why.
        details: values that JSON can hold.
    """
    await record_platform(session, actor, action, reason, family[0].slug, details)
    for tenant in family:
        own = {**(details or {}), "reason": reason}
        await record_for_tenant(session, actor, tenant.id, action, "tenant", tenant.id, own)
