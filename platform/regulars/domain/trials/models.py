"""Table of back-tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class BackTest(TenantEntity, Base):
    """Settings that were tried on the sales of the past.

    `changes` is plugin → field → value that was tried; `result` what it came to, without any personal data. `moved_at`
    says when the job was last seen at work.
    """

    __tablename__ = "back_test"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        CheckConstraint("status IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name="status"),
        CheckConstraint("since < until", name="period"),
        CheckConstraint("seen >= 0 AND total >= 0", name="progress"),
        Index(
            "uq_back_test_running",
            "tenant_id",
            "program_id",
            unique=True,
            postgresql_where=text("status IN ('waiting', 'running')"),
        ),
        Index("ix_back_test_program", "tenant_id", "program_id", "created_at"),
        {"schema": "core"},
    )
    program_id: Mapped[UUID]
    changes: Mapped[dict[str, Any]]
    since: Mapped[datetime]
    until: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="waiting")
    total: Mapped[int] = mapped_column(server_default=text("0"))
    seen: Mapped[int] = mapped_column(server_default=text("0"))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    problem: Mapped[str] = mapped_column(server_default="")
    actor_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    moved_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    ended_at: Mapped[datetime | None]
