"""Refunds for people: whose they are, what they came to, and those that wait for their sale."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.members.finding import sought
from regulars.domain.refunds import repository
from regulars.domain.refunds.results import Refunded
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession

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
    return await repository.LIST.page(session, _where(session.tenant_id, query, status, sale_id), page, _row)


async def all_refunds(
    database: Database, ctx: Context, *, query: str = "", status: Status = ""
) -> AsyncIterator[RefundRow]:
    """All refunds for a file, the latest first; arguments as above."""
    require(ctx, "members.view", "sales.refund")
    where, opened = _where(ctx.tenant.id, query, status), partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in repository.LIST.rows(opened, where):
        yield _row(row)


def _where(tenant_id: UUID, query: str, status: Status, sale_id: UUID | None = None) -> Mapping[str, Any]:
    return {"tenant": tenant_id, "status": status, "sale": sale_id, **sought(query)}


def _row(row: Row[Any]) -> RefundRow:
    refund = Refunded.of(row._asdict())
    return RefundRow(refund, row.member_id, row.name or "", row.email or "", row.currency or "")
