"""Advisory locks of a transaction: for rules about how many rows there may be, where there is no row to lock."""

from __future__ import annotations

from sqlalchemy import Text, bindparam, func, select

from regulars.kernel.db.database import TenantSession

_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text), 0)))


async def lock(session: TenantSession, name: str) -> None:
    """Wait until this transaction is the only one of the tenant that holds a name; let go at its end.

    What is counted afterwards, in a statement of its own, is what the one before left.

    Args:
        session: the transaction.
        name: what is locked, e.g. `shops`.
    """
    await session.execute(_LOCK, {"name": f"{session.tenant_id}:{name}"})
