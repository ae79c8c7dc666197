"""What is deleted, a bounded number of rows at a time; each statement finds its rows by an index, tenant by tenant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, literal_column, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import Delete

from regulars.domain.ledger.models import Idempotency
from regulars.domain.operators.models import OperatorSession
from regulars.domain.signup.models import SignUp
from regulars.domain.staff.models import Session as StaffSession
from regulars.domain.staff.models import StaffLink
from regulars.domain.tenants.models import Tenant
from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.jobs.models import CronSlot, Job

KEEP = timedelta(days=30)
"""Longer than a terminal may be offline, so a repeated request still meets its answer."""
BATCH = 5_000
_VERSION_BITS = 80


def _delete(key: tuple[InstrumentedAttribute[Any], ...], old: ColumnElement[bool]) -> Delete:
    """DELETE of at most `batch` rows of every tenant's old ones."""
    model = key[0].class_
    found = select(*key).where(model.tenant_id == Tenant.id, old).limit(bindparam("batch")).lateral("found")
    rows = select(*found.c).select_from(Tenant.__table__.join(found, true()))
    return delete(model).where(tuple_(*key).in_(rows))


DONE_JOBS = _delete((Job.tenant_id, Job.id), (Job.id < bindparam("oldest")) & (Job.status == literal_column("'done'")))
IDEMPOTENCY = _delete(
    (Idempotency.tenant_id, Idempotency.principal, Idempotency.key),
    Idempotency.created_at < CORE_NOW - bindparam("keep", KEEP),
)
SESSIONS = _delete((StaffSession.tenant_id, StaffSession.id), StaffSession.expires_at < func.now())
LINKS = _delete((StaffLink.tenant_id, StaffLink.id), StaffLink.expires_at < func.now() - bindparam("keep", KEEP))
SIGN_UPS = delete(SignUp).where(SignUp.expires_at < func.now())
OPERATOR_SESSIONS = delete(OperatorSession).where(OperatorSession.expires_at < func.now())
SLOTS = delete(CronSlot).where(CronSlot.scheduled_at < func.now() - bindparam("keep", KEEP))
OLDEST = select(func.extract("epoch", func.now() - bindparam("keep", KEEP)))


async def delete_old(session: PlatformSession) -> dict[str, int]:
    """Delete what is older than `KEEP` (done jobs, idempotency answers, cron slots, links), and sessions and sign-ups
    that have ended.

    Returns:
        How many rows of each went.
    """
    batch = {"batch": BATCH}
    oldest = _first_id_of(float(await session.scalar(OLDEST)))
    deleted = {
        "job": await session.execute(DONE_JOBS, {**batch, "oldest": oldest}),
        "idempotency": await session.execute(IDEMPOTENCY, batch),
        "session": await session.execute(SESSIONS, batch),
        "staff_link": await session.execute(LINKS, batch),
        "sign_up": await session.execute(SIGN_UPS),
        "operator_session": await session.execute(OPERATOR_SESSIONS),
        "cron_slot": await session.execute(SLOTS),
    }
    return {name: result.rowcount for name, result in deleted.items()}


def _first_id_of(seconds: float) -> UUID:
    """The lowest UUIDv7 of a moment: ids are time-ordered, so the primary key finds what is older.

    Args:
        seconds: since 1970.
    """
    return UUID(int=int(seconds * 1000) << _VERSION_BITS)
