"""The relay: turns events of the outbox into one job per subscriber, in the transaction that marks them published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import TenantSnapshot
from regulars.kernel.db.database import Database
from regulars.kernel.events import repository
from regulars.kernel.jobs import repository as jobs
from regulars.kernel.jobs.ports import Snapshots
from regulars.kernel.jobs.registry import JobRegistry, RegisteredJob
from regulars.kernel.jobs.work import EventInfo, event_payload

BATCH = 200
_LOCK = "outbox.relay"


class Relay:
    """Hands events on. One relay works at a time; the others find nothing to do.

    Args:
        database: for the platform session.
        registry: who subscribes to what.
        snapshots: which plugins a tenant has enabled.
    """

    def __init__(self, database: Database, registry: JobRegistry, snapshots: Snapshots) -> None:
        self._database = database
        self._registry = registry
        self._snapshots = snapshots

    async def run(self, total: int = BATCH) -> int:
        """Hand on one batch.

        Args:
            total: how many events at most.

        Returns:
            How many events were handed on; 0 also when another relay is at work.

        Raises:
            Unavailable: the database cannot be reached; nothing was changed.
        """
        tenants = await self._tenants(total)
        if tenants is None:
            return 0
        async with self._database.platform("relay of events") as session:
            if not await jobs.try_lock(session, _LOCK):
                return 0
            events = [event for event in await repository.unpublished(session, total) if self._can_go(event, tenants)]
            if events:
                await jobs.add_all(session, list(self._jobs(events, tenants)))
                await repository.mark_published(session, events)
            return len(events)

    async def _tenants(self, total: int) -> dict[UUID, TenantSnapshot | None] | None:
        """The tenants whose subscribed events wait; `None` when no event waits.

        Looked up before the relay's own transaction, so that it holds one connection only.
        """
        async with self._database.platform("waiting events") as session:
            waiting = await repository.waiting(session, total)
        wanted = {event.tenant_id for event in waiting if self._registry.subscribers(event.name)}
        tenants = {tenant_id: await self._snapshots.by_id(tenant_id) for tenant_id in wanted}
        return tenants if waiting else None

    def _can_go(self, event: Row[Any], tenants: dict[UUID, TenantSnapshot | None]) -> bool:
        """Events of a tenant that turned up after the look-up are left for the next batch, all of them: order stays."""
        return event.tenant_id in tenants or not self._registry.subscribers(event.name)

    def _jobs(self, events: Sequence[Row[Any]], tenants: dict[UUID, TenantSnapshot | None]) -> Iterable[dict[str, Any]]:
        for event in events:
            for subscriber in self._registry.subscribers(event.name):
                if _gets(subscriber, tenants[event.tenant_id]):
                    yield _job(event, subscriber)


def _gets(subscriber: RegisteredJob, tenant: TenantSnapshot | None) -> bool:
    """Whether the subscriber is told: never of a closed tenant, a plugin's only where the plugin is enabled."""
    if tenant is None or tenant.status == "closed":
        return False
    return subscriber.plugin is None or subscriber.plugin in tenant.enabled


def _job(event: Row[Any], subscriber: RegisteredJob) -> dict[str, Any]:
    info = EventInfo(event.id, event.name, event.version, event.seq, event.order_key, event.created_at)
    return jobs.row(
        event.tenant_id,
        subscriber.name,
        event_payload(info, event.payload),
        version=event.version,
        dedup_key=str(event.id),
        order_key=f"{subscriber.name}:{event.order_key}" if event.order_key else None,
        order_seq=event.seq,
        max_attempts=subscriber.definition.max_attempts,
    )
