"""The clock's work on receipts."""

from __future__ import annotations

from regulars.domain.receipts import repository
from regulars.kernel.jobs import CronTick, Every, cron


@cron("receipts", Every(hours=6))
async def receipts(tick: CronTick) -> None:
    """Forget receipts that nobody can claim any more; the sale of a claimed one stays."""
    await tick.session.execute(repository.FORGET)
