"""Tables of merges: which member was merged into which, and where each card has led since."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantEntity, TenantTable


class MemberMerge(TenantEntity, Base):
    """A member (source) was merged into another one (target). `merged_by` and `undone_by` are names."""

    __tablename__ = "member_merge"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "source_id"], ["core.member.tenant_id", "core.member.id"]),
        ForeignKeyConstraint(["tenant_id", "target_id"], ["core.member.tenant_id", "core.member.id"]),
        CheckConstraint("source_id <> target_id", name="two_members"),
        Index("ix_member_merge_target", "tenant_id", "target_id"),
        {"schema": "core"},
    )
    source_id: Mapped[UUID]
    target_id: Mapped[UUID]
    reason: Mapped[str]
    merged_by: Mapped[str]
    created_at: Mapped[datetime]
    undone_by: Mapped[str] = mapped_column(server_default="")
    undone_at: Mapped[datetime | None]


class CardMerge(TenantTable, Base):
    """A card that leads to another one since a merge. `led_to` is where it led before: nowhere, if it is the source's.

    Rows are never changed: they also say which cards may hold reversals of a card's entries.
    """

    __tablename__ = "card_merge"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "merge_id"], ["core.member_merge.tenant_id", "core.member_merge.id"]),
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "target_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "led_to"], ["core.card.tenant_id", "core.card.id"]),
        Index("ix_card_merge_card", "tenant_id", "card_id"),
        {"schema": "core"},
    )
    merge_id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    target_id: Mapped[UUID]
    led_to: Mapped[UUID | None]
