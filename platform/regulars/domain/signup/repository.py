"""Queries of sign-ups."""

from __future__ import annotations

from sqlalchemy import Interval, LargeBinary, Text, Uuid, and_, bindparam, exists, func, insert, or_, select, update

from regulars.domain.signup.models import SignUp
from regulars.domain.staff.models import Staff
from regulars.domain.tenants.models import Tenant, TenantHost
from regulars.kernel.db.expressions import NOW

_ID = bindparam("sign_up", type_=Uuid)
_TENANT_ID = bindparam("tenant", type_=Uuid)
_LIFETIME = bindparam("lifetime", type_=Interval)
_SLUG = bindparam("slug", type_=Text)
_COLUMNS = (
    SignUp.id,
    SignUp.email,
    SignUp.name,
    SignUp.country,
    SignUp.locale,
    SignUp.timezone,
    SignUp.offering,
    SignUp.slug,
    SignUp.made_tenant_id.label("tenant_id"),
)
_OPEN = and_(SignUp.token_hash == bindparam("hash", type_=LargeBinary), SignUp.expires_at > func.now())

LOCK_NAME = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text), 0)))
FIND = select(*_COLUMNS).where(_OPEN)
LOCK = FIND.with_for_update()
INSERT = insert(SignUp).values(
    id=_ID,
    token_hash=bindparam("hash", type_=LargeBinary),
    expires_at=func.now() + _LIFETIME,
    **{name: bindparam(name, type_=Text) for name in ("email", "name", "country", "locale", "timezone", "offering")},
)
CHANGE = (
    update(SignUp)
    .where(SignUp.id == _ID)
    .values({name: bindparam(f"new_{name}", type_=Text) for name in ("email", "name", "country", "locale", "timezone")})
)
CLAIM = (
    update(SignUp)
    .where(SignUp.id == _ID)
    .values(slug=bindparam("new_slug", type_=Text), claimed_until=func.now() + _LIFETIME)
)
CHOOSE = update(SignUp).where(SignUp.id == _ID).values(offering=bindparam("new_offering", type_=Text))
FINISH = (
    update(SignUp)
    .where(SignUp.id == _ID)
    .values(made_tenant_id=_TENANT_ID, claimed_until=None, expires_at=func.now() + _LIFETIME)
)
TAKEN = select(
    or_(
        exists().where(Tenant.slug == _SLUG),
        exists().where(TenantHost.host == bindparam("host", type_=Text)),
        exists().where(
            SignUp.slug == _SLUG,
            SignUp.id != _ID,
            SignUp.made_tenant_id.is_(None),
            SignUp.claimed_until > func.now(),
        ),
    )
)
MARK = update(Tenant).where(Tenant.id == _TENANT_ID).values(signed_up_at=NOW, verify_by=NOW + _LIFETIME)
OWNED = (
    select(Tenant.id.label("tenant_id"), Tenant.name, TenantHost.host)
    .join(Staff, and_(Staff.tenant_id == Tenant.id, Staff.role == "owner", Staff.status == "active"))
    .join(TenantHost, and_(TenantHost.tenant_id == Tenant.id, TenantHost.is_primary))
    .where(
        Staff.email == bindparam("email", type_=Text),
        Tenant.live_tenant_id.is_(None),
        Tenant.status == "active",
    )
    .order_by(func.lower(Tenant.name), Tenant.slug)
    .limit(10)
)
OVERDUE = (
    select(Tenant.id)
    .where(Tenant.verify_by <= NOW, Tenant.status == "active")
    .order_by(Tenant.id)
    .limit(bindparam("size"))
)
