"""Writing an event into the outbox, in the transaction that makes it true."""

from __future__ import annotations

from uuid import UUID

from regulars.contracts.events import Event
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.events import repository


async def publish(
    session: TenantSession, event: Event, *, order_key: UUID | None = None, entry_id: UUID | None = None
) -> UUID:
    """Announce something; every subscriber gets a job of its own once the transaction has committed.

    Args:
        session: the caller's transaction.
        event: what happened; identifiers only, no personal data.
        order_key: usually the card: one subscriber gets its events in order.
        entry_id: the ledger entry that the event announces, at most one event per entry.

    Returns:
        The event's id.
    """
    event_id = new_id()
    await repository.add(
        session,
        {
            "tenant_id": session.tenant_id,
            "id": event_id,
            "name": event.name,
            "version": event.version,
            "order_key": order_key,
            "entry_id": entry_id,
            "payload": event.model_dump(mode="json"),
        },
    )
    return event_id
