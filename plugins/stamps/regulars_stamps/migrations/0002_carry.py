"""Money that cards carry over where stamps are given for it, by card and by sale."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0002"
down_revision = "0001"
SCHEMA = "plg_stamps"


def upgrade() -> None:
    op.create_table(
        "carry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        _foreign("carry", "card"),
        sa.PrimaryKeyConstraint("tenant_id", "card_id", name=op.f("pk_carry")),
        schema=SCHEMA,
    )
    op.create_table(
        "sale_carry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        _foreign("sale_carry", "card"),
        _foreign("sale_carry", "sale"),
        sa.PrimaryKeyConstraint("tenant_id", "sale_id", name=op.f("pk_sale_carry")),
        schema=SCHEMA,
    )
    for table in ("carry", "sale_carry"):
        protect(op, SCHEMA, table, app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("sale_carry", schema=SCHEMA)
    op.drop_table("carry", schema=SCHEMA)


def _foreign(table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", f"{other}_id"],
        [f"core.{other}.tenant_id", f"core.{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{other}_id"),
    )
