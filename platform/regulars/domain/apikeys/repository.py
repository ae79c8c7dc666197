"""Queries of API keys."""

from __future__ import annotations

from sqlalchemy import Uuid, bindparam, func, insert, select, update

from regulars.domain.apikeys.models import ApiKey
from regulars.domain.shops.models import Shop

_TENANT = ApiKey.tenant_id == bindparam("of_tenant", type_=Uuid)

INSERT = insert(ApiKey)
LIST = (
    select(
        ApiKey.id,
        ApiKey.name,
        ApiKey.prefix,
        ApiKey.permissions,
        ApiKey.shop_id,
        ApiKey.created_at,
        ApiKey.revoked_at,
    )
    .where(_TENANT)
    .order_by(ApiKey.revoked_at.is_not(None), ApiKey.created_at.desc(), ApiKey.id)
)
REVOKE = (
    update(ApiKey)
    .where(_TENANT, ApiKey.id == bindparam("key", type_=Uuid), ApiKey.revoked_at.is_(None))
    .values(revoked_at=func.core.now())
    .returning(ApiKey.name)
)
HAS_SHOP = select(Shop.id).where(
    Shop.tenant_id == bindparam("of_tenant", type_=Uuid), Shop.id == bindparam("shop", type_=Uuid)
)
