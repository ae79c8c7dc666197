"""All SQL of jobs. The times are the server's own (`now()`): leases and retries are about machines, not about rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Float,
    Interval,
    Row,
    SQLColumnExpression,
    Uuid,
    and_,
    bindparam,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    table,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import aliased

from regulars.kernel.db.base import CORE_SCHEMA, new_id
from regulars.kernel.db.database import PlatformSession, Session
from regulars.kernel.jobs.models import CronSlot, Job, OutboxEvent

# Written out, not bound: only so does a generic plan use the partial indexes.
_OPEN_STATES: tuple[ColumnElement[str], ...] = (literal_column("'queued'"), literal_column("'running'"))
_TENANT = table("tenant", column("id", Uuid), column("status"), schema=CORE_SCHEMA)


def _is_open(job: Any) -> ColumnElement[bool]:
    return job.status.in_(_OPEN_STATES)  # type: ignore[no-any-return]


def _is_due(job: Any) -> ColumnElement[bool]:
    return and_(
        _is_open(job),
        job.run_at <= func.now(),
        or_(job.status == literal_column("'queued'"), job.lease_until < func.now()),
    )


def _is_first_of_its_key(job: Any) -> ColumnElement[bool]:
    """No older open job of the same order key; jobs without a key are always first."""
    older = aliased(Job)
    earlier = select(older.id).where(
        older.tenant_id == job.tenant_id,
        older.order_key == job.order_key,
        _is_open(older),
        tuple_(older.order_seq, older.id) < tuple_(job.order_seq, job.id),
    )
    return or_(job.order_key.is_(None), ~earlier.exists())


_LEASE_END = func.now() + bindparam("lease", type_=Interval())
_HELD = and_(
    Job.tenant_id == bindparam("p_tenant"), Job.id == bindparam("p_id"), Job.lease_token == bindparam("p_token")
)

ADD = (
    pg_insert(Job)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        name=bindparam("name"),
        payload=bindparam("payload"),
        version=bindparam("version"),
        dedup_key=bindparam("dedup_key"),
        order_key=bindparam("order_key"),
        order_seq=bindparam("order_seq"),
        max_attempts=bindparam("max_attempts"),
        run_at=func.coalesce(bindparam("run_at", type_=DateTime(timezone=True)), func.now()),
    )
    .on_conflict_do_nothing(index_elements=["tenant_id", "name", "dedup_key"])
)
ADD_ONE = ADD.returning(Job.id)
CLAIM = (
    update(Job)
    .where(Job.tenant_id == bindparam("p_tenant"), Job.id == bindparam("p_id"), _is_due(Job), _is_first_of_its_key(Job))
    .values(status="running", attempts=Job.attempts + 1, lease_token=bindparam("p_token"), lease_until=_LEASE_END)
    .returning(Job.name, Job.version, Job.payload, Job.attempts, Job.max_attempts)
)
RENEW = update(Job).where(_HELD).values(lease_until=_LEASE_END).returning(Job.id)
REPORT = (
    update(Job)
    .where(Job.tenant_id == bindparam("p_tenant", type_=Uuid), Job.id == bindparam("p_id", type_=Uuid))
    .values(progress=bindparam("done", type_=BigInteger), progress_total=bindparam("total", type_=BigInteger))
)
FINISH = (
    update(Job)
    .where(_HELD)
    .values(status="done", finished_at=func.now(), error=bindparam("note"), lease_token=null(), lease_until=null())
    .returning(Job.id)
)
RETRY = (
    update(Job)
    .where(_HELD)
    .values(
        status="queued",
        run_at=func.now() + bindparam("delay", type_=Interval()),
        attempts=Job.attempts - bindparam("uncounted"),
        error=bindparam("note"),
        lease_token=null(),
        lease_until=null(),
    )
    .returning(Job.order_key, Job.run_at)
)
DEFER_FOLLOWERS = (
    update(Job)
    .where(
        Job.tenant_id == bindparam("p_tenant"),
        Job.order_key == bindparam("p_order_key"),
        Job.status == literal_column("'queued'"),
        Job.run_at < bindparam("until", type_=DateTime(timezone=True)),
    )
    .values(run_at=bindparam("until", type_=DateTime(timezone=True)))
)
BURY = (
    update(Job)
    .where(_HELD)
    .values(status="dead", finished_at=func.now(), error=bindparam("note"), lease_token=null(), lease_until=null())
    .returning(Job.id)
)


def _due_query() -> Any:
    """Due jobs of all tenants, a few of each, so that one tenant's million does not keep the others waiting.

    The tenants are found by jumping through the index (one look-up each), not by reading all rows.
    """
    seen = aliased(Job)
    first = select(
        select(seen.tenant_id).where(_is_open(seen)).order_by(seen.tenant_id).limit(1).scalar_subquery().label("id")
    ).cte("tenants", recursive=True)
    further = aliased(Job)
    following = (
        select(further.tenant_id)
        .where(_is_open(further), further.tenant_id > first.c.id)
        .order_by(further.tenant_id)
        .limit(1)
        .scalar_subquery()
    )
    tenants = first.union_all(select(following).where(first.c.id.is_not(None)))
    own = aliased(Job)
    due = (
        select(own.tenant_id, own.id, own.attempts, own.run_at)
        .where(own.tenant_id == tenants.c.id, _is_due(own), _is_first_of_its_key(own))
        .order_by(own.run_at, own.id)
        .limit(bindparam("per_tenant"))
        .lateral("due")
    )
    place = func.row_number().over(partition_by=due.c.tenant_id, order_by=(due.c.run_at, due.c.id))
    return (
        select(due.c.tenant_id, due.c.id, due.c.attempts)
        .select_from(tenants.join(due, true()))
        .order_by(place, due.c.run_at, due.c.id)
        .limit(bindparam("total"))
    )


DUE = _due_query()


def _age(moment: SQLColumnExpression[datetime]) -> ColumnElement[Any]:
    """Seconds since the earliest of several moments, 0 when there is none or it is yet to come."""
    return func.greatest(func.coalesce(func.extract("epoch", func.now() - func.min(moment)), 0), 0).cast(Float)


BACKLOG = select(
    select(func.count()).select_from(Job).where(_is_open(Job)).scalar_subquery().label("jobs"),
    select(_age(Job.run_at)).where(_is_due(Job)).scalar_subquery().label("job_age"),
    select(func.count()).select_from(Job).where(Job.status == literal_column("'dead'")).scalar_subquery().label("dead"),
    select(func.count())
    .select_from(OutboxEvent)
    .where(OutboxEvent.published_at.is_(None))
    .scalar_subquery()
    .label("events"),
    select(_age(OutboxEvent.created_at)).where(OutboxEvent.published_at.is_(None)).scalar_subquery().label("event_age"),
)
LOCK = select(func.pg_try_advisory_xact_lock(bindparam("group"), func.hashtext(bindparam("name"))))
NOW = select(func.now())
START_SLOT = (
    pg_insert(CronSlot)
    .values(name=bindparam("name"), scheduled_at=bindparam("scheduled_at"))
    .on_conflict_do_nothing()
    .returning(CronSlot.name)
)
END_SLOT = (
    update(CronSlot)
    .where(CronSlot.name == bindparam("p_name"), CronSlot.scheduled_at == bindparam("p_scheduled_at"))
    .values(finished_at=func.now(), error=bindparam("note"))
)
ACTIVE_TENANTS = select(_TENANT.c.id).where(_TENANT.c.status == literal_column("'active'"))
_LOCK_GROUP = 7_235_612


def row(tenant_id: UUID, name: str, payload: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Parameters of one new job; `more` may name version, dedup_key, order_key, order_seq, max_attempts, run_at."""
    defaults: dict[str, Any] = {
        "version": 1,
        "dedup_key": None,
        "order_key": None,
        "order_seq": 0,
        "max_attempts": 8,
        "run_at": None,
    }
    return {"tenant_id": tenant_id, "id": new_id(), "name": name, "payload": payload, **defaults, **more}


async def add(session: Session, new: Mapping[str, Any]) -> UUID | None:
    """Insert one job; `None` when one with its name and dedup key is there already."""
    found: UUID | None = await session.scalar(ADD_ONE, new)
    return found


async def add_all(session: Session, new: Sequence[Mapping[str, Any]]) -> None:
    """Insert jobs; those whose name and dedup key are there already are left out."""
    if new:
        await session.execute(ADD, new)


async def claim(
    session: PlatformSession, tenant_id: UUID, job_id: UUID, token: UUID, lease: timedelta
) -> Row[Any] | None:
    """Take a job under a lease and count the attempt; `None` when it is not due, not first of its key, or taken."""
    return await session.one_or_none(CLAIM, {"p_tenant": tenant_id, "p_id": job_id, "p_token": token, "lease": lease})


async def renew(session: Session, tenant_id: UUID, job_id: UUID, token: UUID, lease: timedelta) -> bool:
    """Prolong a lease; False when it has gone to somebody else."""
    return await _held(session, RENEW, tenant_id, job_id, token, lease=lease)


async def report(session: Session, tenant_id: UUID, job_id: UUID, done: int, total: int | None) -> None:
    """Write down how far a job is."""
    await session.execute(REPORT, {"p_tenant": tenant_id, "p_id": job_id, "done": done, "total": total})


async def finish(session: Session, tenant_id: UUID, job_id: UUID, token: UUID, note: str = "") -> bool:
    """Mark a job done; False when the lease has gone to somebody else, and then nothing of the caller may be kept."""
    return await _held(session, FINISH, tenant_id, job_id, token, note=note)


async def give_back(
    session: PlatformSession,
    tenant_id: UUID,
    job_id: UUID,
    token: UUID,
    *,
    delay: timedelta,
    note: str,
    counted: bool,
) -> bool:
    """Put a job back into the queue; False when the lease has gone to somebody else.

    Those behind it in its order key wait as long: nobody has to look at them in the meantime.

    Args:
        session: a platform session.
        tenant_id: the job's tenant.
        job_id: the job.
        token: the lease.
        delay: when it is due again.
        note: why.
        counted: whether the attempt counts.
    """
    parameters = {"p_tenant": tenant_id, "p_id": job_id, "p_token": token, "delay": delay, "note": note}
    found = await session.one_or_none(RETRY, {**parameters, "uncounted": 0 if counted else 1})
    if found is not None and found.order_key is not None:
        followers = {"p_tenant": tenant_id, "p_order_key": found.order_key, "until": found.run_at}
        await session.execute(DEFER_FOLLOWERS, followers)
    return found is not None


async def bury(session: PlatformSession, tenant_id: UUID, job_id: UUID, token: UUID, note: str) -> bool:
    """Mark a job dead: it is not tried again and holds up nobody; an operator sees why."""
    return await _held(session, BURY, tenant_id, job_id, token, note=note)


async def _held(session: Session, statement: Any, tenant_id: UUID, job_id: UUID, token: UUID, **values: Any) -> bool:
    parameters = {"p_tenant": tenant_id, "p_id": job_id, "p_token": token, **values}
    return await session.scalar(statement, parameters) is not None


async def due(session: PlatformSession, *, per_tenant: int, total: int) -> Sequence[Row[Any]]:
    """Jobs that may be claimed now: (tenant_id, id, attempts), tenants taking turns."""
    return await session.rows(DUE, {"per_tenant": per_tenant, "total": total})


async def backlog(session: PlatformSession) -> Row[Any]:
    """What waits: jobs, job_age (seconds since the oldest was due), dead, events, event_age (seconds)."""
    return (await session.execute(BACKLOG)).one()


async def try_lock(session: PlatformSession, name: str) -> bool:
    """Take the advisory lock of that name until the transaction ends; False when another process has it."""
    return bool(await session.scalar(LOCK, {"group": _LOCK_GROUP, "name": name}))


async def database_now(session: Session) -> datetime:
    """The server's clock."""
    found: datetime = await session.scalar(NOW)
    return found


async def start_slot(session: PlatformSession, name: str, scheduled_at: datetime) -> bool:
    """Make the row of a cron slot; False when it has been made before."""
    return await session.scalar(START_SLOT, {"name": name, "scheduled_at": scheduled_at}) is not None


async def end_slot(session: PlatformSession, name: str, scheduled_at: datetime, error: str = "") -> None:
    """Write how a slot ended."""
    await session.execute(END_SLOT, {"p_name": name, "p_scheduled_at": scheduled_at, "note": error})


async def active_tenants(session: PlatformSession) -> list[UUID]:
    """All tenants that may do something."""
    return [found.id for found in await session.rows(ACTIVE_TENANTS)]
