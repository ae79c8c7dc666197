"""Queries of refunds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text, Uuid, and_, bindparam, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.cards.models import Card
from regulars.domain.members.finding import OF_MEMBER, SOUGHT
from regulars.domain.members.models import Member
from regulars.domain.refunds.models import Refund
from regulars.domain.sales.models import Sale
from regulars.kernel.db.expressions import NOW
from regulars.kernel.db.listing import Listing

_TENANT = bindparam("tenant", type_=Uuid)
_SALE = select(Sale.id, Sale.card_id, Sale.shop_id, Sale.source, Sale.external_ref).where(Sale.tenant_id == _TENANT)

SALE_BY_ID = _SALE.where(Sale.id == bindparam("sale", type_=Uuid))
SALE_BY_REF = _SALE.where(
    Sale.source == bindparam("source", type_=Text), Sale.external_ref == bindparam("ref", type_=Text)
)
_REFUND = (
    Refund.id,
    Refund.sale_id,
    Refund.sale_ref,
    Refund.card_id,
    Refund.external_ref,
    Refund.amount_minor,
    Refund.quantity,
    Refund.items,
    Refund.reason,
    Refund.status,
    Refund.result,
    Refund.created_at,
    Refund.done_at,
)
ONE = select(*_REFUND).where(Refund.tenant_id == _TENANT, Refund.id == bindparam("id", type_=Uuid))
BY_REF = select(*_REFUND).where(
    Refund.tenant_id == _TENANT,
    Refund.source == bindparam("source", type_=Text),
    Refund.external_ref == bindparam("ref", type_=Text),
)
OWN = Listing(select(*_REFUND).where(Refund.tenant_id == _TENANT), Refund.created_at, Refund.id)
"""Refunds without whose they are."""
_SOUGHT = (
    Refund.tenant_id == _TENANT,
    or_(bindparam("status", type_=Text) == "", Refund.status == bindparam("status", type_=Text)),
    or_(bindparam("sale", type_=Uuid).is_(None), Refund.sale_id == bindparam("sale", type_=Uuid)),
    or_(SOUGHT == "", Refund.sale_ref == SOUGHT, Refund.external_ref == SOUGHT, OF_MEMBER),
)


LIST = Listing(
    select(*_REFUND, Member.id.label("member_id"), Member.name, Member.email, Sale.currency)
    .select_from(Refund)
    .outerjoin(Card, and_(Card.tenant_id == Refund.tenant_id, Card.id == Refund.card_id))
    .outerjoin(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .outerjoin(Sale, and_(Sale.tenant_id == Refund.tenant_id, Sale.id == Refund.sale_id))
    .where(*_SOUGHT),
    Refund.created_at,
    Refund.id,
)
"""Whose refunds they are; nobody's while they wait for their sale."""
WAIT = (
    insert(Refund)
    .values(created_at=NOW)
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "source", "external_ref"], index_where=Refund.external_ref.is_not(None)
    )
)
WAITING = (
    select(*_REFUND)
    .where(
        Refund.tenant_id == _TENANT,
        Refund.source == bindparam("source", type_=Text),
        Refund.sale_ref == bindparam("ref", type_=Text),
        Refund.status == "waiting",
    )
    .order_by(Refund.created_at, Refund.id)
)
SETTLE = (
    update(Refund)
    .where(Refund.tenant_id == _TENANT, Refund.id == bindparam("refund", type_=Uuid), Refund.status == "waiting")
    .values(
        card_id=bindparam("card", type_=Uuid),
        sale_id=bindparam("sale", type_=Uuid),
        amount_minor=bindparam("amount", type_=BigInteger),
        quantity=bindparam("pieces", type_=BigInteger),
        items=bindparam("lines", type_=Refund.items.type),
        result=bindparam("outcome", type_=Refund.result.type),
        status="done",
        done_at=NOW,
    )
)
_SALE_IS_THERE = (
    (Refund.tenant_id == Sale.tenant_id)
    & (Refund.source == Sale.source)
    & (Refund.sale_ref == Sale.external_ref)
    & (Refund.status == literal_column("'waiting'"))
)
OVERDUE = select(Sale.id).join(Refund, _SALE_IS_THERE).where(Sale.tenant_id == _TENANT).distinct()
"""Sales that came at the same moment as their refund, so that neither saw the other."""
TENANTS_OVERDUE = select(Sale.tenant_id).join(Refund, _SALE_IS_THERE).distinct()
"""Whoever has any, for the platform."""
