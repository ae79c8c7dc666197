"""Tables of wallets: which card is in which wallet, and how each wallet's service does."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Sequence, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import CORE_NOW, Base, TenantEntity, TenantTable

NOTHING = text("0")
VERSION = Sequence("wallet_version", schema="core")
"""Where versions come from: a later change has a larger number, whosever pass it is."""


class PassRow(TenantEntity, Base):
    """A card's pass in a wallet.

    `digest` is of what it showed when `version` was given; phones have heard of `delivered_version`, and where that is
    smaller the pass is stale. `copies` are on phones now. `fault` is why telling failed for this pass alone; it is not
    tried again before the pass changes. Whoever is telling phones of it holds the claim until then.
    """

    __tablename__ = "wallet_pass"
    __table_args__ = (
        UniqueConstraint("tenant_id", "card_id", "wallet"),
        UniqueConstraint("tenant_id", "serial"),
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint("copies >= 0 AND failures >= 0", name="counts"),
        CheckConstraint("delivered_version <= version", name="delivered"),
        Index(
            "ix_wallet_pass_stale",
            "tenant_id",
            "wallet",
            "version",
            postgresql_where=text("delivered_version < version"),
        ),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    wallet: Mapped[str]
    serial: Mapped[str]
    digest: Mapped[bytes]
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)
    delivered_version: Mapped[int] = mapped_column(server_default=NOTHING)
    delivered_at: Mapped[datetime | None]
    copies: Mapped[int] = mapped_column(server_default=NOTHING)
    installed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=NOTHING)
    fault: Mapped[str] = mapped_column(server_default="")
    failed_at: Mapped[datetime | None]
    claimed_by: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CORE_NOW)


class WalletLine(TenantTable, Base):
    """The line of a tenant to a wallet's service: how often in a row it failed, and until when it is left alone."""

    __tablename__ = "wallet_line"
    __table_args__ = ({"schema": "core"},)
    tenant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core.tenant.id"), primary_key=True, sort_order=-2)
    wallet: Mapped[str] = mapped_column(primary_key=True, sort_order=-1)
    failures: Mapped[int] = mapped_column(server_default=NOTHING)
    fault: Mapped[str] = mapped_column(server_default="")
    failed_at: Mapped[datetime | None]
    closed_until: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]
