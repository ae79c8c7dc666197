"""Receipts: purchases without a card, and for how many days a program counts earlier purchases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column(
        "program", sa.Column("claim_days", sa.BigInteger(), server_default="0", nullable=False), schema="core"
    )
    op.create_check_constraint(op.f("ck_program_claim_days"), "program", "claim_days BETWEEN 0 AND 90", schema="core")
    op.execute(f"GRANT UPDATE (claim_days) ON core.program TO {APP}")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "receipt",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=False),
        sa.Column("occurred_at", moment, nullable=False),
        sa.Column("kept_until", moment, nullable=False),
        sa.Column("misses", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_receipt_quantity")),
        sa.CheckConstraint("channel IN ('store', 'online')", name=op.f("ck_receipt_channel")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_receipt_amount_minor")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shop_id"],
            ["core.shop.tenant_id", "core.shop.id"],
            name=op.f("fk_receipt_tenant_id_shop_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_receipt")),
        schema="core",
    )
    named = ["tenant_id", "source", "external_ref"]
    op.create_index("uq_receipt_external", "receipt", named, unique=True, schema="core")
    op.create_index("ix_receipt_ref", "receipt", ["tenant_id", "external_ref"], schema="core")
    op.create_index("ix_receipt_created", "receipt", ["tenant_id", "created_at", "id"], schema="core")
    op.create_index("ix_receipt_kept", "receipt", ["tenant_id", "kept_until"], schema="core")
    protect(op, "core", "receipt", app=APPEND_ONLY)
    op.execute(f"GRANT UPDATE (misses) ON core.receipt TO {APP}")


def downgrade() -> None:
    op.drop_table("receipt", schema="core")
    op.drop_column("program", "claim_days", schema="core")
