"""Tables of events and jobs: PostgreSQL remembers, whoever executes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class OutboxEvent(TenantEntity, Base):
    """An event, written in the transaction that made it true. `seq` orders the events of one `order_key` (a card)."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index("ix_outbox_event_unpublished", "seq", postgresql_where=text("published_at IS NULL")),
        Index(
            "uq_outbox_event_entry", "tenant_id", "entry_id", unique=True, postgresql_where=text("entry_id IS NOT NULL")
        ),
        {"schema": "core"},
    )
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    name: Mapped[str]
    version: Mapped[int]
    order_key: Mapped[UUID | None]
    entry_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    published_at: Mapped[datetime | None]


class Job(TenantEntity, Base):
    """Work to do for a tenant: queued → running (under a lease) → done | dead.

    Of one `order_key` ("<subscriber>:<card>") only the open job with the lowest `order_seq` may be claimed. The times
    are the server's own (`now()`), not the shifted clock: leases and retries are about machines, not about rules.
    """

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", "dedup_key"),
        CheckConstraint("status IN ('queued', 'running', 'done', 'dead')", name="status"),
        Index("ix_job_due", "tenant_id", "run_at", "id", postgresql_where=text("status IN ('queued', 'running')")),
        Index(
            "ix_job_order",
            "tenant_id",
            "order_key",
            "order_seq",
            postgresql_where=text("status IN ('queued', 'running') AND order_key IS NOT NULL"),
        ),
        Index("ix_job_dead", "tenant_id", "id", postgresql_where=text("status = 'dead'")),
        {"schema": "core"},
    )
    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    dedup_key: Mapped[str | None]
    order_key: Mapped[str | None]
    order_seq: Mapped[int] = mapped_column(server_default=text("0"))
    status: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(server_default=text("8"))
    run_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]
    progress: Mapped[int | None]
    progress_total: Mapped[int | None]


class CronSlot(Base):
    """One run of a scheduled task: the unique row is what makes it run once, however many workers there are."""

    __tablename__ = "cron_slot"
    __table_args__ = ({"schema": "core"},)
    name: Mapped[str] = mapped_column(primary_key=True)
    scheduled_at: Mapped[datetime] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(server_default="")
