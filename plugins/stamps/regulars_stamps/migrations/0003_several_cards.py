"""A program may have several stamp cards: milestones and what is carried over belong to one of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
SCHEMA = "plg_stamps"
KEYS = {
    "milestone": ("tenant_id", "card_id", "unit", "threshold"),
    "carry": ("tenant_id", "card_id", "unit"),
    "sale_carry": ("tenant_id", "sale_id", "unit"),
}


def upgrade() -> None:
    for table, key in KEYS.items():
        op.add_column(table, sa.Column("unit", sa.Text(), nullable=False, server_default="stamps"), schema=SCHEMA)
        _rekey(table, key)


def downgrade() -> None:
    for table, key in KEYS.items():
        op.execute(sa.text(f"DELETE FROM {SCHEMA}.{table} WHERE unit <> 'stamps'"))
        _rekey(table, tuple(column for column in key if column != "unit"))
        op.drop_column(table, "unit", schema=SCHEMA)


def _rekey(table: str, key: tuple[str, ...]) -> None:
    op.drop_constraint(f"pk_{table}", table, schema=SCHEMA)
    op.create_primary_key(f"pk_{table}", table, list(key), schema=SCHEMA)
