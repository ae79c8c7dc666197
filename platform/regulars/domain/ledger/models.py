"""Tables of the ledger. Entries are never changed or deleted, and hold no personal data.

The account row keeps balance and lifetime; entries, lots and account always agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.kernel.db.base import Base, TenantEntity, TenantTable

MAX = 10**12


class Account(TenantTable, Base):
    """Balance of one unit on one card. `seq` is the number of the last entry.

    A balance below zero is a debt that a refund has left, where the unit allows it; later earnings pay it off.
    """

    __tablename__ = "account"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint(f"balance >= -{MAX}", name="balance"),
        CheckConstraint("lifetime >= 0", name="lifetime"),
        Index("ix_account_balance", "tenant_id", "unit", "balance"),
        {"schema": "core"},
    )
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    balance: Mapped[int]
    lifetime: Mapped[int]
    seq: Mapped[int]
    last_at: Mapped[datetime]


class LedgerEntry(TenantEntity, Base):
    """One movement. `plugin` and `rule` say who gave it, `explanation` answers "why these points?".

    `counts_for_limits` is false for gifts that no till gave; `occasion` is purchase, enrolment,
    redemption, undo, refund, release, expiry, adjustment, transfer, award, merge or unmerge; only a merge may move
    nothing but what was ever earned.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "reverses_id"], ["core.ledger_entry.tenant_id", "core.ledger_entry.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
        ForeignKeyConstraint(["tenant_id", "redemption_id"], ["core.redemption.tenant_id", "core.redemption.id"]),
        UniqueConstraint("tenant_id", "card_id", "unit", "seq"),
        Index("ix_ledger_entry_reverses", "tenant_id", "reverses_id", postgresql_where=text("reverses_id IS NOT NULL")),
        CheckConstraint("kind IN ('earn', 'redeem', 'expire', 'adjust', 'reverse')", name="kind"),
        CheckConstraint(f"(amount <> 0 OR occasion IN ('merge', 'unmerge')) AND abs(amount) <= {MAX}", name="amount"),
        CheckConstraint(
            "CASE kind WHEN 'earn' THEN amount > 0 WHEN 'redeem' THEN amount < 0 WHEN 'expire' THEN amount < 0"
            " ELSE true END",
            name="sign",
        ),
        CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name="reverses"),
        Index("ix_ledger_entry_card", "tenant_id", "card_id", "created_at"),
        Index("ix_ledger_entry_sale", "tenant_id", "sale_id"),
        Index("ix_ledger_entry_created", "tenant_id", "created_at"),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    unit: Mapped[str]
    seq: Mapped[int]
    kind: Mapped[str]
    amount: Mapped[int]
    balance_after: Mapped[int]
    lifetime_after: Mapped[int]
    occasion: Mapped[str]
    plugin: Mapped[str]
    rule: Mapped[str]
    counts_for_limits: Mapped[bool]
    explanation: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    reason: Mapped[str] = mapped_column(server_default="")
    sale_id: Mapped[UUID | None]
    redemption_id: Mapped[UUID | None]
    reverses_id: Mapped[UUID | None]
    shop_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    source: Mapped[str]
    device: Mapped[str]
    created_at: Mapped[datetime]


class LedgerLot(TenantEntity, Base):
    """What is left of one earning; spent oldest expiry first, then oldest. What another card gave keeps its dates."""

    __tablename__ = "ledger_lot"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "entry_id"], ["core.ledger_entry.tenant_id", "core.ledger_entry.id"]),
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("amount_left BETWEEN 0 AND amount", name="amount_left"),
        Index(
            "ix_ledger_lot_open",
            "tenant_id",
            "card_id",
            "unit",
            postgresql_where=text("amount_left > 0"),
        ),
        Index("ix_ledger_lot_entry", "tenant_id", "entry_id"),
        Index(
            "ix_ledger_lot_expiry",
            "tenant_id",
            "expires_at",
            postgresql_where=text("amount_left > 0 AND expires_at IS NOT NULL"),
        ),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    unit: Mapped[str]
    entry_id: Mapped[UUID]
    amount: Mapped[int]
    amount_left: Mapped[int]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LedgerLotUse(TenantTable, Base):
    """How much an entry took from a lot; negative when a reversal gave it back."""

    __tablename__ = "ledger_lot_use"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "lot_id"], ["core.ledger_lot.tenant_id", "core.ledger_lot.id"]),
        ForeignKeyConstraint(["tenant_id", "entry_id"], ["core.ledger_entry.tenant_id", "core.ledger_entry.id"]),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_ledger_lot_use_entry", "tenant_id", "entry_id"),
        {"schema": "core"},
    )
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    amount: Mapped[int]


class LedgerPending(TenantEntity, Base):
    """An earning that waits outside of the balance until it is due; then it becomes an entry, or it is cancelled."""

    __tablename__ = "ledger_pending"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("status IN ('open', 'released', 'cancelled')", name="status"),
        Index("ix_ledger_pending_due", "tenant_id", "due_at", postgresql_where=text("status = 'open'")),
        Index("ix_ledger_pending_card", "tenant_id", "card_id", postgresql_where=text("status = 'open'")),
        {"schema": "core"},
    )
    card_id: Mapped[UUID]
    unit: Mapped[str]
    amount: Mapped[int]
    plugin: Mapped[str]
    rule: Mapped[str]
    counts_for_limits: Mapped[bool]
    explanation: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    sale_id: Mapped[UUID | None]
    shop_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    status: Mapped[str]
    created_at: Mapped[datetime]


class LedgerChain(TenantTable, Base):
    """A link of the hash chain over a tenant's entries, see `regulars.domain.ledger.chain`."""

    __tablename__ = "ledger_chain"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "entry_id"], ["core.ledger_entry.tenant_id", "core.ledger_entry.id"]),
        UniqueConstraint("tenant_id", "entry_id"),
        {"schema": "core"},
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    hash: Mapped[bytes]


class SaleEvaluation(TenantTable, Base):
    """All that went into the rules of a sale and what came out: replaying it gives the same.

    `rules` is plugin → version of its settings, `inputs` what the hooks were given, `result` the drafts.
    """

    __tablename__ = "sale_evaluation"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "sale_id"], ["core.sale.tenant_id", "core.sale.id"]),
        ForeignKeyConstraint(["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"]),
        {"schema": "core"},
    )
    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID]
    rules: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]]
    result: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime]


class Idempotency(TenantTable, Base):
    """The stored answer of a write: same key and same request → the same bytes again."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_created", "tenant_id", "created_at"), {"schema": "core"})
    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int]
    body: Mapped[bytes]
    sale_id: Mapped[UUID | None]
    redemption_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
