"""Query of the merchants that a demo shows to visitors."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select

from regulars.domain.tenants.models import Tenant, TenantHost

SHOWN = (
    select(Tenant.name, Tenant.branding, Tenant.offering, TenantHost.host)
    .join(TenantHost, and_(TenantHost.tenant_id == Tenant.id, TenantHost.is_primary))
    .where(Tenant.status == "active", Tenant.live_tenant_id.is_(None))
    .order_by(Tenant.created_at, Tenant.id)
    .limit(bindparam("size"))
)
