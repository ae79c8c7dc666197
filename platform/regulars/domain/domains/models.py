"""Table of merchants' own domains."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantTable


class TenantDomain(TenantTable, Base):
    """A name that a tenant wants to answer on, and how far it has come.

    Several tenants may want one name; whoever proves it first gets the row in `core.tenant_host`.

    Attributes:
        proof: what the TXT record must say; each tenant's is another.
        status: `waiting` for its records; `verified`, so that it answers; `live`, its certificate was seen; `lost`, its
            records were gone for too long and it was taken out.
        problem: what the last check found wrong, empty for nothing.
        tries: checks in a row that found something wrong.
        failing_since: when the records of a name that answers were first missed.
    """

    __tablename__ = "tenant_domain"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'verified', 'live', 'lost')", name="status"),
        {"schema": "core"},
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    host: Mapped[str] = mapped_column(primary_key=True)
    proof: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="waiting")
    problem: Mapped[str] = mapped_column(server_default="")
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    checked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW, index=True)
    failing_since: Mapped[datetime | None]
