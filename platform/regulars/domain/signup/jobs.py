"""Sign-ups, by the clock."""

from __future__ import annotations

import structlog

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.signup import repository
from regulars.domain.tenants.service import set_status
from regulars.kernel.jobs import CronTick, Every, cron

log = structlog.get_logger(__name__)
REASON = "no owner's address proved right in time"
_AT_ONCE = 100


@cron("suspend_unverified", Every(hours=1))
async def suspend_unverified(tick: CronTick) -> None:
    """Suspend merchants that have signed up and whose owner's address has not proved right in time."""
    overdue = await tick.session.rows(repository.OVERDUE, {"size": _AT_ONCE})
    for row in overdue:
        await set_status(tick.session, SYSTEM, row.id, "suspended", reason=REASON, unproved=True)
    log.info("suspended_unverified", count=len(overdue))
