"""A sale keeps what the till took off or handed over because of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("sale", sa.Column("benefits", JSONB(), nullable=True), schema="core")


def downgrade() -> None:
    op.drop_column("sale", "benefits", schema="core")
