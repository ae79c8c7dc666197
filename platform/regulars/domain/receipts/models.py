"""Table of receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Receipt(TenantEntity, Base):
    """A purchase without a card, as a shop's system sent it; it holds no personal data and never changes.

    It is claimed when there is a sale of its `source` and `external_ref`, so nothing can say two things about it.
    `misses` is how often somebody named it with another amount; `kept_until` when it is forgotten.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "shop_id"], ["core.shop.tenant_id", "core.shop.id"]),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("channel IN ('store', 'online')", name="channel"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
        Index("uq_receipt_external", "tenant_id", "source", "external_ref", unique=True),
        Index("ix_receipt_ref", "tenant_id", "external_ref"),
        Index("ix_receipt_created", "tenant_id", "created_at", "id"),
        Index("ix_receipt_kept", "tenant_id", "kept_until"),
        {"schema": "core"},
    )
    shop_id: Mapped[UUID | None]
    quantity: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    items: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    channel: Mapped[str]
    source: Mapped[str]
    external_ref: Mapped[str]
    occurred_at: Mapped[datetime]
    kept_until: Mapped[datetime]
    misses: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
