"""Tables of the plugin: which phones there are, and which passes are on them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantEntity, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="apple_wallet"):
    """The plugin's tables: all in its schema."""


class Device(TenantEntity, Base):
    """A phone, or one of the many identities that one phone has.

    `library` is the SHA-256 of its library identifier: whoever knows that may ask which passes have changed.
    `registered_at` is when it last gave its push token, by the machine's clock, as Apple tells when a token ended.
    `quiet_until` is until when Apple wants no push for it.
    """

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("tenant_id", "library"),)
    library: Mapped[bytes]
    push_token: Mapped[str]
    registered_at: Mapped[datetime]
    quiet_until: Mapped[datetime | None]


class Registration(TenantTable, Base):
    """A pass is on a phone and wants to hear of changes."""

    __tablename__ = "registration"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["plg_apple_wallet.device.tenant_id", "plg_apple_wallet.device.id"],
        ),
        Index("ix_registration_serial", "tenant_id", "serial"),
    )
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    pass_type: Mapped[str]
    registered_at: Mapped[datetime]
