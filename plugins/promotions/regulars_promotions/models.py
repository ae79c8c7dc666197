"""Tables of the plugin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="promotions"):
    """The plugin's tables: all in its schema."""


class Usage(TenantTable, Base):
    """How much of a promotion is used, by all (`scope` is empty) or by one member (`scope` is the member's id).

    `what` is uses, units or money (minor units); `most` is the limit of whoever counted last.
    """

    __tablename__ = "usage"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        CheckConstraint("what IN ('uses', 'units', 'money')", name="what"),
    )
    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    promotion: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int]
    most: Mapped[int | None]


class Participation(TenantTable, Base):
    """A promotion that was used in a sale: what it gave, what it cost, what was taken back since.

    `title` is as it was then; `returned_at` is set when all of it was taken back.
    """

    __tablename__ = "participation"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
        ForeignKeyConstraint(["tenant_id", "shop_id"], ["core.shop.tenant_id", "core.shop.id"]),
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        CheckConstraint("units >= 0 AND discount_minor >= 0 AND cost_minor >= 0", name="given"),
        CheckConstraint("units_returned BETWEEN 0 AND units", name="units_returned"),
        CheckConstraint("cost_returned_minor BETWEEN 0 AND cost_minor", name="cost_returned_minor"),
        Index("ix_participation_used", "tenant_id", "used_at"),
        Index("ix_participation_card", "tenant_id", "card_id"),
    )
    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    promotion: Mapped[str] = mapped_column(primary_key=True)
    card_id: Mapped[UUID]
    program_id: Mapped[UUID]
    shop_id: Mapped[UUID | None]
    title: Mapped[str]
    unit: Mapped[str]
    units: Mapped[int]
    discount_minor: Mapped[int]
    item: Mapped[str]
    cost_minor: Mapped[int]
    currency: Mapped[str]
    used_at: Mapped[datetime]
    units_returned: Mapped[int]
    cost_returned_minor: Mapped[int]
    returned_at: Mapped[datetime | None]
