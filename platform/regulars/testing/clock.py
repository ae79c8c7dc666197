"""Time travel: the rules' clock is the database's, and only the migrator may move it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

SHIFT = text("UPDATE core.clock SET shift = shift + :by WHERE backend = 0")
TO = text("UPDATE core.clock SET shift = CAST(:to AS timestamptz) - now() WHERE backend = 0")
NOW = text("SELECT core.now()")


class Clock:
    """The clock of one test database.

    Args:
        migrator_url: address of the database as the role that owns the tables.
    """

    def __init__(self, migrator_url: str) -> None:
        self._engine = create_async_engine(migrator_url, poolclass=NullPool)

    async def advance(self, **amount: float) -> None:
        """Move forward; arguments as for `timedelta` (minutes=15)."""
        async with self._engine.begin() as connection:
            await connection.execute(SHIFT, {"by": timedelta(**amount)})

    async def set(self, to: datetime) -> None:
        """Set `core.now()` to a moment (it goes on from there)."""
        async with self._engine.begin() as connection:
            await connection.execute(TO, {"to": to})

    async def now(self) -> datetime:
        """What `core.now()` says."""
        async with self._engine.connect() as connection:
            moment: datetime = (await connection.execute(NOW)).scalar_one()
            return moment
