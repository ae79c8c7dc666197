"""Table of API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class ApiKey(TenantEntity, Base):
    """A key of a tenant: `rk_live_…` or, in a sandbox, `rk_test_…`; stored hashed (SHA-256), shown once.

    `permissions` are its scopes; `prefix` is what lists show.
    """

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("tenant_id", "key_hash"), {"schema": "core"})
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes]
    permissions: Mapped[list[str]]
    shop_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    revoked_at: Mapped[datetime | None]
