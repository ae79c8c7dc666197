"""Sales for people: what was bought, what it gave, what was refunded of it and what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.ledger import Channel, Purchase
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.ledger.evaluation import read_items
from regulars.domain.members.finding import sought
from regulars.domain.sales import queries
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.i18n import gettext as _

Show = Literal["all", "refunded", "undone"]


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A sale.

    Attributes:
        amount_minor: in minor units of `currency`, `None` where no amount was told.
        items, benefits: as they are stored; `None` for none.
        counts: unit → what staff counted for it, `None` where they counted for no single unit.
        external_ref: its name in the system that it comes from.
        undone_at: when it was taken back at the till.
        number: of the card.
        name, email: of the member.
        shop, staff: where and by whom, empty when unknown.
        given: unit → what it gave at first.
        refunded_wholly: `None` for a sale of which nothing was refunded, else whether nothing is left.
    """

    id: UUID
    card_id: UUID
    quantity: int
    amount_minor: int | None
    currency: str | None
    items: Sequence[Mapping[str, Any]] | None
    benefits: Sequence[Mapping[str, Any]] | None
    channel: Channel
    counts: Mapping[str, int] | None
    source: str
    external_ref: str | None
    occurred_at: datetime
    undone_at: datetime | None
    number: str
    program_id: UUID
    member_id: UUID
    name: str
    email: str
    shop: str
    staff: str
    given: Mapping[str, int]
    refunded_wholly: bool | None

    @property
    def purchase(self) -> Purchase:
        """What was bought, as the rules see it."""
        items = read_items(self.items)
        return Purchase(self.quantity, self.amount_minor, self.currency, items, self.channel, self.counts)


async def list_sales(
    session: TenantSession, ctx: Context, page: PageRequest, *, query: str = "", show: Show = "all"
) -> Paged[SaleRow]:
    """Sales, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.view`.
        page: which part of them.
        query: a part of the member's name or address, the start of the card's number, or the sale's own reference.
        show: all, those with a refund, those that were taken back at the till.
    """
    require(ctx, "members.view")
    where = {"tenant": session.tenant_id, "show": show, **sought(query)}
    return await queries.LIST.page(session, where, page, lambda row: SaleRow(**row._mapping))


async def all_sales(database: Database, ctx: Context, *, query: str = "", show: Show = "all") -> AsyncIterator[SaleRow]:
    """All sales for a file, the latest first; arguments as above."""
    require(ctx, "members.view")
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in queries.LIST.rows(opened, {"tenant": ctx.tenant.id, "show": show, **sought(query)}):
        yield SaleRow(**row._mapping)


async def get_sale(session: TenantSession, ctx: Context, sale_id: UUID) -> SaleRow:
    """One sale.

    Raises:
        Forbidden: without `members.view` or `sales.refund`.
        NotFound: the tenant has no such sale.
    """
    require(ctx, "members.view", "sales.refund")
    row = await session.one_or_none(queries.ONE, {"tenant": session.tenant_id, "sale": sale_id})
    if row is None:
        raise NotFound(_("There is no such sale here."))
    return SaleRow(**row._mapping)
