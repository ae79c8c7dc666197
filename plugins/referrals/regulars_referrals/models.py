"""Table of the plugin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped

from regulars.sdk.db import PluginTables, TenantEntity


class Base(PluginTables, DeclarativeBase, plugin="referrals"):
    """The plugin's tables: all in its schema."""


class Invitation(TenantEntity, Base):
    """Somebody has got a card by a member's link. `card_id` is the member's.

    `waiting` for the first purchase, `bought` until the waiting time is over, `rewarded`, or `refused` for a `reason`.
    `limited` says that the member's own side was left out.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "friend_card_id"], ["core.card.tenant_id", "core.card.id"]),
        UniqueConstraint("tenant_id", "friend_card_id"),
        CheckConstraint("status IN ('waiting', 'bought', 'rewarded', 'refused')", name="status"),
        CheckConstraint("(status = 'refused') = (reason <> '')", name="reason"),
        Index("ix_invitation_card", "tenant_id", "card_id", "decided_at"),
    )
    card_id: Mapped[UUID]
    friend_card_id: Mapped[UUID]
    status: Mapped[str]
    reason: Mapped[str]
    limited: Mapped[bool]
    sale_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
