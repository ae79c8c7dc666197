"""Queries of stored evaluations, each with its sale and card."""

from __future__ import annotations

from sqlalchemy import BigInteger, Uuid, and_, bindparam, func, select

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import SaleEvaluation
from regulars.domain.sales.models import Sale

LATEST = 20_000
"""Sales among which a sample is picked."""
_TENANT = bindparam("tenant", type_=Uuid)
_EVALUATIONS = (
    select(
        SaleEvaluation.sale_id,
        SaleEvaluation.rules,
        SaleEvaluation.inputs,
        SaleEvaluation.result,
        Sale.shop_id,
        Sale.staff_id,
        Sale.quantity,
        Sale.amount_minor,
        Sale.currency,
        Sale.items,
        Sale.channel,
        Sale.counts,
        SaleEvaluation.card_id,
        Card.number.label("card_number"),
        Card.member_id,
        Card.program_id,
        Card.created_at.label("card_created_at"),
    )
    .join(Sale, and_(Sale.tenant_id == SaleEvaluation.tenant_id, Sale.id == SaleEvaluation.sale_id))
    .join(Card, and_(Card.tenant_id == SaleEvaluation.tenant_id, Card.id == SaleEvaluation.card_id))
    .where(SaleEvaluation.tenant_id == _TENANT)
)
_LATEST = (
    select(SaleEvaluation.sale_id)
    .where(SaleEvaluation.tenant_id == _TENANT)
    .order_by(SaleEvaluation.sale_id.desc())
    .limit(LATEST)
    .subquery()
)
_PICKED = select(_LATEST.c.sale_id).order_by(func.random()).limit(bindparam("most", type_=BigInteger))

ONE = _EVALUATIONS.where(SaleEvaluation.sale_id == bindparam("sale", type_=Uuid))
SOME = _EVALUATIONS.where(SaleEvaluation.sale_id.in_(_PICKED))
