"""A bill that several members pay: each share is a sale that names the bill's first one."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("sale", sa.Column("bill_id", sa.Uuid(), nullable=True), schema="core")
    op.create_foreign_key(
        op.f("fk_sale_tenant_id_bill_id"),
        "sale",
        "sale",
        ["tenant_id", "bill_id"],
        ["tenant_id", "id"],
        source_schema="core",
        referent_schema="core",
    )
    op.create_index(
        "ix_sale_bill",
        "sale",
        ["tenant_id", "bill_id"],
        schema="core",
        postgresql_where=sa.text("bill_id IS NOT NULL"),
    )
