"""The table of awards."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantTable


class Award(TenantTable, Base):
    """Something that was awarded to a card; the key makes it count once for ever.

    `occasion` is birthday, referral or custom; `name` the shop's word for a custom one; `key` tells it from others of
    its kind: the year, the referral, the caller's own reference.
    """

    __tablename__ = "award"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        {"schema": "core"},
    )
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
