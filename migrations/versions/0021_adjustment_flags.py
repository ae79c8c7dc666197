"""What is unusual about a correction."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    flags = sa.Column("flags", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    op.add_column("adjustment", flags, schema="core")


def downgrade() -> None:
    op.drop_column("adjustment", "flags", schema="core")
