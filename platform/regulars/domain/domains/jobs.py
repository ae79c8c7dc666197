"""Names are looked at again and again: soon while their owner waits, some times a day when they are well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from regulars.domain.domains import repository
from regulars.domain.domains.desk import DomainDesk
from regulars.domain.domains.naming import show_name
from regulars.domain.domains.service import Domain
from regulars.domain.domains.settling import GRACE
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.office import PostOffice
from regulars.domain.messaging.repository import OWNERS
from regulars.kernel.i18n import N_, LazyText
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
        await _warn(work, domain)


async def _warn(work: JobWork, domain: Domain) -> None:
    tenant, office = work.context.tenant, work.service(PostOffice)
    assert domain.failing_since is not None
    event_id = uuid5(NAMESPACE_DNS, f"{domain.host} {domain.status == 'lost'} {domain.failing_since.isoformat()}")
    footer = [LazyText(N_("You get this mail as an owner of %(brand)s."), {"brand": tenant.name})]
    values = {
        "domain": show_name(domain.host),
        "until": domain.failing_since + GRACE,
        "is_lost": domain.status == "lost",
        "link": office.url(tenant, "/manage/domains"),
    }
    async with work.step() as session:
        for owner in await session.rows(OWNERS, {"of_tenant": tenant.id}):
            recipient = Recipient(owner.email, owner.name, tenant.default_locale)
            await office.queue(
                session, tenant, "mails/domain", recipient, event_id=event_id, values=values, footer=footer
            )
