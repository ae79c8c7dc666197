"""What was taken of each reward, and codes of the merchant's own."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None
SCHEMA = "plg_rewards"


def upgrade() -> None:
    _create(
        "stock",
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=True),
    )
    protect(op, SCHEMA, "stock", app="SELECT, INSERT, UPDATE")
    _create("pool", sa.Column("created_at", sa.DateTime(timezone=True), nullable=False))
    protect(op, SCHEMA, "pool", app="SELECT, INSERT")
    _create(
        "code",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        key=("code",),
    )
    op.create_index(
        "ix_code_free",
        "code",
        ["tenant_id", "program_id", "reward_key", "place"],
        schema=SCHEMA,
        postgresql_where=sa.text("redemption_id IS NULL"),
    )
    protect(op, SCHEMA, "code", app="SELECT, INSERT, UPDATE")


def _create(name: str, *parts: sa.schema.SchemaItem, key: tuple[str, ...] = ()) -> None:
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("reward_key", sa.Text(), nullable=False),
        *parts,
        sa.ForeignKeyConstraint(
            ["tenant_id", "program_id"],
            ["core.program.tenant_id", "core.program.id"],
            name=op.f(f"fk_{name}_tenant_id_program_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "program_id", "reward_key", *key, name=op.f(f"pk_{name}")),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for name in ("code", "pool", "stock"):
        op.drop_table(name, schema=SCHEMA)
