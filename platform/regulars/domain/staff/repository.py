"""Queries of staff and of sessions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    DateTime,
    Interval,
    LargeBinary,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.staff.models import Session, Staff
from regulars.kernel.db.expressions import NOW

_TENANT_ID = bindparam("tenant", type_=Uuid)
_TENANT = Staff.tenant_id == _TENANT_ID
_THIS = Staff.id == bindparam("staff", type_=Uuid)
_LOCKED_UNTIL = case((Staff.pin_locked_until > NOW, Staff.pin_locked_until)).label("pin_locked_until")
_COLUMNS = (
    Staff.id,
    Staff.name,
    Staff.role,
    Staff.status,
    Staff.email,
    Staff.password_hash.is_not(None).label("has_password"),
    Staff.pin_hash.is_not(None).label("has_pin"),
    Staff.pin_used_at,
    _LOCKED_UNTIL,
    Staff.created_at,
)
_RANK = case((Staff.role == "owner", 0), (Staff.role == "manager", 1), else_=2)

LIST = select(*_COLUMNS).where(_TENANT, Staff.status == "active").order_by(_RANK, func.lower(Staff.name), Staff.id)
ON_DUTY = (
    select(Staff.id, Staff.name, Staff.role, _LOCKED_UNTIL)
    .where(_TENANT, Staff.status == "active", Staff.pin_hash.is_not(None))
    .order_by(func.lower(Staff.name), Staff.id)
)
GET = select(*_COLUMNS).where(_TENANT, _THIS)
LOCK = GET.with_for_update(key_share=True)
COUNT_OTHER_OWNERS = select(func.count()).where(
    _TENANT, Staff.role == "owner", Staff.status == "active", Staff.id != bindparam("staff", type_=Uuid)
)
EMAIL_TAKEN = select(Staff.id).where(
    _TENANT, Staff.email == bindparam("email", type_=Text), Staff.id != bindparam("staff", type_=Uuid)
)
INSERT = insert(Staff).on_conflict_do_nothing(index_elements=["tenant_id", "id"]).returning(Staff.id)
CHANGE = (
    update(Staff)
    .where(_TENANT, _THIS)
    .values(
        name=bindparam("new_name", type_=Text),
        role=bindparam("new_role", type_=Text),
        email=bindparam("new_email", type_=Text),
    )
)
SET_LANGUAGE = (
    update(Staff)
    .where(_TENANT, _THIS, Staff.locale.is_distinct_from(bindparam("new_locale", type_=Text)))
    .values(locale=bindparam("new_locale", type_=Text))
    .returning(Staff.id)
)
DEACTIVATE = (
    update(Staff).where(_TENANT, _THIS).values(status="inactive", email=None, password_hash=None, pin_hash=None)
)
SET_PIN = (
    update(Staff)
    .where(_TENANT, _THIS)
    .values(pin_hash=bindparam("new_hash", type_=LargeBinary), pin_failures=0, pin_locked_until=None)
)
UNLOCK_PIN = update(Staff).where(_TENANT, _THIS).values(pin_failures=0, pin_locked_until=None)
SET_PASSWORD = (
    update(Staff)
    .where(_TENANT, _THIS)
    .values(password_hash=bindparam("new_hash", type_=Text), login_failures=0, login_locked_until=None)
)

LOG_IN = select(Staff.id, Staff.password_hash).where(
    _TENANT, Staff.email == bindparam("email", type_=Text), Staff.status == "active"
)
LOG_IN_LOCK = (
    select(
        Staff.id,
        Staff.name,
        Staff.role,
        Staff.password_hash,
        Staff.login_failures,
        Staff.login_locked_until,
        NOW.label("now"),
    )
    .where(_TENANT, _THIS, Staff.status == "active")
    .with_for_update(key_share=True)
)
LOG_IN_COUNT = (
    update(Staff)
    .where(_TENANT, _THIS)
    .values(
        login_failures=bindparam("failures", type_=BigInteger),
        login_locked_until=bindparam("locked_until", type_=DateTime(timezone=True)),
    )
)

_SESSION_TENANT = Session.tenant_id == _TENANT_ID
_ENDS_AT = func.now() + bindparam("lifetime", type_=Interval)
OPEN_SESSION = (
    insert(Session)
    .values(
        tenant_id=bindparam("tenant", type_=Uuid),
        id=bindparam("session", type_=Uuid),
        token_hash=bindparam("hash", type_=LargeBinary),
        staff_id=bindparam("staff", type_=Uuid),
        member_id=bindparam("member", type_=Uuid),
        shop_id=bindparam("shop", type_=Uuid),
        expires_at=_ENDS_AT,
        ip=bindparam("from_ip", type_=Text),
        device=bindparam("from_device", type_=Text),
    )
    .returning(Session.expires_at)
)
CLOSE_SESSION = delete(Session).where(_SESSION_TENANT, Session.id == bindparam("session", type_=Uuid))
_HOLDER = or_(Session.staff_id == bindparam("staff", type_=Uuid), Session.member_id == bindparam("member", type_=Uuid))
CLOSE_SESSIONS = delete(Session).where(_SESSION_TENANT, _HOLDER)
CLOSE_OTHER_SESSIONS = CLOSE_SESSIONS.where(Session.id.is_distinct_from(bindparam("session", type_=Uuid)))
CLOSE_EXPIRED = delete(Session).where(_SESSION_TENANT, _HOLDER, Session.expires_at <= func.now())
SET_SHOP = (
    update(Session)
    .where(and_(_SESSION_TENANT, Session.id == bindparam("session", type_=Uuid)))
    .values(shop_id=bindparam("shop", type_=Uuid))
)
