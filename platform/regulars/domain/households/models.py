"""Tables of households: who shares with whom, since when, and who is asked to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Household(TenantEntity, Base):
    """Cards of one program that share what is on them; `head_id` is the card of whoever asks others in."""

    __tablename__ = "household"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        ForeignKeyConstraint(["tenant_id", "head_id"], ["core.card.tenant_id", "core.card.id"]),
        Index("ix_household_created", "tenant_id", "created_at"),
        {"schema": "core"},
    )
    program_id: Mapped[UUID]
    head_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    ended_at: Mapped[datetime | None]


class HouseholdMember(TenantEntity, Base):
    """A card in a household, from `joined_at` until `left_at`; `card.household_id` says the same of the present."""

    __tablename__ = "household_member"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "household_id"], ["core.household.tenant_id", "core.household.id"]),
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint("left_at >= joined_at", name="left"),
        Index("ix_household_member_household", "tenant_id", "household_id"),
        Index("ix_household_member_card", "tenant_id", "card_id"),
        Index(
            "uq_household_member_card", "tenant_id", "card_id", unique=True, postgresql_where=text("left_at IS NULL")
        ),
        {"schema": "core"},
    )
    household_id: Mapped[UUID]
    card_id: Mapped[UUID]
    joined_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    left_at: Mapped[datetime | None]


class HouseholdInvitation(TenantEntity, Base):
    """A code with which one other member can join until `expires_at`."""

    __tablename__ = "household_invitation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        ForeignKeyConstraint(["tenant_id", "household_id"], ["core.household.tenant_id", "core.household.id"]),
        CheckConstraint("status IN ('open', 'accepted', 'withdrawn')", name="status"),
        Index("ix_household_invitation_household", "tenant_id", "household_id"),
        {"schema": "core"},
    )
    household_id: Mapped[UUID]
    code: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    expires_at: Mapped[datetime]
