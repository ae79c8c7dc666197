"""Rewards that were handed out: the list behind the dashboard's figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.redemptions import queries
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import TenantSession


@dataclass(frozen=True, slots=True)
class GivenReward:
    """A reward that somebody got and that was not taken back.

    Attributes:
        value_minor: worth in minor units of `currency`, `None` when unknown.
        name: of the member, may be empty.
        shop, staff: where and by whom, empty when unknown.
    """

    id: UUID
    title: str
    unit: str
    cost: int
    value_minor: int | None
    currency: str
    created_at: datetime
    member_id: UUID
    name: str
    email: str
    shop: str
    staff: str


async def given_rewards(
    session: TenantSession, ctx: Context, page: PageRequest, *, this_month: bool, timezone: str
) -> Paged[GivenReward]:
    """Rewards handed out, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view` and, since members are named, `members.view`.
        page: which page.
        this_month: only those since the month began.
        timezone: IANA name of the zone whose months count, the program's.
    """
    require(ctx, "dashboard.view")
    require(ctx, "members.view")
    where = {"tenant": session.tenant_id, "this_month": this_month, "zone": timezone}
    rows = await session.rows(queries.PAGE, {**where, "size": page.size, "offset": page.offset})
    total = await session.scalar(queries.TOTAL, where)
    return Paged([GivenReward(**row._mapping) for row in rows], total, page)
