"""Table of sign-ups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, new_id


class SignUp(Base):
    """What a visitor has said so far; the browser holds the token, which is stored hashed.

    One sign-up makes one tenant, however often its last form is sent. While it is open it holds its address until
    `claimed_until`. Its times are the server's own.
    """

    __tablename__ = "sign_up"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        UniqueConstraint("made_tenant_id"),
        {"schema": "core"},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[bytes]
    email: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    locale: Mapped[str]
    timezone: Mapped[str]
    offering: Mapped[str] = mapped_column(server_default="")
    slug: Mapped[str] = mapped_column(server_default="", index=True)
    claimed_until: Mapped[datetime | None]
    made_tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.tenant.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
