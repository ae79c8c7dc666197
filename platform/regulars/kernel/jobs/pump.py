"""The heart of a worker: relay, crons and dispatcher, at once when a job has ended and otherwise once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from regulars.contracts.errors import Unavailable
from regulars.kernel.events.relay import BATCH, Relay
from regulars.kernel.jobs.backlog import Backlog
from regulars.kernel.jobs.clockwork import Clockwork
from regulars.kernel.jobs.dispatcher import Dispatcher
from regulars.kernel.jobs.ports import QueueDownError, Timing
from regulars.kernel.observability.metrics import WORKER_PARTS

log = structlog.get_logger(__name__)


class Pump:
    """Moves work along until it is stopped. A part that fails does not stop the others.

    Args:
        relay: events → jobs.
        clockwork: slots → jobs.
        dispatcher: jobs → executor.
        backlog: what waits → metrics.
        timing: how often.
        wanted: set by whoever knows of work: a job that has ended, since others may have waited for it.
    """

    def __init__(
        self,
        relay: Relay,
        clockwork: Clockwork,
        dispatcher: Dispatcher,
        backlog: Backlog,
        timing: Timing,
        wanted: asyncio.Event,
    ) -> None:
        self._relay = relay
        self._clockwork = clockwork
        self._dispatcher = dispatcher
        self._backlog = backlog
        self._timing = timing
        self._wanted = wanted
        self._failing: set[str] = set()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            self._wanted.clear()
            handed_on = await self._guarded("relay", self._relay.run)
            await self._guarded("clockwork", self._clockwork.run)
            await self._guarded("dispatcher", self._dispatcher.run)
            await self._guarded("backlog", self._backlog.run)
            await asyncio.sleep(self._timing.rest)
            if handed_on < BATCH:
                await self._until_wanted()

    async def _until_wanted(self) -> None:
        try:
            async with asyncio.timeout(self._timing.poll):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _guarded(self, name: str, part: Callable[[], Awaitable[int]]) -> int:
        try:
            done = await part()
        except (Unavailable, QueueDownError) as error:
            if name not in self._failing:
                log.warning("worker_part_waits", part=name, reason=str(error.__cause__ or error))
            WORKER_PARTS.labels(name).inc()
            self._failing.add(name)
            return 0
        except Exception:  # one part's fault must not stop the others; it is logged each time
            WORKER_PARTS.labels(name).inc()
            log.exception("worker_part_failed", part=name)
            self._failing.add(name)
            return 0
        if name in self._failing:
            log.info("worker_part_works_again", part=name)
            self._failing.discard(name)
        return done
