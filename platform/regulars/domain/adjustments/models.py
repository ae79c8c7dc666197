"""Table of corrections."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantEntity


class Adjustment(TenantEntity, Base):
    """A correction: booked at once, or waiting until another person agrees to it or not.

    `flags` says what is unusual about it, see `regulars.domain.adjustments.flags`.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "entry_id"], ["core.ledger_entry.tenant_id", "core.ledger_entry.id"]),
        CheckConstraint("amount <> 0 AND abs(amount) <= 1000000000000", name="amount"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("status IN ('waiting', 'done', 'refused')", name="status"),
        CheckConstraint("(status = 'done') = (entry_id IS NOT NULL)", name="entry"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="two_people"),
        Index("ix_adjustment_created", "tenant_id", "created_at"),
        Index("ix_adjustment_card", "tenant_id", "card_id"),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    unit: Mapped[str]
    amount: Mapped[int]
    reason: Mapped[str]
    status: Mapped[str]
    asked_by: Mapped[UUID | None]
    asked_by_name: Mapped[str]
    flags: Mapped[list[str]] = mapped_column(server_default=text("'[]'"))
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str] = mapped_column(server_default="")
    entry_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
