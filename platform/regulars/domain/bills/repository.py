"""Queries of bills."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, or_, select

from regulars.domain.cards.models import Card
from regulars.domain.sales.models import Sale
from regulars.domain.shops.models import Shop

_TENANT = bindparam("tenant", type_=Uuid)
_THIS = bindparam("sale", type_=Uuid)
_BILL = select(Sale.bill_id).where(Sale.tenant_id == _TENANT, Sale.id == _THIS).correlate(None).scalar_subquery()
LOCK_CARDS = (
    select(Card.id)
    .where(Card.tenant_id == _TENANT, Card.id.in_(bindparam("cards", type_=Uuid, expanding=True)))
    .order_by(Card.id)
    .with_for_update(key_share=True)
)
"""All cards of a bill in the order of their ids."""
SHOPS = select(Shop.id).where(Shop.tenant_id == _TENANT, Shop.id.in_(bindparam("shops", type_=Uuid, expanding=True)))
"""Which of these shops there are."""
SHARES = (
    select(Sale.id, Sale.bill_id)
    .where(Sale.tenant_id == _TENANT, or_(Sale.id == _THIS, Sale.bill_id == _BILL))
    .order_by(Sale.card_id, Sale.id)
)
"""All parts of the bill that a sale is one of, or the sale alone, in the order in which their cards are locked."""
