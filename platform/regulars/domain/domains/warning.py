"""The mail that tells owners that a name's records are missed, or that it was taken out."""

from __future__ import annotations

from uuid import NAMESPACE_DNS, uuid5

from regulars.contracts.context import TenantSnapshot
from regulars.domain.domains.naming import show_name
from regulars.domain.domains.service import Domain
from regulars.domain.domains.settling import GRACE
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.office import PostOffice
from regulars.domain.messaging.repository import OWNERS
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import N_, LazyText


async def warn_owners(session: TenantSession, tenant: TenantSnapshot, office: PostOffice, domain: Domain) -> None:
    """Write to a tenant's owners; once for each time that a name began to fail and once when it is lost, whoever looks.

    Args:
        session: the tenant's.
        tenant: whose name.
        office: queues the mails.
        domain: that fails, as a check has found it.
    """
    assert domain.failing_since is not None
    event_id = uuid5(NAMESPACE_DNS, f"{domain.host} {domain.status == 'lost'} {domain.failing_since.isoformat()}")
    footer = [LazyText(N_("You get this mail as an owner of %(brand)s."), {"brand": tenant.name})]
    values = {
        "domain": show_name(domain.host),
        "until": domain.failing_since + GRACE,
        "is_lost": domain.status == "lost",
        "link": office.url(tenant, "/manage/domains"),
    }
    for owner in await session.rows(OWNERS, {"of_tenant": tenant.id}):
        recipient = Recipient(owner.email, owner.name, tenant.default_locale)
        await office.queue(session, tenant, "mails/domain", recipient, event_id=event_id, values=values, footer=footer)
