"""Sales have lines; earnings may wait; a refund may take a part, and leave a debt; evaluations are kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from regulars.kernel.db.rls import APPEND_ONLY, protect

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("sale", sa.Column("items", JSONB(), nullable=True), schema="core")
    op.add_column("sale", sa.Column("channel", sa.Text(), server_default="store", nullable=False), schema="core")
    op.create_check_constraint(op.f("ck_sale_channel"), "sale", "channel IN ('store', 'online')", schema="core")
    op.drop_constraint(op.f("ck_account_balance"), "account", schema="core")
    op.create_check_constraint(op.f("ck_account_balance"), "account", "balance >= -1000000000000", schema="core")
    op.drop_constraint(op.f("uq_ledger_entry_tenant_id_reverses_id"), "ledger_entry", schema="core")
    op.create_index(
        "ix_ledger_entry_reverses",
        "ledger_entry",
        ["tenant_id", "reverses_id"],
        schema="core",
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "ledger_pending",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("counts_for_limits", sa.Boolean(), nullable=False),
        sa.Column("explanation", JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_pending_amount")),
        sa.CheckConstraint("status IN ('open', 'released', 'cancelled')", name=op.f("ck_ledger_pending_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_ledger_pending_tenant_id_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sale_id"],
            ["core.sale.tenant_id", "core.sale.id"],
            name=op.f("fk_ledger_pending_tenant_id_sale_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_pending")),
        schema="core",
    )
    open_only = sa.text("status = 'open'")
    for name, column in (("due", "due_at"), ("card", "card_id")):
        op.create_index(
            f"ix_ledger_pending_{name}",
            "ledger_pending",
            ["tenant_id", column],
            schema="core",
            postgresql_where=open_only,
        )
    op.create_table(
        "sale_evaluation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("rules", JSONB(), nullable=False),
        sa.Column("inputs", JSONB(), nullable=False),
        sa.Column("result", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sale_id"],
            ["core.sale.tenant_id", "core.sale.id"],
            name=op.f("fk_sale_evaluation_tenant_id_sale_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_sale_evaluation_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sale_id", name=op.f("pk_sale_evaluation")),
        schema="core",
    )
    protect(op, "core", "ledger_pending", app="SELECT, INSERT, UPDATE")
    protect(op, "core", "sale_evaluation", app=APPEND_ONLY)
