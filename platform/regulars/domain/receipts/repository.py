"""Queries of receipts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.cards.models import Card
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.domain.receipts.models import Receipt
from regulars.domain.sales.models import Sale
from regulars.domain.shops.models import Shop
from regulars.domain.staff.models import Staff
from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.db.listing import Listing

_TENANT = bindparam("tenant", type_=Uuid)
_REF, _SOURCE = bindparam("ref", type_=Text), bindparam("of_source", type_=Text)
_AMOUNT, _SHOW = bindparam("amount", type_=BigInteger), bindparam("show", type_=Text)
_PROGRAM = bindparam("program", type_=Uuid)
_NOW: ColumnElement[object] = literal_column(CORE_NOW.text, type_=DateTime(timezone=True))
_ITS_SALE = and_(
    Sale.tenant_id == Receipt.tenant_id, Sale.source == Receipt.source, Sale.external_ref == Receipt.external_ref
)

CLOCK = select(_NOW)
DAYS = select(Program.id, Program.claim_days).where(Program.tenant_id == _TENANT)
SET_DAYS = (
    update(Program)
    .where(Program.tenant_id == _TENANT, Program.id == _PROGRAM)
    .values(claim_days=bindparam("new_days", type_=BigInteger))
)
SHOP = select(exists().where(Shop.tenant_id == _TENANT, Shop.id == bindparam("shop", type_=Uuid)))
SOLD = select(exists().where(Sale.tenant_id == _TENANT, Sale.source == _SOURCE, Sale.external_ref == _REF))
KEEP = insert(Receipt).on_conflict_do_nothing(index_elements=["tenant_id", "source", "external_ref"])
BY_REF = select(*Receipt.__table__.c).where(
    Receipt.tenant_id == _TENANT, Receipt.source == _SOURCE, Receipt.external_ref == _REF
)
FIND = (
    select(*Receipt.__table__.c)
    .where(Receipt.tenant_id == _TENANT, Receipt.external_ref == _REF, Receipt.amount_minor == _AMOUNT)
    .order_by(Receipt.id)
    .limit(2)
    .with_for_update()
)
"""Locked, so that of several who claim it at once one is first; two when systems use the same numbers."""
MISSED = (
    update(Receipt).where(Receipt.tenant_id == _TENANT, Receipt.external_ref == _REF).values(misses=Receipt.misses + 1)
)
OF_STAFF = select(
    exists()
    .where(Card.tenant_id == _TENANT, Card.id == bindparam("card", type_=Uuid))
    .where(Member.tenant_id == _TENANT, Member.id == Card.member_id)
    .where(Staff.tenant_id == _TENANT, func.lower(Staff.email) == Member.email)
)
"""Whether a card's member has the address of somebody of the staff."""
FORGET = delete(Receipt).where(Receipt.kept_until < _NOW)
_STATE = case(
    (Sale.id.is_not(None), literal_column("'claimed'")),
    (Receipt.kept_until < _NOW, literal_column("'over'")),
    else_=literal_column("'open'"),
)
LIST = Listing(
    select(
        Receipt.id,
        Receipt.external_ref,
        Receipt.amount_minor,
        Receipt.currency,
        Receipt.occurred_at,
        Receipt.kept_until,
        Receipt.misses,
        Receipt.created_at,
        func.coalesce(Shop.name, "").label("shop"),
        _STATE.label("state"),
        Sale.id.label("sale_id"),
        Sale.created_at.label("claimed_at"),
        Member.id.label("member_id"),
        func.coalesce(Member.name, "").label("name"),
        func.coalesce(Member.email, "").label("email"),
        func.coalesce(Card.number, "").label("number"),
    )
    .select_from(Receipt)
    .outerjoin(Shop, and_(Shop.tenant_id == Receipt.tenant_id, Shop.id == Receipt.shop_id))
    .outerjoin(Sale, _ITS_SALE)
    .outerjoin(Card, and_(Card.tenant_id == Sale.tenant_id, Card.id == Sale.card_id))
    .outerjoin(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(
        Receipt.tenant_id == _TENANT,
        or_(SOUGHT == "", Receipt.external_ref == SOUGHT, OF_MEMBER),
        or_(_SHOW == "", _STATE == _SHOW),
    ),
    Receipt.created_at,
    Receipt.id,
)
