"""Tables of staff and sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Staff(TenantEntity, Base):
    """Somebody who works for the tenant: owner, manager or staff.

    `email` and `password_hash` (argon2id) are empty for people who only have a PIN. `pin_hash` is an HMAC-SHA-256 with
    a pepper outside the database; the counters protect it, not a slow hash.
    """

    __tablename__ = "staff"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        CheckConstraint("role IN ('owner', 'manager', 'staff')", name="role"),
        CheckConstraint("status IN ('active', 'inactive')", name="status"),
        {"schema": "core"},
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    name: Mapped[str]
    role: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    email: Mapped[str | None]
    password_hash: Mapped[str | None]
    login_failures: Mapped[int] = mapped_column(server_default=text("0"))
    login_locked_until: Mapped[datetime | None]
    pin_hash: Mapped[bytes | None]
    pin_failures: Mapped[int] = mapped_column(server_default=text("0"))
    pin_locked_until: Mapped[datetime | None]
    pin_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    locale: Mapped[str | None]


class StaffLink(TenantEntity, Base):
    """A link that lets one person in once; its token is stored hashed.

    `enter` brings a new owner from the sign-up to the own host, `password` comes by mail and proves the address. Its
    times are the server's own.
    """

    __tablename__ = "staff_link"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["core.staff.tenant_id", "core.staff.id"]),
        CheckConstraint("kind IN ('enter', 'password')", name="kind"),
        Index("ix_staff_link_staff", "tenant_id", "staff_id"),
        {"schema": "core"},
    )
    staff_id: Mapped[UUID]
    kind: Mapped[str]
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Session(TenantEntity, Base):
    """A browser's log-in on one tenant's host; the cookie's token is stored hashed.

    Its times are the server's own, not the shifted clock.
    """

    __tablename__ = "session"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["core.staff.tenant_id", "core.staff.id"]),
        ForeignKeyConstraint(["tenant_id", "member_id"], ["core.member.tenant_id", "core.member.id"]),
        CheckConstraint("num_nonnulls(staff_id, member_id) = 1", name="one_holder"),
        Index("ix_session_staff", "tenant_id", "staff_id"),
        Index("ix_session_member", "tenant_id", "member_id"),
        {"schema": "core"},
    )
    token_hash: Mapped[bytes]
    staff_id: Mapped[UUID | None]
    member_id: Mapped[UUID | None]
    shop_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(server_default="")
    device: Mapped[str] = mapped_column(server_default="")
