"""What of promotions is used, and by whom."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None
SCHEMA = "plg_promotions"


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("what IN ('uses', 'units', 'money')", name=op.f("ck_usage_what")),
        _foreign("usage", "program"),
        sa.PrimaryKeyConstraint("tenant_id", "program_id", "scope", "promotion", "what", name=op.f("pk_usage")),
        schema=SCHEMA,
    )
    protect(op, SCHEMA, "usage", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "participation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("units_returned", sa.BigInteger(), nullable=False),
        sa.Column("cost_returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "units >= 0 AND discount_minor >= 0 AND cost_minor >= 0", name=op.f("ck_participation_given")
        ),
        sa.CheckConstraint("units_returned BETWEEN 0 AND units", name=op.f("ck_participation_units_returned")),
        sa.CheckConstraint(
            "cost_returned_minor BETWEEN 0 AND cost_minor", name=op.f("ck_participation_cost_returned_minor")
        ),
        *(_foreign("participation", other) for other in ("card", "sale", "shop", "program")),
        sa.PrimaryKeyConstraint("tenant_id", "sale_id", "promotion", name=op.f("pk_participation")),
        schema=SCHEMA,
    )
    op.create_index("ix_participation_used", "participation", ["tenant_id", "used_at"], schema=SCHEMA)
    op.create_index("ix_participation_card", "participation", ["tenant_id", "card_id"], schema=SCHEMA)
    protect(op, SCHEMA, "participation", app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("participation", schema=SCHEMA)
    op.drop_table("usage", schema=SCHEMA)


def _foreign(table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", f"{other}_id"],
        [f"core.{other}.tenant_id", f"core.{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{other}_id"),
    )
