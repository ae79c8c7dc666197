"""Jobs in tests: run what is pending here and now, without Redis and without waiting."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from regulars.contracts.context import TenantSnapshot
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.repository import fetch_snapshot_by_id
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.events.relay import Relay
from regulars.kernel.jobs import JobRegistry, repository
from regulars.kernel.jobs.ports import Snapshots, Timing
from regulars.kernel.jobs.runner import JobRunner, Outcome
from regulars.kernel.jobs.work import Services
from regulars.kernel.plugins.registry import PluginRegistry

HURRY = text("UPDATE core.job SET run_at = now() WHERE status = 'queued' AND run_at > now()")
NAME = text("SELECT name FROM core.job WHERE tenant_id = :tenant_id AND id = :id")
END_LEASES = text("UPDATE core.job SET lease_until = now() - interval '1 second' WHERE status = 'running'")
_SLOW = Timing(lease=60.0)


class FixedSnapshots:
    """Tenants that do not change by themselves; a test changes them by `put`."""

    def __init__(self, tenants: Iterable[TenantSnapshot] = ()) -> None:
        self._tenants = {tenant.id: tenant for tenant in tenants}

    async def by_id(self, tenant_id: UUID) -> TenantSnapshot | None:
        """The tenant as it was put here."""
        return self._tenants.get(tenant_id)

    def put(self, tenant: TenantSnapshot) -> None:
        """From now on the tenant is like this."""
        self._tenants[tenant.id] = tenant


class FreshSnapshots:
    """Tenants as the database has them at this moment, never kept."""

    def __init__(self, database: Database, plugins: PluginRegistry) -> None:
        self._database = database
        self._builder = SnapshotBuilder(plugins, FEATURE_NAMES)

    async def by_id(self, tenant_id: UUID) -> TenantSnapshot | None:
        """The tenant as it is now."""
        raw = await fetch_snapshot_by_id(self._database, tenant_id)
        return None if raw is None else self._builder.build(raw).snapshot


async def run_pending(
    database: Database,
    registry: JobRegistry,
    snapshots: Snapshots,
    *,
    services: Services | None = None,
    retries: bool = False,
) -> list[tuple[str, Outcome]]:
    """Hand on all events and run all jobs that are due, and what becomes due by that, one after the other.

    Args:
        database: the engines.
        registry: what can run.
        snapshots: the tenants.
        services: what handlers may ask for.
        retries: whether failed jobs are tried again at once, until they are done or dead.

    Returns:
        (job name, outcome) in the order of running.
    """
    relay = Relay(database, registry, snapshots)
    runner = JobRunner(database, registry, snapshots, services=services, timing=_SLOW)
    outcomes: list[tuple[str, Outcome]] = []
    while True:
        while await relay.run():
            pass
        if retries:
            await hurry(database)
        async with database.platform("pending jobs of a test") as session:
            rows = await repository.due(session, per_tenant=1000, total=1000)
        if not rows:
            return outcomes
        for row in rows:
            name = await job_name(database, row.tenant_id, row.id)
            outcomes.append((name, await runner.run(row.tenant_id, row.id)))


async def job_name(database: Database, tenant_id: UUID, job_id: UUID) -> str:
    """The full name of a job."""
    async with database.platform("a job's name in a test") as session:
        name: str = await session.scalar(NAME, {"tenant_id": tenant_id, "id": job_id})
        return name


async def hurry(database: Database) -> None:
    """Make everything that waits for its time due now."""
    async with database.platform("no waiting in a test") as session:
        await session.execute(HURRY)


async def end_leases(database: Database) -> None:
    """Let every lease run out, as if its worker had been silent for too long."""
    async with database.platform("no waiting in a test") as session:
        await session.execute(END_LEASES)
