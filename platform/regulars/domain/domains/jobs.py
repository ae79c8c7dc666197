"""Names are looked at again and again: soon while their owner waits, some times a day when they are well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.domain.domains import repository
from regulars.domain.domains.desk import DomainDesk
from regulars.domain.domains.warning import warn_owners
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.jobs import CronTick, Every, JobWork, cron, job
from regulars.kernel.jobs.repository import add_all, row

CHECK = "core.check_domain"
MOST = 500
"""Names in one minute; the others are due in the next one."""


@cron("domains", Every(minutes=1))
async def domains(tick: CronTick) -> None:
    """Make a job for each name that is due."""
    due = (await tick.session.execute(repository.TAKE_DUE, {"most": MOST})).all()
    await add_all(tick.session, [row(one.tenant_id, CHECK, {"host": one.host}, max_attempts=1) for one in due])


@job("check_domain", external=True, max_attempts=1)
async def check_domain(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Look at one name; its owners get a mail when its records are missed, and when it was taken out."""
    domain = await work.service(DomainDesk).check(work.context.tenant, payload["host"])
    if domain is not None and domain.failing_since is not None:
        async with work.step() as session:
            await warn_owners(session, work.context.tenant, work.service(PostOffice), domain)
