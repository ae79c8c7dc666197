"""What the database says when it cannot, and when that is over by itself."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)
"""What `TenantSession.run` raises when a statement cannot be run."""
OUT_OF_SERVICE_STATES = frozenset(
    {
        "57P01",
        "57P02",
        "57P03",
        "08000",
        "08001",
        "08003",
        "08004",
        "08006",
        "53300",
        "55P03",
        "57014",
        "40001",
        "40P01",
    }
)


def is_outage(error: Exception) -> bool:
    """Whether a database error says "not now" (connection lost, time-out, deadlock) rather than "wrong".

    Args:
        error: SQLAlchemy's, or the driver's own.
    """
    told: object = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(told, "sqlstate", None) or getattr(told, "pgcode", None)
    return (
        (isinstance(error, DBAPIError) and error.connection_invalidated)
        or state in OUT_OF_SERVICE_STATES
        or (state is None and isinstance(error, InterfaceError | asyncpg.InterfaceError))
    )
