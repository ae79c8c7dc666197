"""Queries of jobs and schedules, as operators look at them."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from regulars.domain.tenants.models import Tenant
from regulars.kernel.jobs.models import CronSlot, Job

_STATUS, _TEXT = bindparam("status", type_=Text), bindparam("text", type_=Text)
_WANTED = (
    or_(_STATUS == "", Job.status == _STATUS),
    or_(_TEXT == "", func.strpos(Job.name, func.lower(_TEXT)) > 0, func.strpos(Tenant.slug, func.lower(_TEXT)) > 0),
)
_OF_TENANT = Tenant.id == Job.tenant_id

PAGE = (
    select(
        Job.tenant_id,
        Job.id,
        Tenant.slug,
        Job.name,
        Job.status,
        Job.attempts,
        Job.max_attempts,
        Job.run_at,
        Job.lease_until,
        Job.error,
        Job.created_at,
        Job.finished_at,
        Job.progress,
        Job.progress_total,
    )
    .join(Tenant, _OF_TENANT)
    .where(*_WANTED)
    .order_by(func.coalesce(Job.finished_at, Job.run_at).desc(), Job.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
TOTAL = select(func.count()).select_from(Job).join(Tenant, _OF_TENANT).where(*_WANTED)
COUNTS = select(Job.status, func.count().label("number")).group_by(Job.status)
RETRY = (
    update(Job)
    .where(
        Job.tenant_id == bindparam("of_tenant", type_=Uuid),
        Job.id == bindparam("job", type_=Uuid),
        Job.status == "dead",
    )
    .values(status="queued", attempts=0, run_at=func.now(), finished_at=null(), lease_token=null(), lease_until=null())
    .returning(Job.name)
)
SLUG = select(Tenant.slug).where(Tenant.id == bindparam("of_tenant", type_=Uuid))
LAST_SLOTS = (
    select(CronSlot.name, CronSlot.scheduled_at, CronSlot.started_at, CronSlot.finished_at, CronSlot.error)
    .ext(distinct_on(CronSlot.name))
    .order_by(CronSlot.name, CronSlot.scheduled_at.desc())
)
