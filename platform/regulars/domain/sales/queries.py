"""Queries of sales for people."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import LedgerEntry, LedgerPending
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.refunds.models import Refund
from regulars.domain.sales.models import Sale
from regulars.domain.shops.models import Shop
from regulars.domain.staff.models import Staff
from regulars.kernel.db.listing import Listing

_TENANT = bindparam("tenant", type_=Uuid)
_SHOW = bindparam("show", type_=Text)
_GIFTS = union_all(
    select(LedgerEntry.unit, LedgerEntry.amount)
    .where(
        LedgerEntry.tenant_id == Sale.tenant_id,
        LedgerEntry.sale_id == Sale.id,
        LedgerEntry.kind == literal_column("'earn'"),
    )
    .correlate(Sale),
    select(LedgerPending.unit, LedgerPending.amount)
    .where(
        LedgerPending.tenant_id == Sale.tenant_id,
        LedgerPending.card_id == Sale.card_id,
        LedgerPending.sale_id == Sale.id,
        LedgerPending.status == literal_column("'open'"),
    )
    .correlate(Sale),
).subquery("gifts")
_SUMS = select(_GIFTS.c.unit, func.sum(_GIFTS.c.amount).label("amount")).group_by(_GIFTS.c.unit).lateral("sums")
_GIVEN = select(func.coalesce(func.jsonb_object_agg(_SUMS.c.unit, _SUMS.c.amount), cast({}, JSONB))).scalar_subquery()
_REFUNDED = (
    select(func.bool_or(cast(Refund.result["is_whole"].astext, Boolean)))
    .where(Refund.tenant_id == Sale.tenant_id, Refund.sale_id == Sale.id)
    .correlate(Sale)
    .scalar_subquery()
)
"""`None` for a sale that was never refunded, else whether all of it was."""
_COLUMNS = (
    Sale.id,
    Sale.card_id,
    Sale.quantity,
    Sale.amount_minor,
    Sale.currency,
    Sale.items,
    Sale.benefits,
    Sale.channel,
    Sale.counts,
    Sale.source,
    Sale.external_ref,
    Sale.occurred_at,
    Sale.undone_at,
    Card.number,
    Card.program_id,
    Member.id.label("member_id"),
    Member.name,
    Member.email,
    func.coalesce(Shop.name, "").label("shop"),
    func.coalesce(Staff.name, "").label("staff"),
    _GIVEN.label("given"),
    _REFUNDED.label("refunded_wholly"),
)
_WANTED = (
    Sale.tenant_id == _TENANT,
    or_(SOUGHT == "", Sale.external_ref == SOUGHT, OF_MEMBER),
    or_(
        _SHOW == "all",
        and_(_SHOW == "refunded", _REFUNDED.is_not(None)),
        and_(_SHOW == "undone", Sale.undone_at.is_not(None)),
    ),
)


_SALES = (
    select(*_COLUMNS)
    .select_from(Sale)
    .join(Card, and_(Card.tenant_id == Sale.tenant_id, Card.id == Sale.card_id))
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .outerjoin(Shop, and_(Shop.tenant_id == Sale.tenant_id, Shop.id == Sale.shop_id))
    .outerjoin(Staff, and_(Staff.tenant_id == Sale.tenant_id, Staff.id == Sale.staff_id))
)
LIST = Listing(_SALES.where(*_WANTED), Sale.occurred_at, Sale.id)
ONE = _SALES.where(Sale.tenant_id == _TENANT, Sale.id == bindparam("sale", type_=Uuid))
