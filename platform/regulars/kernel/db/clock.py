"""The rules' clock: `core.now()` is `now()` plus a shift that only test and demo databases may have."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from regulars.contracts.errors import ConfigurationError
from regulars.kernel.db.database import Session

SHIFT = text("SELECT shift FROM core.clock WHERE backend = 0")
NOW = text("SELECT core.now()")
MAY_SHIFT = frozenset({"demo", "test"})


async def rules_now(session: Session) -> datetime:
    """What the rules' clock says in this transaction."""
    moment: datetime = await session.scalar(NOW)
    return moment


async def clock_shift(connection: AsyncConnection) -> timedelta:
    """How far the rules' clock is ahead of the server's."""
    shift: timedelta = (await connection.execute(SHIFT)).scalar_one()
    return shift


async def refuse_shifted_clock(connection: AsyncConnection, env: str) -> None:
    """Make sure that rules go by the real time.

    Args:
        env: what the installation is for, `production`, `demo` or `test`.

    Raises:
        ConfigurationError: a production database whose clock is shifted.
    """
    shift = await clock_shift(connection)
    if shift and env not in MAY_SHIFT:
        raise ConfigurationError(
            f"The database's clock is shifted by {shift}, which only test and demo databases may be. "
            "Use another database, or set REGULARS_ENV=demo if this is a demo."
        )
