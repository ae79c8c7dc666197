"""Queries of shops."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, func, insert, select, update

from regulars.domain.shops.models import Shop

_TENANT = Shop.tenant_id == bindparam("tenant", type_=Uuid)
_THIS = Shop.id == bindparam("shop", type_=Uuid)
_COLUMNS = (Shop.id, Shop.name, Shop.address, Shop.status, Shop.created_at)

LIST = select(*_COLUMNS).where(_TENANT).order_by(Shop.status, Shop.created_at, Shop.id)
GET = select(*_COLUMNS).where(_TENANT, _THIS)
LOCK = GET.with_for_update(key_share=True)
COUNT_ACTIVE = select(func.count()).where(_TENANT, Shop.status == "active")
INSERT = insert(Shop)
CHANGE = (
    update(Shop)
    .where(_TENANT, _THIS)
    .values(name=bindparam("new_name", type_=Text), address=bindparam("new_address", type_=Text))
)
SET_STATUS = update(Shop).where(_TENANT, _THIS).values(status=bindparam("new_status", type_=Text))
