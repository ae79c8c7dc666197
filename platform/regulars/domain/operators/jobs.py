"""Jobs and schedules of the whole platform, as operators look at them, and trying a dead one again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars.contracts.errors import NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_platform
from regulars.domain.operators import job_queries
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.i18n import gettext as _

STATUSES = ("queued", "running", "dead", "done")


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are wanted.

    Attributes:
        status: one of `STATUSES`, empty for all.
        text: part of the job's name or the tenant's slug; empty for all.
    """

    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job.

    Attributes:
        run_at: when it is due, or was.
        lease_until: while it runs: when it is taken to have died.
        error: of the last try, empty for none.
        progress, progress_total: how far its last try is, where it says so.
    """

    tenant_id: UUID
    id: UUID
    slug: str
    name: str
    status: str
    attempts: int
    max_attempts: int
    run_at: datetime
    lease_until: datetime | None
    error: str
    created_at: datetime
    finished_at: datetime | None
    progress: int | None = None
    progress_total: int | None = None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a scheduled task; `finished_at` is `None` while it runs, or when its worker died."""

    name: str
    scheduled_at: datetime
    started_at: datetime
    finished_at: datetime | None
    error: str


async def list_jobs(session: PlatformSession, wanted: JobFilter, page: PageRequest) -> Paged[JobLine]:
    """Jobs of all tenants, what happened last first."""
    where = {"status": wanted.status, "text": wanted.text}
    rows = await session.rows(job_queries.PAGE, {**where, "size": page.size, "offset": page.offset})
    total = await session.scalar(job_queries.TOTAL, where)
    return Paged([JobLine(**row._mapping) for row in rows], total, page)


async def count_jobs(session: PlatformSession) -> Mapping[str, int]:
    """Status → how many jobs; every status is there."""
    found = {row.status: row.number for row in await session.rows(job_queries.COUNTS)}
    return {status: found.get(status, 0) for status in STATUSES}


async def last_runs(session: PlatformSession) -> Sequence[LastRun]:
    """The last run of each scheduled task, by name."""
    return [LastRun(**row._mapping) for row in await session.rows(job_queries.LAST_SLOTS)]


async def retry(session: PlatformSession, actor: Actor, tenant_id: UUID, job_id: UUID) -> None:
    """Queue a dead job once more, with all its tries.

    Raises:
        NotFound: there is no such job, or it is not dead.
    """
    name = await session.scalar(job_queries.RETRY, {"of_tenant": tenant_id, "job": job_id})
    if name is None:
        raise NotFound(_("There is no such dead job."))
    slug = await session.scalar(job_queries.SLUG, {"of_tenant": tenant_id})
    await record_platform(session, actor, "job.retried", session.reason, slug, {"job": job_id, "name": name})
