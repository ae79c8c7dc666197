"""Query of bills."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, select

from regulars.domain.sales.models import Sale

_TENANT = bindparam("tenant", type_=Uuid)
_BILL = (
    select(Sale.bill_id)
    .where(Sale.tenant_id == _TENANT, Sale.id == bindparam("sale", type_=Uuid))
    .correlate(None)
    .scalar_subquery()
)
SHARES = (
    select(Sale.id, Sale.bill_id)
    .where(Sale.tenant_id == _TENANT, Sale.bill_id == _BILL)
    .order_by(Sale.card_id, Sale.id)
)
"""All shares of the bill that a sale is one of, in the order in which their cards are locked."""
