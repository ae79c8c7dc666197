"""Table of own words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantTable


class OwnText(TenantTable, Base):
    """A tenant's own words for one of our texts; `forms` is a list, as long as the language has plurals, or one."""

    __tablename__ = "own_text"
    __table_args__ = ({"schema": "core"},)
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    locale: Mapped[str] = mapped_column(primary_key=True)
    context: Mapped[str] = mapped_column(primary_key=True)
    english: Mapped[str] = mapped_column(primary_key=True)
    forms: Mapped[list[Any]] = mapped_column(JSONB)
    changed_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
