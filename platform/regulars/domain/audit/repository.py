"""Queries of the audit logs."""

from __future__ import annotations

from sqlalchemy import ColumnElement, bindparam, func, insert, or_, select
from sqlalchemy.types import Text

from regulars.domain.audit.models import AuditLog, PlatformAudit

INSERT = insert(AuditLog)
INSERT_PLATFORM = insert(PlatformAudit)

_ACTION, _TEXT = bindparam("action", type_=Text), bindparam("text", type_=Text)


def _wanted(table: type[AuditLog | PlatformAudit]) -> ColumnElement[bool]:
    """Rows of one kind of action and of one actor; an empty parameter asks for all."""
    in_name = func.strpos(func.lower(table.actor_name), func.lower(_TEXT)) > 0
    return (or_(_ACTION == "", func.starts_with(table.action, _ACTION))) & (or_(_TEXT == "", in_name))


_TENANT = AuditLog.tenant_id == bindparam("tenant_id")
LIST = (
    select(AuditLog.__table__)
    .where(_TENANT, _wanted(AuditLog))
    .order_by(AuditLog.created_at.desc(), AuditLog.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
COUNT = select(func.count()).select_from(AuditLog).where(_TENANT, _wanted(AuditLog))
LIST_PLATFORM = (
    select(PlatformAudit.__table__)
    .where(_wanted(PlatformAudit))
    .order_by(PlatformAudit.created_at.desc(), PlatformAudit.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
COUNT_PLATFORM = select(func.count()).select_from(PlatformAudit).where(_wanted(PlatformAudit))
