"""Tables of the plugin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="google_wallet"):
    """The plugin's tables: all in its schema."""


class LoyaltyClass(TenantTable, Base):
    """A class as Google has it: `digest` of what was sent last."""

    __tablename__ = "loyalty_class"
    class_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    sent_at: Mapped[datetime]


class LoyaltyObject(TenantTable, Base):
    """A pass as Google has it.

    `digest` of what was sent last and `news` that the phone was told with it are empty before the first time.
    `version` is the pass's that was sent, `claimed_until` is set while somebody sends, and `heard` is the time of the
    last callback, in milliseconds by Google's clock.
    """

    __tablename__ = "loyalty_object"
    pass_id: Mapped[UUID] = mapped_column(primary_key=True)
    object_id: Mapped[str]
    version: Mapped[int]
    digest: Mapped[str]
    news: Mapped[str]
    claimed_until: Mapped[datetime | None]
    heard: Mapped[int]
    __table_args__ = (Index("ix_loyalty_object_name", "tenant_id", "object_id"),)


class Picture(TenantTable, Base):
    """A picture that Google fetches: a logo, or a row of stamps. Its name is a digest of its content."""

    __tablename__ = "picture"
    digest: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class Callback(TenantTable, Base):
    """A callback that was heard, until it could not come again: a digest of its nonce."""

    __tablename__ = "callback"
    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
