"""Table of cards."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity


class Card(TenantEntity, Base):
    """A member's card in a program; this row is the lock under which the card's ledger changes.

    `number` is 12 digits, the last one a check digit; `token` is the opaque text of the QR code. A card whose member
    was merged leads to another one, `merged_into`, which leads nowhere itself; that one `has_merged`. Cards of one
    household share what is on them.
    """

    __tablename__ = "card"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("tenant_id", "token"),
        UniqueConstraint("tenant_id", "member_id", "program_id"),
        ForeignKeyConstraint(["tenant_id", "member_id"], ["core.member.tenant_id", "core.member.id"]),
        ForeignKeyConstraint(["tenant_id", "program_id"], ["core.program.tenant_id", "core.program.id"]),
        CheckConstraint("status IN ('active', 'blocked', 'closed')", name="status"),
        CheckConstraint("number ~ '^[0-9]{12}$'", name="number"),
        ForeignKeyConstraint(["tenant_id", "merged_into"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint("merged_into <> id", name="merged_into"),
        Index("ix_card_merged_into", "tenant_id", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_card_created", "tenant_id", "created_at"),
        ForeignKeyConstraint(
            ["tenant_id", "household_id"], ["core.household.tenant_id", "core.household.id"], use_alter=True
        ),
        CheckConstraint("household_id IS NULL OR merged_into IS NULL", name="household"),
        Index("ix_card_household", "tenant_id", "household_id", postgresql_where=text("household_id IS NOT NULL")),
        {"schema": "core"},
    )
    member_id: Mapped[UUID]
    program_id: Mapped[UUID]
    number: Mapped[str]
    token: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    merged_into: Mapped[UUID | None]
    has_merged: Mapped[bool] = mapped_column(server_default=text("false"))
    household_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
