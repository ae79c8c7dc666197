"""Tables of tenants. Only `TenantPlugin` is a tenant row; the others belong to the platform."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Interval, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantTable, new_id


class Clock(Base):
    """How far `core.now()` is ahead of `now()`: zero except in test and demo databases.

    Row 0 is everybody's; a migrator's connection may have one of its own (its process id) inside a transaction, so that
    several histories can be recorded at the same time.
    """

    __tablename__ = "clock"
    __table_args__ = ({"schema": "core"},)
    backend: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, server_default=text("0"))
    shift: Mapped[Any] = mapped_column(Interval, server_default=text("interval '0'"), nullable=False)


class Platform(Base):
    """A platform brand with its base domain; several can live in one installation."""

    __tablename__ = "platform"
    __table_args__ = ({"schema": "core"},)
    base_domain: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Offering(Base):
    """What is sold: which features and limits a tenant gets. What it does not name is off."""

    __tablename__ = "offering"
    __table_args__ = ({"schema": "core"},)
    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    rank: Mapped[int]
    features: Mapped[list[str]]
    limits: Mapped[dict[str, Any]]


class Tenant(Base):
    """A merchant.

    Attributes:
        moves: whether its other hosts send visitors on to the main one.
        revision: grows with every change that a snapshot shows.
        signed_up_at: when it signed up by itself, null when an operator or a file made it.
        verify_by: until when an owner's address must prove right, null when it need not (any more).
        first_steps: what no data tell of a new merchant's first steps.
    """

    __tablename__ = "tenant"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status"),
        Index("ix_tenant_verify_by", "verify_by", postgresql_where=text("verify_by IS NOT NULL")),
        {"schema": "core"},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    base_domain: Mapped[str] = mapped_column(ForeignKey("core.platform.base_domain"))
    status: Mapped[str] = mapped_column(server_default="active")
    live_tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.tenant.id"))
    offering: Mapped[str] = mapped_column(ForeignKey("core.offering.code"))
    theme: Mapped[str] = mapped_column(server_default="classic")
    branding: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    locales: Mapped[list[str]] = mapped_column(server_default=text("""'["en"]'"""))
    default_locale: Mapped[str] = mapped_column(server_default="en")
    timezone: Mapped[str] = mapped_column(server_default="Europe/Luxembourg")
    currency: Mapped[str] = mapped_column(server_default="EUR")
    country: Mapped[str] = mapped_column(server_default="LU")
    moves: Mapped[bool] = mapped_column(server_default=text("false"))
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    signed_up_at: Mapped[datetime | None]
    verify_by: Mapped[datetime | None]
    first_steps: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class TenantHost(Base):
    """A host name that answers for a tenant: sub-domains and custom domains are rows of this one table."""

    __tablename__ = "tenant_host"
    __table_args__ = ({"schema": "core", "info": {"scope": "platform", "reason": "read before a tenant is known"}},)
    host: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id"), index=True)
    is_primary: Mapped[bool] = mapped_column(server_default=text("true"))


class TenantOverride(Base):
    """An operator's grant or denial of one feature or limit for one tenant, with a reason and perhaps an end."""

    __tablename__ = "tenant_override"
    __table_args__ = (
        CheckConstraint("kind IN ('grant', 'deny', 'limit')", name="kind"),
        {"schema": "core", "info": {"scope": "platform", "reason": "written by operators only"}},
    )
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    value: Mapped[int | None]
    reason: Mapped[str]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class KillSwitch(Base):
    """A plugin switched off by an operator, for everybody (`tenant_id` null) or for one tenant."""

    __tablename__ = "kill_switch"
    __table_args__ = ({"schema": "core", "info": {"scope": "platform", "reason": "written by operators only"}},)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    plugin: Mapped[str]
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.tenant.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class TenantPlugin(TenantTable, Base):
    """A tenant's own switch of a plugin; without a row an entitled plugin is on."""

    __tablename__ = "tenant_plugin"
    __table_args__ = ({"schema": "core"},)
    plugin: Mapped[str] = mapped_column(primary_key=True)
    switched_on: Mapped[bool]
