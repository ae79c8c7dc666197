"""Log-in of staff with e-mail and password.

The password is compared between two short transactions, so that a row of log-ins holds no connection and no lock while
argon2id works. The second one locks the person's row and judges the counter there, so parallel tries count one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context, Principal
from regulars.domain.audit import service as audit
from regulars.domain.members.normalise import email_of
from regulars.domain.staff import repository, sessions
from regulars.kernel import passwords
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.i18n import N_

MAX_FAILURES = 5
LOCKOUT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The password was right: here is the session."""

    staff_id: UUID
    name: str
    role: str
    session: sessions.OpenedSession


@dataclass(frozen=True, slots=True)
class LogInRefused:
    """The log-in failed; its counter and audit line are stored.

    One sentence for every reason, so that nobody learns whether an address is known, locked or dismissed.
    """

    message: str = N_(
        "This e-mail address and password do not belong together, or there were too many tries. After five wrong ones,"
        " please wait 15 minutes."
    )


LogInOutcome = LoggedIn | LogInRefused


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody with that address: the id alone decides nothing yet."""

    staff_id: UUID
    password_hash: str | None


async def log_in(database: Database, ctx: Context, email: str, password: str) -> LogInOutcome:
    """Sign a staff member in.

    It opens its own two transactions: call it outside of a unit of work.

    Args:
        database: the engines.
        ctx: the tenant, and the traces for session and audit log; its principal is whoever was signed in before.
        email: as typed.
        password: as typed.

    Returns:
        The new session, or the refusal.
    """
    async with database.tenant(ctx.tenant.id, read_only=True) as session:
        known = await _look_up(session, email)
    matches = await passwords.verify_password(known.password_hash, password)
    async with database.tenant(ctx.tenant.id) as session:
        return await _conclude(session, ctx, known, matches=matches)


async def _look_up(session: TenantSession, email: str) -> _Known:
    row = await session.one_or_none(repository.LOG_IN, {"tenant": session.tenant_id, "email": email_of(email) or ""})
    return _Known(row.id, row.password_hash) if row is not None else _Known(new_id(), None)


async def _conclude(session: TenantSession, ctx: Context, known: _Known, *, matches: bool) -> LogInOutcome:
    """Judge under the lock. An unknown address takes the same statements; they touch no row."""
    row = await session.one_or_none(repository.LOG_IN_LOCK, {"tenant": session.tenant_id, "staff": known.staff_id})
    if row is not None and matches and row.password_hash == known.password_hash and not _is_locked(row):
        return await _open(session, ctx, row)
    failures, locked_until = _counted(row)
    await _count(session, known.staff_id, failures, locked_until)
    details = {"failures": failures, "locked_until": locked_until} if row is not None else {}
    await audit.record(
        session, ctx, "staff.log_in", "staff", known.staff_id if row is not None else None, details, "refused"
    )
    return LogInRefused()


async def _open(session: TenantSession, ctx: Context, row: Row[Any]) -> LoggedIn:
    await _count(session, row.id, 0, None)
    opened = await sessions.open_session(session, ctx, sessions.Holder("staff", row.id))
    acting = Principal(kind="staff", id=row.id, name=row.name, role=row.role, session_id=opened.id)
    await audit.record(session, replace(ctx, principal=acting), "staff.log_in", "staff", row.id)
    return LoggedIn(row.id, row.name, row.role, opened)


async def _count(session: TenantSession, staff_id: UUID, failures: int, locked_until: datetime | None) -> None:
    await session.execute(
        repository.LOG_IN_COUNT,
        {"tenant": session.tenant_id, "staff": staff_id, "failures": failures, "locked_until": locked_until},
    )


def _counted(row: Row[Any] | None) -> tuple[int, datetime | None]:
    """Counter and lock after a failure; a try during the lock counts nothing, the first one after it starts anew."""
    if row is None:
        return 1, None
    if _is_locked(row):
        return row.login_failures, row.login_locked_until
    failures = (0 if row.login_locked_until is not None else row.login_failures) + 1
    return failures, row.now + LOCKOUT if failures >= MAX_FAILURES else None


def _is_locked(row: Row[Any]) -> bool:
    return row.login_locked_until is not None and row.now < row.login_locked_until
