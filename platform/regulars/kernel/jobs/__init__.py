"""Jobs: work that must happen, later. PostgreSQL remembers every job; whoever executes may die at any time.

`@job` declares one, `enqueue` writes its row in the caller's transaction, a worker runs it under a lease and marks it
done in the transaction of its effects. `@cron` and `@job(schedule=…)` run by the clock.
"""

from regulars.kernel.jobs.cron import CronTick, cron
from regulars.kernel.jobs.definitions import JobDefinition, job
from regulars.kernel.jobs.enqueue import enqueue
from regulars.kernel.jobs.registry import JobRegistry
from regulars.kernel.jobs.schedule import Daily, Every, Schedule
from regulars.kernel.jobs.work import EventInfo, JobWork

__all__ = [
    "CronTick",
    "Daily",
    "EventInfo",
    "Every",
    "JobDefinition",
    "JobRegistry",
    "JobWork",
    "Schedule",
    "cron",
    "enqueue",
    "job",
]
