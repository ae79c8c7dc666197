"""Tables of the plugin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import CORE_NOW, PluginTables, TenantEntity, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="sampler"):
    """The plugin's tables: all in its schema."""


class Sample(TenantTable, Base):
    """What a sale gave, written with it."""

    __tablename__ = "sample"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID]
    state: Mapped[str]


class Note(TenantEntity, Base):
    """What a job saw."""

    __tablename__ = "note"
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
