"""The platform's upkeep, by the clock."""

from __future__ import annotations

import structlog

from regulars.domain.upkeep.repository import delete_old
from regulars.kernel.jobs import CronTick, Every, cron

log = structlog.get_logger(__name__)


@cron("cleanup", Every(hours=1))
async def cleanup(tick: CronTick) -> None:
    """Delete what is old, some of it each hour."""
    log.info("cleaned_up", **await delete_old(tick.session))
