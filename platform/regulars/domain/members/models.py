"""Tables of members and consents: the only ones that hold personal data of customers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Member(TenantEntity, Base):
    """A customer of one tenant. `email` is stored normalised (lower case); `name` and `phone` are optional.

    `phone` is E.164; `search` is lower-case "name email phone" for look-ups. Who was merged is another member now.
    """

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        CheckConstraint("status IN ('active', 'inactive', 'erased')", name="status"),
        ForeignKeyConstraint(["tenant_id", "merged_into"], ["core.member.tenant_id", "core.member.id"]),
        CheckConstraint("merged_into <> id", name="merged_into"),
        Index("ix_member_merged_into", "tenant_id", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_member_enrolled", "tenant_id", "enrolled_at"),
        {"schema": "core"},
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    email: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    search: Mapped[str] = mapped_column(server_default="")
    locale: Mapped[str | None]
    birthday: Mapped[date | None]
    status: Mapped[str] = mapped_column(server_default="active")
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    enrolled_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    last_activity_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    merged_into: Mapped[UUID | None]


class Consent(TenantEntity, Base):
    """A consent given or withdrawn for one purpose (terms, marketing); rows are added, never changed."""

    __tablename__ = "consent"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "member_id"], ["core.member.tenant_id", "core.member.id"]),
        Index("ix_consent_member", "tenant_id", "member_id"),
        {"schema": "core"},
    )
    member_id: Mapped[UUID]
    purpose: Mapped[str]
    granted: Mapped[bool]
    text_version: Mapped[str]
    ip: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
