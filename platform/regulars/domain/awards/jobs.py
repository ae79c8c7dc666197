"""Birthdays: every morning of each program, and again for the two days before, in case nobody worked then."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars.contracts.ledger import Birthday
from regulars.domain.awards import repository
from regulars.domain.awards.service import Awards
from regulars.domain.expiry.repository import CLOCK, PROGRAMS
from regulars.kernel.jobs import CronTick, Daily, Every, JobWork, cron, job
from regulars.kernel.jobs.repository import add_all, row

AWARD = "core.award_birthdays"
MORNING = time(6)
DAYS = 3
BATCH = 20
"""Cards in one transaction; they are locked in the order of their ids."""
TIMEOUT = 3600.0
_FIRST = UUID(int=0)


@cron("birthdays", Every(minutes=15))
async def birthdays(tick: CronTick) -> None:
    """Make a job for each program's last morning, unless there is one."""
    now = await tick.session.scalar(CLOCK)
    jobs = []
    for program in await tick.session.rows(PROGRAMS):
        day = Daily(MORNING, program.timezone).latest(now).astimezone(ZoneInfo(program.timezone)).date().isoformat()
        payload = {"program": str(program.id), "day": day}
        jobs.append(row(program.tenant_id, AWARD, payload, dedup_key=f"{program.id} {day}"))
    await add_all(tick.session, jobs)


@job("award_birthdays", external=True, timeout=TIMEOUT)
async def award_birthdays(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Give what the program gives for a birthday, each card once in a year whatever happens to the date.

    Args:
        work: the job.
        payload: program, and the last day that counts.
    """
    program, last = UUID(payload["program"]), date.fromisoformat(payload["day"])
    for back in range(DAYS):
        await _award_day(work, program, last - timedelta(days=back))


async def _award_day(work: JobWork, program: UUID, day: date) -> None:
    awards, after = work.service(Awards), _FIRST
    where = {"program": program, "day": day, "days": days_of(day), "year": str(day.year), "size": BATCH}
    while True:
        async with work.step() as session:
            found = await session.rows(repository.BIRTHDAYS, {"tenant": session.tenant_id, "after": after, **where})
            for card in found:
                await awards.award(session, work.context, card.id, Birthday(day.year), str(day.year))
        if len(found) < BATCH:
            return
        after = found[-1].id


def days_of(day: date) -> list[int]:
    """Birthdays that are kept on a day, as month times 100 plus day; February 29 is kept on the 28th in other years."""
    number = day.month * 100 + day.day
    return [228, 229] if number == 228 and not isleap(day.year) else [number]
