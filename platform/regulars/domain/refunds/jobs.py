"""Refunds whose sale came at the same moment, so that neither saw the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.domain.refunds import repository
from regulars.domain.refunds.service import Refunds
from regulars.kernel.jobs import CronTick, Every, JobWork, cron, job
from regulars.kernel.jobs.repository import add_all, row

SETTLE = "core.settle_refunds"


@cron("early_refunds", Every(minutes=5))
async def early_refunds(tick: CronTick) -> None:
    """Make a job for each tenant that has any."""
    tenants = (await tick.session.execute(repository.TENANTS_OVERDUE)).scalars()
    await add_all(tick.session, [row(tenant_id, SETTLE, {}) for tenant_id in tenants])


@job("settle_refunds")
async def settle_refunds(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Book what has waited."""
    refunds = work.service(Refunds)
    for sale in await work.session.rows(repository.OVERDUE, {"tenant": work.session.tenant_id}):
        await refunds.settle(work.session, work.context, sale.id)
