"""Corrections with a second person; jobs say how far they are; entries are chained."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("program", sa.Column("adjust_limit", sa.BigInteger(), nullable=True), schema="core")
    op.create_check_constraint(op.f("ck_program_adjust_limit"), "program", "adjust_limit >= 0", schema="core")
    op.add_column("job", sa.Column("progress", sa.BigInteger(), nullable=True), schema="core")
    op.add_column("job", sa.Column("progress_total", sa.BigInteger(), nullable=True), schema="core")
    op.create_table(
        "adjustment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount <> 0 AND abs(amount) <= 1000000000000", name=op.f("ck_adjustment_amount")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_adjustment_reason")),
        sa.CheckConstraint("status IN ('waiting', 'done', 'refused')", name=op.f("ck_adjustment_status")),
        sa.CheckConstraint("(status = 'done') = (entry_id IS NOT NULL)", name=op.f("ck_adjustment_entry")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_adjustment_two_people")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_adjustment_tenant_id_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["core.ledger_entry.tenant_id", "core.ledger_entry.id"],
            name=op.f("fk_adjustment_tenant_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_adjustment")),
        schema="core",
    )
    op.create_index("ix_adjustment_created", "adjustment", ["tenant_id", "created_at"], schema="core")
    op.create_index("ix_adjustment_card", "adjustment", ["tenant_id", "card_id"], schema="core")
    protect(op, "core", "adjustment", app=APPEND_ONLY)
    decided = "status, decided_by, decided_by_name, decided_at, entry_id"
    op.execute(f"GRANT UPDATE ({decided}) ON core.adjustment TO {APP}")
    op.create_table(
        "ledger_chain",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["core.ledger_entry.tenant_id", "core.ledger_entry.id"],
            name=op.f("fk_ledger_chain_tenant_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_ledger_chain")),
        sa.UniqueConstraint("tenant_id", "entry_id", name=op.f("uq_ledger_chain_tenant_id_entry_id")),
        schema="core",
    )
    protect(op, "core", "ledger_chain", app=APPEND_ONLY)
