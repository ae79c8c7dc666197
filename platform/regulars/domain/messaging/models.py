"""Table of mails."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Mail(TenantEntity, Base):
    """A mail to one person; unique per (template, recipient, event), so that it is sent at most once.

    Without an SMTP server it stays here as `kept` and is read in the console's mailbox.
    """

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("tenant_id", "template", "recipient", "event_id"),
        CheckConstraint("status IN ('queued', 'sending', 'sent', 'kept', 'failed')", name="status"),
        Index("ix_mail_created", "tenant_id", "created_at"),
        {"schema": "core"},
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    template: Mapped[str]
    recipient: Mapped[str]
    event_id: Mapped[UUID]
    subject: Mapped[str]
    text_body: Mapped[str]
    html_body: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    sent_at: Mapped[datetime | None]
