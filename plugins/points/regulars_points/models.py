"""Tables of the plugin."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="points"):
    """The plugin's tables: all in its schema."""


class Carry(TenantTable, Base):
    """What a card has earned beyond its whole points, in parts of a point (see `earning.POINT`).

    Below nothing where rounding up has given a part in advance.
    """

    __tablename__ = "carry"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),)
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    parts: Mapped[int]


class RuleUse(TenantTable, Base):
    """A rule that gives only once in some hours has given something for a sale; it counts as long as the sale does."""

    __tablename__ = "rule_use"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
    )
    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    card_id: Mapped[UUID]


class SaleCarry(TenantTable, Base):
    """What a sale has added to the parts that its card carries over, or taken of them; less what was taken back."""

    __tablename__ = "sale_carry"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
    )
    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID]
    parts: Mapped[int]
