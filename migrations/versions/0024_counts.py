"""What staff counted for each unit, where a program has several that are counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("sale", sa.Column("counts", JSONB()), schema="core")


def downgrade() -> None:
    op.drop_column("sale", "counts", schema="core")
