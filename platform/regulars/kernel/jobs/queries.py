"""What operators ask about jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, null, select, update

from regulars.kernel.db.database import PlatformSession
from regulars.kernel.jobs.models import Job

_COUNTS = [func.count().filter(Job.status == status).label(status) for status in ("queued", "running", "dead")]
OVERVIEW = select(Job.name, *_COUNTS).where(Job.status != "done").group_by(Job.name).order_by(Job.name)
DEAD = (
    select(Job.id, Job.name, Job.tenant_id, Job.attempts, Job.error, Job.finished_at)
    .where(Job.status == "dead")
    .order_by(Job.finished_at.desc(), Job.id)
    .limit(bindparam("total"))
)
REVIVE = (
    update(Job)
    .where(Job.id == bindparam("p_id"), Job.status == "dead")
    .values(status="queued", attempts=0, run_at=func.now(), finished_at=null())
    .returning(Job.name)
)


async def overview(session: PlatformSession) -> Sequence[Row[Any]]:
    """(name, queued, running, dead) of every job that is not done."""
    return await session.rows(OVERVIEW)


async def dead(session: PlatformSession, total: int) -> Sequence[Row[Any]]:
    """Dead jobs with their error, the youngest first."""
    return await session.rows(DEAD, {"total": total})


async def revive(session: PlatformSession, job_id: UUID) -> str | None:
    """Put a dead job back into the queue with all its attempts; its name, `None` when it is not dead."""
    name: str | None = await session.scalar(REVIVE, {"p_id": job_id})
    return name
