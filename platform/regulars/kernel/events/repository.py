"""All SQL of the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.db.database import PlatformSession, TenantSession
from regulars.kernel.jobs.models import OutboxEvent

ADD = insert(OutboxEvent)
_WAITING = OutboxEvent.published_at.is_(None)
WAITING = (
    select(OutboxEvent.tenant_id, OutboxEvent.name).where(_WAITING).order_by(OutboxEvent.seq).limit(bindparam("total"))
)
UNPUBLISHED = (
    select(
        OutboxEvent.tenant_id,
        OutboxEvent.id,
        OutboxEvent.seq,
        OutboxEvent.name,
        OutboxEvent.version,
        OutboxEvent.order_key,
        OutboxEvent.payload,
        OutboxEvent.created_at,
    )
    .where(_WAITING)
    .order_by(OutboxEvent.seq)
    .limit(bindparam("total"))
    .with_for_update(skip_locked=True)
)
MARK = (
    update(OutboxEvent)
    .where(OutboxEvent.tenant_id == bindparam("p_tenant"), OutboxEvent.id == bindparam("p_id"))
    .values(published_at=CORE_NOW)
)


async def add(session: TenantSession, event: Mapping[str, Any]) -> None:
    """Insert one event."""
    await session.execute(ADD, event)


async def waiting(session: PlatformSession, total: int) -> Sequence[Row[Any]]:
    """Tenant and name of the events that `unpublished` would give now; nothing is locked."""
    return await session.rows(WAITING, {"total": total})


async def unpublished(session: PlatformSession, total: int) -> Sequence[Row[Any]]:
    """Lock and read events that no relay has handed on, lowest `seq` first.

    Never by `seq > last`: numbers are given out before commits, so a lower one may show up after a higher one.
    """
    return await session.rows(UNPUBLISHED, {"total": total})


async def mark_published(session: PlatformSession, events: Sequence[Row[Any]]) -> None:
    """Note that every subscriber of these events has its job."""
    await session.execute(MARK, [{"p_tenant": event.tenant_id, "p_id": event.id} for event in events])
