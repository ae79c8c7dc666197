"""Query of bills."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, or_, select

from regulars.domain.sales.models import Sale

_TENANT = bindparam("tenant", type_=Uuid)
_THIS = bindparam("sale", type_=Uuid)
_BILL = select(Sale.bill_id).where(Sale.tenant_id == _TENANT, Sale.id == _THIS).correlate(None).scalar_subquery()
SHARES = (
    select(Sale.id, Sale.bill_id)
    .where(Sale.tenant_id == _TENANT, or_(Sale.id == _THIS, Sale.bill_id == _BILL))
    .order_by(Sale.card_id, Sale.id)
)
"""All shares of the bill that a sale is one of, or the sale alone, in the order in which their cards are locked."""
