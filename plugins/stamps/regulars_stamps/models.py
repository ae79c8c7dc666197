"""Tables of the plugin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="stamps"):
    """The plugin's tables: all in its schema."""


class Milestone(TenantTable, Base):
    """A milestone that a card has reached; the key makes it count once. The row goes when the sale is undone."""

    __tablename__ = "milestone"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint("threshold > 0", name="threshold"),
        CheckConstraint("bonus > 0", name="bonus"),
    )
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True, server_default="stamps")
    threshold: Mapped[int] = mapped_column(primary_key=True)
    bonus: Mapped[int]
    reached_at: Mapped[datetime]


class Carry(TenantTable, Base):
    """Money that a card has spent beyond its whole stamps, in minor units of the program's currency."""

    __tablename__ = "carry"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),)
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True, server_default="stamps")
    minor: Mapped[int]


class SaleCarry(TenantTable, Base):
    """What one sale has added to what its card carries, so that it can be taken back with the sale."""

    __tablename__ = "sale_carry"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
    )
    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True, server_default="stamps")
    card_id: Mapped[UUID]
    minor: Mapped[int]
