"""What runs by the clock. The unique row of a slot makes it happen once, however many workers try."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from secrets import SystemRandom

import structlog

from regulars.contracts.errors import Unavailable
from regulars.kernel.db.database import Database
from regulars.kernel.jobs import repository
from regulars.kernel.jobs.cron import CronHandler, CronTick
from regulars.kernel.jobs.faults import fault_note
from regulars.kernel.jobs.registry import JobRegistry, RegisteredJob
from regulars.kernel.jobs.schedule import Schedule
from regulars.kernel.observability import log_context
from regulars.kernel.observability.metrics import CRONS

log = structlog.get_logger(__name__)

SPREAD = 60.0
_random = SystemRandom()


class Clockwork:
    """Begins every slot that has come: the platform's crons, and the jobs that each tenant gets by the clock.

    Args:
        database: for the platform session.
        registry: what runs when.
    """

    def __init__(self, database: Database, registry: JobRegistry) -> None:
        self._database = database
        self._tasks: dict[str, tuple[Schedule, CronHandler]] = {
            name: (found.schedule, found.handler) for name, found in registry.crons.items()
        }
        for entry in registry.scheduled():
            assert entry.definition.schedule is not None
            self._tasks[entry.name] = (entry.definition.schedule, partial(_fan_out, entry))
        self._seen: dict[str, datetime] = {}

    async def run(self) -> int:
        """Look once at all tasks.

        Returns:
            How many slots were run here.

        Raises:
            Unavailable: the database cannot be reached; the slots are made up for later.
        """
        if not self._tasks:
            return 0
        async with self._database.platform("time of the crons") as session:
            now = await repository.database_now(session)
        ran = 0
        for name, (schedule, handler) in self._tasks.items():
            slot = schedule.latest(now)
            if self._seen.get(name) != slot:
                with log_context(cron=name, slot=slot.isoformat()):
                    ran += await self._begin(name, slot, handler)
        return ran

    async def _begin(self, name: str, slot: datetime, handler: CronHandler) -> bool:
        try:
            done = await self._once(name, slot, handler)
        except Unavailable:
            raise
        except Exception as error:  # a cron may fail in any way: recorded, its next chance is the next slot
            CRONS.labels(name, "failed").inc()
            log.exception("cron_failed")
            async with self._database.platform("fault of a cron") as session:
                if await repository.start_slot(session, name, slot):  # else another worker had more luck
                    await repository.end_slot(session, name, slot, fault_note(error))
            done = True
        if done is not None:
            self._seen[name] = slot
        return bool(done)

    async def _once(self, name: str, slot: datetime, handler: CronHandler) -> bool | None:
        """Run the slot unless it was run: True. False: it was run before. None: somebody is at it right now."""
        async with self._database.platform("cron") as session:
            if not await repository.try_lock(session, f"cron.{name}"):
                return None
            if not await repository.start_slot(session, name, slot):
                return False
            await handler(CronTick(session, slot))
            await repository.end_slot(session, name, slot)
        CRONS.labels(name, "done").inc()
        log.info("cron_ran")
        return True


async def _fan_out(entry: RegisteredJob, tick: CronTick) -> None:
    """One job for every active tenant, spread over a minute; a disabled plugin's end without effect."""
    slot = tick.scheduled_at.isoformat()
    now = await repository.database_now(tick.session)
    jobs = [
        repository.row(
            tenant_id,
            entry.name,
            {"scheduled_at": slot},
            version=max(entry.definition.versions),
            dedup_key=f"slot:{slot}",
            max_attempts=entry.definition.max_attempts,
            run_at=now + timedelta(seconds=_random.uniform(0, SPREAD)),
        )
        for tenant_id in await repository.active_tenants(tick.session)
    ]
    await repository.add_all(tick.session, jobs)
