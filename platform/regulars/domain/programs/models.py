"""Table of programs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Program(TenantEntity, Base):
    """A loyalty program of a tenant; what it does is in the settings of its plugins."""

    __tablename__ = "program"
    __table_args__ = (
        CheckConstraint("status IN ('setup', 'active', 'inactive')", name="status"),
        {"schema": "core"},
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="setup")
    timezone: Mapped[str]
    currency: Mapped[str]
    require_pin: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
