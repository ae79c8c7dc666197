"""Queries of merchants' own domains. All that changes something is done by the platform's role."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import BindParameter, Boolean, DateTime, Interval, Text, Uuid, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.domains.models import TenantDomain
from regulars.domain.tenants.models import Platform, Tenant, TenantHost
from regulars.kernel.db.expressions import NOW

_TENANT = bindparam("of_tenant", type_=Uuid)
_HOST: BindParameter[str] = bindparam("of_host", type_=Text)
_ONE = (TenantDomain.tenant_id == _TENANT) & (TenantDomain.host == _HOST)
ROW = (
    TenantDomain.host,
    TenantDomain.proof,
    TenantDomain.status,
    TenantDomain.problem,
    TenantDomain.tries,
    TenantDomain.checked_at,
    TenantDomain.failing_since,
)

LIST = select(*ROW).where(TenantDomain.tenant_id == _TENANT).order_by(TenantDomain.created_at, TenantDomain.host)
ONE = select(*ROW, NOW.label("now")).where(_ONE)
ONE_FOR_UPDATE = ONE.with_for_update(of=TenantDomain)
ADD = insert(TenantDomain).on_conflict_do_nothing().returning(TenantDomain.host)
DELETE = delete(TenantDomain).where(_ONE).returning(TenantDomain.status)
SETTLE = (
    update(TenantDomain)
    .where(_ONE)
    .values(
        status=bindparam("new_status", type_=Text),
        problem=bindparam("new_problem", type_=Text),
        tries=bindparam("new_tries"),
        failing_since=bindparam("new_failing_since", type_=DateTime(timezone=True)),
        checked_at=NOW,
        next_check_at=NOW + bindparam("wait", type_=Interval),
    )
)
LEASE = timedelta(minutes=10)
_due = (
    select(TenantDomain.tenant_id, TenantDomain.host)
    .where(TenantDomain.next_check_at <= NOW)
    .order_by(TenantDomain.next_check_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
TAKE_DUE = (
    update(TenantDomain)
    .where(TenantDomain.tenant_id == _due.c.tenant_id, TenantDomain.host == _due.c.host)
    .values(next_check_at=NOW + bindparam("lease", LEASE, type_=Interval))
    .returning(TenantDomain.tenant_id, TenantDomain.host)
)
"""Due ones; until the lease ends nobody else takes them."""

CLAIM = insert(TenantHost).on_conflict_do_nothing().returning(TenantHost.host)
OWNER = select(TenantHost.tenant_id).where(TenantHost.host == _HOST)
RELEASE = (
    delete(TenantHost).where(TenantHost.tenant_id == _TENANT, TenantHost.host == _HOST).returning(TenantHost.is_primary)
)
PLACE = select((Tenant.slug + "." + Tenant.base_domain).label("subdomain"), Tenant.moves).where(Tenant.id == _TENANT)
SET_MOVES = (
    update(Tenant)
    .where(Tenant.id == _TENANT, Tenant.moves != bindparam("new_moves", type_=Boolean))
    .values(moves=bindparam("new_moves", type_=Boolean))
)
PLATFORMS = select(Platform.base_domain)
