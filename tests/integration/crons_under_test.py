"""What runs by the clock in the tests of the machinery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs_under_test import mark
from sqlalchemy import text

from regulars.kernel.jobs import CronTick, Every, JobWork, cron, job


@job("by_the_clock", schedule=Every(hours=1))
async def by_the_clock_job(work: JobWork, payload: Mapping[str, Any]) -> None:
    await mark(work.session, work.session.tenant_id, "by_the_clock", slot=payload["scheduled_at"])


SLOTS = text(
    "INSERT INTO core.platform_audit (id, actor_kind, actor_name, action, reason, subject, ip, device, request_id)"
    " VALUES (gen_random_uuid(), 'system', '', 'tick', '', :slot, '', '', '')"
)


@cron("tick", Every(hours=1))
async def tick_cron(tick: CronTick) -> None:
    await tick.session.execute(SLOTS, {"slot": tick.scheduled_at.isoformat()})


@cron("broken", Every(hours=1))
async def broken_cron(tick: CronTick) -> None:
    await tick.session.execute(SLOTS, {"slot": "broken"})
    raise ValueError("broken on purpose")
