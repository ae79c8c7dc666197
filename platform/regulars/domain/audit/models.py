"""Tables of the audit log: one for tenants, one for the platform."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity, new_id


class AuditLog(TenantEntity, Base):
    """Who did what to what, when, from where; append-only. `outcome` is done or refused."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_created", "tenant_id", "created_at"),
        Index("ix_audit_log_subject", "tenant_id", "subject_id"),
        Index("ix_audit_log_plugin_failed", "created_at", postgresql_where=text("action = 'plugin.failed'")),
        {"schema": "core"},
    )
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    ip: Mapped[str]
    device: Mapped[str]
    request_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class PlatformAudit(Base):
    """What operators and the platform's own jobs did; `reason` says why a platform session was opened."""

    __tablename__ = "platform_audit"
    __table_args__ = (Index("ix_platform_audit_created", "created_at"), {"schema": "core"})
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    reason: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    ip: Mapped[str]
    device: Mapped[str]
    request_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
