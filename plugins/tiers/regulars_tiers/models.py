"""Tables of the plugin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from regulars.sdk.db import PluginTables, TenantEntity, TenantTable


class Base(PluginTables, DeclarativeBase, plugin="tiers"):
    """The plugin's tables: all in its schema."""


class MemberTier(TenantTable, Base):
    """The tier of a card. `tier` and `granted` are keys of the ladder, empty for none.

    `keep_until` is set while the tier is not reached any more but kept; `told_at` when the mail about it was ordered.
    `granted` was given by hand: the lowest tier that this card has.
    """

    __tablename__ = "member_tier"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        Index("ix_member_tier_tier", "tenant_id", "tier"),
    )
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[str]
    since: Mapped[datetime]
    keep_until: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    granted: Mapped[str] = mapped_column(server_default="")


class TierChange(TenantEntity, Base):
    """History: a card has come from one tier to another; rows are never changed."""

    __tablename__ = "tier_change"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint("before <> tier", name="tier"),
        CheckConstraint("reason IN ('reached', 'ended', 'taken_back', 'by_hand')", name="reason"),
        Index("ix_tier_change_card", "tenant_id", "card_id", "at"),
        Index("ix_tier_change_at", "tenant_id", "at"),
    )
    card_id: Mapped[UUID]
    before: Mapped[str]
    tier: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]
