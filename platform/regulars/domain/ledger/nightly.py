"""The ledger looks at itself: every night some sales are evaluated again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

import structlog

from regulars.domain.ledger.replays import Replays
from regulars.kernel.jobs import Daily, JobWork, job

log = structlog.get_logger(__name__)


class ReplayDiffers(Exception):
    """The rules give something else for a sale than they gave: the job is dead at once, so that operators see it."""


@job("replay_sales", schedule=Daily(time(3, 40)), max_attempts=1)
async def replay_sales(work: JobWork, _payload: Mapping[str, Any]) -> None:
    """Replay a sample of the tenant's latest sales.

    Args:
        work: offers the `Replays`.

    Raises:
        ReplayDiffers: a sale gives something else now.
    """
    found = await work.service(Replays).replay_some(work.session, work.context.tenant)
    different = [str(one.sale_id) for one in found if one.outcome == "different"]
    log.info("sales_replayed", sales=len(found), different=len(different))
    if different:
        raise ReplayDiffers(f"{len(different)} of {len(found)} sales give something else now: {different[0]}")
