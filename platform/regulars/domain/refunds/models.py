"""Table of refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantEntity


class Refund(TenantEntity, Base):
    """Money that a customer got back for a sale, or for a part of it.

    One that comes before its sale is `waiting` and knows only the sale's external reference. `amount_minor`,
    `quantity` and `items` say which part of the sale; without any of them it is all that was left. `result` is what it
    came to: units asked and taken, by entry.
    """

    __tablename__ = "refund"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
        CheckConstraint("status IN ('waiting', 'done')", name="status"),
        CheckConstraint("(status = 'done') = (sale_id IS NOT NULL)", name="sale"),
        CheckConstraint("(sale_id IS NULL) = (card_id IS NULL)", name="card"),
        CheckConstraint("status = 'done' OR sale_ref IS NOT NULL", name="sale_ref"),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index(
            "uq_refund_external",
            "tenant_id",
            "source",
            "external_ref",
            unique=True,
            postgresql_where=text("external_ref IS NOT NULL"),
        ),
        Index("ix_refund_waiting", "tenant_id", "source", "sale_ref", postgresql_where=text("status = 'waiting'")),
        Index("ix_refund_sale", "tenant_id", "sale_id"),
        Index("ix_refund_created", "tenant_id", "created_at"),
        {"schema": "core"},
    )
    card_id: Mapped[UUID | None]
    sale_id: Mapped[UUID | None]
    sale_ref: Mapped[str | None]
    source: Mapped[str]
    external_ref: Mapped[str | None]
    amount_minor: Mapped[int | None]
    quantity: Mapped[int | None]
    items: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str]
    result: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    device: Mapped[str]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
