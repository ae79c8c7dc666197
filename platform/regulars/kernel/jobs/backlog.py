"""Measuring what waits, so that a backlog is seen before somebody misses a mail."""

from __future__ import annotations

import time
from collections.abc import Callable

from regulars.kernel.db.database import Database
from regulars.kernel.jobs import repository
from regulars.kernel.observability.metrics import JOBS_DEAD, JOBS_LATE, JOBS_OPEN, OUTBOX_LATE, OUTBOX_OPEN

EVERY = 15.0
"""Seconds between two looks."""


class Backlog:
    """Looks now and then at how much waits and for how long.

    Args:
        database: for the platform session.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._due = clock()

    async def run(self) -> int:
        """Measure, unless that was done lately.

        Returns:
            How many measures were taken.

        Raises:
            Unavailable: the database cannot be reached.
        """
        if self._clock() < self._due:
            return 0
        async with self._database.platform("backlog of jobs", read_only=True) as session:
            found = await repository.backlog(session)
        self._due = self._clock() + EVERY
        JOBS_OPEN.set(found.jobs)
        JOBS_LATE.set(found.job_age)
        JOBS_DEAD.set(found.dead)
        OUTBOX_OPEN.set(found.events)
        OUTBOX_LATE.set(found.event_age)
        return 1
