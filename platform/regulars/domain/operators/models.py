"""Tables of operators: platform rows, out of reach of the app role."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, new_id


class Operator(Base):
    """Somebody who runs the platform; signs in on the console's host."""

    __tablename__ = "operator"
    __table_args__ = ({"schema": "core"},)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    login_failures: Mapped[int] = mapped_column(server_default=text("0"))
    login_locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    locale: Mapped[str | None]


class OperatorSession(Base):
    """An operator's log-in on the console; the cookie's token is stored hashed."""

    __tablename__ = "operator_session"
    __table_args__ = ({"schema": "core"},)
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("core.operator.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(server_default="")
    device: Mapped[str] = mapped_column(server_default="")


class OperatorKey(Base):
    """An operator's API key (`rk_ops_…`) for `/api/v1/admin/loyalty`, stored hashed."""

    __tablename__ = "operator_key"
    __table_args__ = ({"schema": "core"},)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("core.operator.id"))
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    revoked_at: Mapped[datetime | None]
