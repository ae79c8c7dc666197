"""SQL of the first steps; nothing is counted further than is asked for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Uuid, and_, bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.domain.sales.models import Sale
from regulars.domain.staff.models import Staff
from regulars.domain.tenants.models import Tenant

_TENANT = bindparam("tenant", type_=Uuid)
_MEMBERS = (
    select(Member.id)
    .where(Member.tenant_id == _TENANT, Member.status == "active")
    .limit(bindparam("many", type_=BigInteger))
    .subquery()
)
READ = select(
    Tenant.first_steps.label("marks"),
    exists().where(Program.tenant_id == _TENANT, Program.status == "active").label("has_program"),
    exists()
    .where(and_(Staff.tenant_id == _TENANT, Staff.status == "active", Staff.pin_hash.is_not(None)))
    .label("has_pin"),
    select(func.count()).select_from(_MEMBERS).scalar_subquery().label("members"),
    exists().where(Sale.tenant_id == _TENANT).label("has_sale"),
).where(Tenant.id == _TENANT)
MARK = (
    update(Tenant)
    .where(Tenant.id == _TENANT)
    .values(first_steps=Tenant.first_steps.concat(bindparam("marks", type_=JSONB)))
)
