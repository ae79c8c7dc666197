"""Table of redemptions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped

from regulars.kernel.db.base import Base, TenantEntity


class Redemption(TenantEntity, Base):
    """A reward handed over. `value_minor` is its worth for "saved value"; an undone one keeps its row."""

    __tablename__ = "redemption"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "shop_id"], ["core.shop.tenant_id", "core.shop.id"]),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["core.staff.tenant_id", "core.staff.id"]),
        CheckConstraint("cost > 0", name="cost"),
        CheckConstraint("status IN ('captured', 'undone')", name="status"),
        Index("ix_redemption_card", "tenant_id", "card_id"),
        Index("ix_redemption_created", "tenant_id", "created_at"),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    shop_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    reward_kind: Mapped[str]
    reward_key: Mapped[str]
    title: Mapped[str]
    unit: Mapped[str]
    cost: Mapped[int]
    value_minor: Mapped[int | None]
    currency: Mapped[str]
    status: Mapped[str]
    source: Mapped[str]
    device: Mapped[str]
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
