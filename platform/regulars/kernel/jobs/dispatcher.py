"""Handing due jobs to the executor, again and again until they are done: whatever the queue loses comes back here."""

from __future__ import annotations

import time
from collections.abc import Callable

from regulars.kernel.db.database import Database
from regulars.kernel.jobs import repository
from regulars.kernel.jobs.ports import Handover, Queue, Timing

PER_TENANT = 20
TOTAL = 100


class Dispatcher:
    """Hands over what is due: a new job, one whose time has come, one whose lease has run out, one that got lost.

    Args:
        database: for the platform session.
        queue: the executor's.
        timing: when to hand the same job over again.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self, database: Database, queue: Queue, timing: Timing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._queue = queue
        self._timing = timing
        self._clock = clock
        self._handed: dict[Handover, float] = {}

    async def run(self) -> int:
        """Look once and hand over what has not been handed over lately.

        Returns:
            How many jobs were handed over.

        Raises:
            Unavailable: the database cannot be reached.
            QueueDownError: the queue cannot be reached; everything is handed over again later.
        """
        now = self._clock()
        self._handed = {known: at for known, at in self._handed.items() if now - at < self._timing.resend}
        async with self._database.platform("due jobs") as session:
            rows = await repository.due(session, per_tenant=PER_TENANT, total=TOTAL)
        fresh = [
            found
            for found in (Handover(row.tenant_id, row.id, row.attempts) for row in rows)
            if found not in self._handed
        ]
        if fresh:
            await self._queue.push(fresh)
            self._handed |= dict.fromkeys(fresh, now)
        return len(fresh)
