"""Queries of a card's history."""

from __future__ import annotations

from sqlalchemy import Uuid, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import LedgerEntry
from regulars.domain.shops.models import Shop
from regulars.domain.staff.models import Staff
from regulars.kernel.db.listing import Listing

_TENANT_ID = bindparam("tenant", type_=Uuid)
_CARD_ID = bindparam("card", type_=Uuid)
_OWNER_ID = bindparam("owner", type_=Uuid)
_REVERSAL = aliased(LedgerEntry)
_OF_CARD = (LedgerEntry.tenant_id == _TENANT_ID, LedgerEntry.card_id == _CARD_ID)

COUNT = (
    select(Card.id, func.count(LedgerEntry.id).label("total"))
    .outerjoin(LedgerEntry, and_(LedgerEntry.tenant_id == Card.tenant_id, LedgerEntry.card_id == Card.id))
    .where(Card.tenant_id == _TENANT_ID, Card.id == _CARD_ID, or_(_OWNER_ID.is_(None), Card.member_id == _OWNER_ID))
    .group_by(Card.id)
)
"""One row with the number of entries, none when the tenant (or the owner that is asked for) has no such card."""

ENTRIES = Listing(
    select(
        LedgerEntry.id,
        LedgerEntry.unit,
        LedgerEntry.kind,
        LedgerEntry.occasion,
        LedgerEntry.amount,
        LedgerEntry.balance_after,
        LedgerEntry.plugin,
        LedgerEntry.rule,
        LedgerEntry.explanation,
        LedgerEntry.reason,
        LedgerEntry.source,
        LedgerEntry.sale_id,
        LedgerEntry.created_at,
        LedgerEntry.seq,
        func.coalesce(Shop.name, "").label("shop"),
        func.coalesce(Staff.name, "").label("staff"),
        select(func.coalesce(func.sum(_REVERSAL.amount), 0) == -LedgerEntry.amount)
        .where(_REVERSAL.tenant_id == LedgerEntry.tenant_id, _REVERSAL.reverses_id == LedgerEntry.id)
        .scalar_subquery()
        .label("undone"),
    )
    .outerjoin(Shop, and_(Shop.tenant_id == LedgerEntry.tenant_id, Shop.id == LedgerEntry.shop_id))
    .outerjoin(Staff, and_(Staff.tenant_id == LedgerEntry.tenant_id, Staff.id == LedgerEntry.staff_id))
    .where(*_OF_CARD),
    LedgerEntry.created_at,
    LedgerEntry.seq,
    LedgerEntry.id,
)
