"""SQL of links to staff."""

from __future__ import annotations

from sqlalchemy import Interval, LargeBinary, Text, Uuid, and_, bindparam, func, insert, select, update

from regulars.domain.staff.models import Staff, StaffLink

_TENANT_ID = bindparam("tenant", type_=Uuid)
_STAFF_ID = bindparam("staff", type_=Uuid)
_GOOD = and_(
    StaffLink.tenant_id == _TENANT_ID,
    StaffLink.kind == bindparam("link_kind", type_=Text),
    StaffLink.token_hash == bindparam("hash", type_=LargeBinary),
    StaffLink.used_at.is_(None),
    StaffLink.expires_at > func.now(),
)
_PERSON = select(
    Staff.id.label("staff_id"),
    Staff.name,
    Staff.role,
    func.coalesce(Staff.email, "").label("email"),
    Staff.password_hash.is_not(None).label("has_password"),
)

INSERT = insert(StaffLink).values(
    tenant_id=_TENANT_ID,
    id=bindparam("link", type_=Uuid),
    staff_id=_STAFF_ID,
    kind=bindparam("link_kind", type_=Text),
    token_hash=bindparam("hash", type_=LargeBinary),
    expires_at=func.now() + bindparam("lifetime", type_=Interval),
)
LOOK = (
    _PERSON.join(StaffLink, and_(StaffLink.tenant_id == Staff.tenant_id, StaffLink.staff_id == Staff.id))
    .where(_GOOD, Staff.status == "active")
    .limit(1)
)
USE = update(StaffLink).where(_GOOD).values(used_at=func.now()).returning(StaffLink.staff_id)
USE_ALL = (
    update(StaffLink)
    .where(StaffLink.tenant_id == _TENANT_ID, StaffLink.staff_id == _STAFF_ID, StaffLink.used_at.is_(None))
    .values(used_at=func.now())
)
BEARER = _PERSON.where(Staff.tenant_id == _TENANT_ID, Staff.id == _STAFF_ID, Staff.status == "active")
ADDRESSEE = select(Staff.id.label("staff_id"), Staff.name, Staff.email).where(
    Staff.tenant_id == _TENANT_ID, Staff.email == bindparam("email", type_=Text), Staff.status == "active"
)
