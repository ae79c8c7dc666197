"""Tables of redemptions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantEntity, TenantTable


class Redemption(TenantEntity, Base):
    """A reward that units were taken for. `value_minor` is its worth for "saved value"; one taken back keeps its row.

    `status` and `fulfilment` are a state of `life.MOVES`; `steps` counts the states that it has been in. `undone_at` is
    when the units came back. `ship_to` is personal data and is emptied when nothing is to be sent any more.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "shop_id"], ["core.shop.tenant_id", "core.shop.id"]),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["core.staff.tenant_id", "core.staff.id"]),
        CheckConstraint("cost > 0", name="cost"),
        CheckConstraint("status IN ('held', 'captured', 'released', 'expired', 'undone')", name="status"),
        CheckConstraint("fulfilment IN ('', 'ordered', 'shipped', 'delivered', 'cancelled')", name="fulfilment"),
        CheckConstraint("(undone_at IS NOT NULL) = (status IN ('released', 'expired', 'undone'))", name="undone"),
        Index("ix_redemption_card", "tenant_id", "card_id"),
        Index("ix_redemption_created", "tenant_id", "created_at"),
        Index("ix_redemption_code", "tenant_id", "code", postgresql_where=text("code <> ''")),
        Index("ix_redemption_held", "tenant_id", "expires_at", postgresql_where=text("status = 'held'")),
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
    fulfilment: Mapped[str] = mapped_column(server_default="")
    steps: Mapped[int] = mapped_column(server_default="1")
    code: Mapped[str] = mapped_column(server_default="")
    ship_to: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]
    device: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    captured_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class RedemptionStep(TenantTable, Base):
    """A state that a redemption came to be in; the first is how it began."""

    __tablename__ = "redemption_step"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "redemption_id"], ["core.redemption.tenant_id", "core.redemption.id"]),
        CheckConstraint("number > 0", name="number"),
        {"schema": "core"},
    )
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    fulfilment: Mapped[str]
    created_at: Mapped[datetime]
