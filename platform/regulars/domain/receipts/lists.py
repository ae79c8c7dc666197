"""Receipts for people: which are open, and who has claimed which."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.members.finding import sought
from regulars.domain.receipts import repository
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession

State = Literal["open", "claimed", "over"]
Show = State | Literal[""]


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt.

    Attributes:
        external_ref: the number on it.
        misses: how often somebody named it with another amount.
        shop: where, empty when nowhere.
        sale_id, claimed_at, member_id, name, email, number: of whoever has claimed it; nothing while nobody has.
    """

    id: UUID
    external_ref: str
    amount_minor: int
    currency: str
    occurred_at: datetime
    kept_until: datetime
    misses: int
    created_at: datetime
    shop: str
    state: State
    sale_id: UUID | None
    claimed_at: datetime | None
    member_id: UUID | None
    name: str
    email: str
    number: str


async def list_receipts(
    session: TenantSession, ctx: Context, page: PageRequest, *, query: str = "", show: Show = ""
) -> Paged[ReceiptRow]:
    """Receipts, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.adjust`: who knows number and amount can claim.
        page: which part of them.
        query: the number, or a part of the name, address or card of whoever has claimed it.
        show: only those in this state.
    """
    require(ctx, "members.adjust")
    where = _where(session.tenant_id, query, show)
    return await repository.LIST.page(session, where, page, lambda row: ReceiptRow(**row._mapping))


async def all_receipts(
    database: Database, ctx: Context, *, query: str = "", show: Show = ""
) -> AsyncIterator[ReceiptRow]:
    """All receipts for a file, the latest first; arguments as above."""
    require(ctx, "members.adjust")
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in repository.LIST.rows(opened, _where(ctx.tenant.id, query, show)):
        yield ReceiptRow(**row._mapping)


def _where(tenant_id: UUID, query: str, show: Show) -> Mapping[str, Any]:
    return {"tenant": tenant_id, "show": show, **sought(query)}
