"""The mails that tell owners that their certificate or key for a wallet is about to end."""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_DNS, uuid5

from regulars.contracts.context import TenantSnapshot
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.office import PostOffice
from regulars.domain.messaging.repository import OWNERS
from regulars.domain.wallets.desk import OfferedWallet
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import N_, LazyText

DAYS = (1, 7, 30)
"""So many days before the end a mail comes."""


def alarm_of(ends: datetime, now: datetime) -> int | None:
    """Which alarm is due: the smallest of `DAYS` that has begun, `None` before the first and after the end."""
    left = (ends - now).total_seconds() / 86_400
    return next((days for days in DAYS if 0 < left <= days), None)


async def warn_owners(
    session: TenantSession, tenant: TenantSnapshot, office: PostOffice, one: OfferedWallet, now: datetime
) -> None:
    """Write to a tenant's owners when their own certificate ends soon, once for each alarm, however often it is asked.

    Args:
        session: the tenant's.
        tenant: whose wallet.
        office: queues the mails.
        one: with its readiness; what is the platform's is the operator's to mend.
        now: by the server's clock.
    """
    ends = one.readiness.expires_at
    days = alarm_of(ends, now) if ends is not None and one.readiness.own else None
    if ends is None or days is None:
        return
    event_id = uuid5(NAMESPACE_DNS, f"{tenant.id} {one.wallet} {ends.isoformat()} {days}")
    footer = [LazyText(N_("You get this mail as an owner of %(brand)s."), {"brand": tenant.name})]
    values = {"wallet": one.provider.title, "ends": ends, "link": office.url(tenant, "/manage/wallets")}
    for owner in await session.rows(OWNERS, {"of_tenant": tenant.id}):
        recipient = Recipient(owner.email, owner.name, tenant.default_locale)
        await office.queue(session, tenant, "mails/wallet", recipient, event_id=event_id, values=values, footer=footer)
