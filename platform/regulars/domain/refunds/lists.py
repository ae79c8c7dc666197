"""Refunds for people: whose they are, what they came to, and those that wait for their sale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.members.finding import sought
from regulars.domain.refunds import repository
from regulars.domain.refunds.results import Refunded
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import TenantSession

Status = Literal["", "waiting", "done"]


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund with whose it is.

    Attributes:
        member_id: `None` while it waits for its sale.
        name, email: of the member, empty while it waits.
        currency: of the sale, empty where none is known.
    """

    refund: Refunded
    member_id: UUID | None
    name: str
    email: str
    currency: str


async def list_refunds(
    session: TenantSession,
    ctx: Context,
    page: PageRequest,
    *,
    query: str = "",
    status: Status = "",
    sale_id: UUID | None = None,
) -> Paged[RefundRow]:
    """Refunds, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.view` or `sales.refund`.
        page: which part of them.
        query: a part of the member's name or address, the start of the card's number, or a reference of sale or refund.
        status: only those; empty for all.
        sale_id: of one sale.
    """
    require(ctx, "members.view", "sales.refund")
    where = {"tenant": session.tenant_id, "status": status, "sale": sale_id, **sought(query)}
    rows = await session.rows(repository.LIST, {**where, "size": page.size, "skip": page.offset})
    found = [
        RefundRow(Refunded.of(row._asdict()), row.member_id, row.name or "", row.email or "", row.currency or "")
        for row in rows
    ]
    return Paged(found, await session.scalar(repository.COUNT, where), page)
