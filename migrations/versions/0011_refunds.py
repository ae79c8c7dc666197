"""Sales can be refunded; an entry may fill several lots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.drop_constraint(op.f("uq_ledger_lot_tenant_id_entry_id"), "ledger_lot", schema="core")
    op.create_index("ix_ledger_lot_entry", "ledger_lot", ["tenant_id", "entry_id"], schema="core")
    op.create_index(
        "ix_ledger_lot_expiry",
        "ledger_lot",
        ["tenant_id", "expires_at"],
        schema="core",
        postgresql_where=sa.text("amount_left > 0 AND expires_at IS NOT NULL"),
    )
    op.create_table(
        "refund",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("sale_ref", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("items", JSONB(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'done')", name=op.f("ck_refund_status")),
        sa.CheckConstraint("(status = 'done') = (sale_id IS NOT NULL)", name=op.f("ck_refund_sale")),
        sa.CheckConstraint("(sale_id IS NULL) = (card_id IS NULL)", name=op.f("ck_refund_card")),
        sa.CheckConstraint("status = 'done' OR sale_ref IS NOT NULL", name=op.f("ck_refund_sale_ref")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount_minor")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refund_quantity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_refund_tenant_id_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sale_id"],
            ["core.sale.tenant_id", "core.sale.id"],
            name=op.f("fk_refund_tenant_id_sale_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refund")),
        schema="core",
    )
    op.create_index(
        "uq_refund_external",
        "refund",
        ["tenant_id", "source", "external_ref"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )
    op.create_index(
        "ix_refund_waiting",
        "refund",
        ["tenant_id", "source", "sale_ref"],
        schema="core",
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index("ix_refund_sale", "refund", ["tenant_id", "sale_id"], schema="core")
    op.create_index("ix_refund_created", "refund", ["tenant_id", "created_at"], schema="core")
    protect(op, "core", "refund", app=APPEND_ONLY)
    settled = "card_id, sale_id, amount_minor, quantity, items, status, result, done_at"
    op.execute(f"GRANT UPDATE ({settled}) ON core.refund TO {APP}")
