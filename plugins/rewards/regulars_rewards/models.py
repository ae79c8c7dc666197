"""Tables of the plugin: what was taken of each reward, and codes of the merchant's own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="rewards"):
    """The plugin's tables: all in its schema."""


class Stock(TenantTable, Base):
    """How many of a reward are out; the host adds one only while `most` allows, whoever else wants the last."""

    __tablename__ = "stock"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),)
    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    reward_key: Mapped[str] = mapped_column(primary_key=True)
    taken: Mapped[int]
    most: Mapped[int | None]


class Pool(TenantTable, Base):
    """A reward that has codes of the merchant's own."""

    __tablename__ = "pool"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),)
    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    reward_key: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class Code(TenantTable, Base):
    """A code of the merchant's own; whoever gets one has it for good.

    `place` is a number made of the code: where in the pool one begins to look, so that customers who come at the same
    moment do not want the same one.
    """

    __tablename__ = "code"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        Index(
            "ix_code_free",
            "tenant_id",
            "program_id",
            "reward_key",
            "place",
            postgresql_where=text("redemption_id IS NULL"),
        ),
    )
    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    reward_key: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int]
    redemption_id: Mapped[UUID | None]
    taken_at: Mapped[datetime | None]
