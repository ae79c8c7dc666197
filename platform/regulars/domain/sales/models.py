"""Table of sales."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, and_, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantEntity


class Sale(TenantEntity, Base):
    """Something that happened at a till, in a shop or online, and that earned (or could have earned) units.

    `source` with `external_ref` counts an external sale once and for ever. An undone sale keeps its row.
    `refunded_minor` is what refunds took of the amount, `refunded_at` when nothing was left of the sale.
    A part of a bill, another member's share or another shop's, names the bill's first sale, `bill_id`.
    `counts` is unit → what staff counted for it, nothing where they counted for no single unit.
    `items` are its lines, each with sku, title, category, quantity and amount_minor. `benefits` is what the till
    took off or handed over because of it, each with plugin, kind, key, title, amount_minor and item.
    """

    __tablename__ = "sale"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "shop_id"], ["core.shop.tenant_id", "core.shop.id"]),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["core.staff.tenant_id", "core.staff.id"]),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("channel IN ('store', 'online')", name="channel"),
        CheckConstraint("amount_minor IS NULL OR amount_minor >= 0", name="amount_minor"),
        CheckConstraint("refunded_minor BETWEEN 0 AND coalesce(amount_minor, 0)", name="refunded_minor"),
        Index(
            "uq_sale_external",
            "tenant_id",
            "source",
            "external_ref",
            unique=True,
            postgresql_where=text("external_ref IS NOT NULL"),
        ),
        ForeignKeyConstraint(["tenant_id", "bill_id"], ["core.sale.tenant_id", "core.sale.id"]),
        Index("ix_sale_bill", "tenant_id", "bill_id", postgresql_where=text("bill_id IS NOT NULL")),
        Index("ix_sale_card", "tenant_id", "card_id", "occurred_at"),
        Index("ix_sale_occurred", "tenant_id", "occurred_at"),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    shop_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    quantity: Mapped[int]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None]
    source: Mapped[str]
    external_ref: Mapped[str | None]
    bill_id: Mapped[UUID | None]
    items: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    benefits: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    channel: Mapped[str] = mapped_column(server_default="store")
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    device: Mapped[str]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    refunded_minor: Mapped[int] = mapped_column(server_default="0")
    refunded_at: Mapped[datetime | None]


SALE_STANDS = and_(Sale.undone_at.is_(None), Sale.refunded_at.is_(None))
"""Something is left of the sale: it was not taken back as a whole."""
