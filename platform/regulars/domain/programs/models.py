"""Tables of programs, of their published changes, and of their pauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Program(TenantEntity, Base):
    """A loyalty program of a tenant; what it does is in the settings of its plugins.

    `adjust_limit` is how many units one person may correct alone, null for any number; `household_size` how many cards
    may share what is on them, 0 for none; `claim_days` of how many days earlier purchases count, 0 for none.
    """

    __tablename__ = "program"
    __table_args__ = (
        CheckConstraint("status IN ('setup', 'active', 'paused', 'inactive')", name="status"),
        CheckConstraint("adjust_limit >= 0", name="adjust_limit"),
        CheckConstraint("household_size = 0 OR household_size BETWEEN 2 AND 20", name="household_size"),
        CheckConstraint("claim_days BETWEEN 0 AND 90", name="claim_days"),
        {"schema": "core"},
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="setup")
    timezone: Mapped[str]
    currency: Mapped[str]
    require_pin: Mapped[bool]
    adjust_limit: Mapped[int | None]
    household_size: Mapped[int] = mapped_column(server_default=text("0"))
    claim_days: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class ProgramChange(TenantEntity, Base):
    """A change of a program's rules: planned for a moment, then applied; the public log of changes is made of them.

    `values` is plugin → field → new value; `note` is what customers read; `is_public` whether they see the change;
    `announce_at` when members are told by mail, `announced_at` when that began.
    """

    __tablename__ = "program_change"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        CheckConstraint("status IN ('planned', 'applied', 'withdrawn', 'failed')", name="status"),
        CheckConstraint("(status = 'planned') = (settled_at IS NULL)", name="settled"),
        Index("ix_program_change_program", "tenant_id", "program_id", "effective_from"),
        Index("ix_program_change_planned", "tenant_id", "effective_from", postgresql_where=text("status = 'planned'")),
        {"schema": "core"},
    )
    program_id: Mapped[UUID]
    values: Mapped[dict[str, Any]]
    note: Mapped[str]
    is_public: Mapped[bool]
    effective_from: Mapped[datetime]
    announce_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    status: Mapped[str]
    settled_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(server_default="")
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class ProgramPause(TenantEntity, Base):
    """A time in which a program gives nothing and no date of what is on cards runs.

    From `ended_at` on it gives again, while a job moves the dates of all cards on by the length of the pause; it has
    done those up to the card `shifted_to`, and all of them at `finished_at`.
    """

    __tablename__ = "program_pause"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        CheckConstraint("ended_at >= started_at", name="ended"),
        CheckConstraint("finished_at IS NULL OR ended_at IS NOT NULL", name="finished"),
        Index(
            "uq_program_pause_open",
            "tenant_id",
            "program_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
        {"schema": "core"},
    )
    program_id: Mapped[UUID]
    started_at: Mapped[datetime]
    until: Mapped[datetime | None]
    redeems: Mapped[bool]
    tells_members: Mapped[bool]
    note: Mapped[str]
    ended_at: Mapped[datetime | None]
    shifted_to: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
