"""Writing an event into the outbox, in the transaction that makes it true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

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
    return await _add(
        session, event.name, event.version, event.model_dump(mode="json"), order_key=order_key, entry_id=entry_id
    )


async def announce(
    session: TenantSession, name: str, payload: BaseModel, *, order_key: UUID | None = None, version: int = 1
) -> UUID:
    """Announce an event of a plugin from a job or page; hooks of the ledger return an `EventDraft` instead.

    Args:
        session: the caller's transaction.
        name: full name, `<plugin>.<event>`, as the manifest declares it.
        payload: of the declared model; identifiers only, no personal data.
        order_key: as for `publish`.
        version: of the payload's form.

    Returns:
        The event's id.
    """
    return await _add(session, name, version, payload.model_dump(mode="json"), order_key=order_key, entry_id=None)


async def _add(
    session: TenantSession,
    name: str,
    version: int,
    payload: Mapping[str, Any],
    *,
    order_key: UUID | None,
    entry_id: UUID | None,
) -> UUID:
    event_id = new_id()
    await repository.add(
        session,
        {
            "tenant_id": session.tenant_id,
            "id": event_id,
            "name": name,
            "version": version,
            "order_key": order_key,
            "entry_id": entry_id,
            "payload": dict(payload),
        },
    )
    return event_id
