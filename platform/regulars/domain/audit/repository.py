"""Queries of the audit logs."""

from __future__ import annotations

from sqlalchemy import ColumnElement, bindparam, func, insert, or_, select
from sqlalchemy.types import Text, Uuid

from regulars.domain.audit.models import AuditLog, PlatformAudit
from regulars.kernel.db.listing import Listing

INSERT = insert(AuditLog)
INSERT_PLATFORM = insert(PlatformAudit)

_ACTION, _TEXT = bindparam("action", type_=Text), bindparam("text", type_=Text)


def _wanted(table: type[AuditLog | PlatformAudit]) -> ColumnElement[bool]:
    """Rows of one kind of action and of one actor; an empty parameter asks for all."""
    in_name = func.strpos(func.lower(table.actor_name), func.lower(_TEXT)) > 0
    return (or_(_ACTION == "", func.starts_with(table.action, _ACTION))) & (or_(_TEXT == "", in_name))


LIST = Listing(
    select(AuditLog.__table__).where(AuditLog.tenant_id == bindparam("tenant", type_=Uuid), _wanted(AuditLog)),
    AuditLog.created_at,
    AuditLog.id,
)
LIST_PLATFORM = Listing(
    select(PlatformAudit.__table__).where(_wanted(PlatformAudit)), PlatformAudit.created_at, PlatformAudit.id
)
