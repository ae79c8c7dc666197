"""Dead jobs are counted every few seconds, so they have an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "ix_job_dead", "job", ["tenant_id", "id"], schema="core", postgresql_where=sa.text("status = 'dead'")
    )


def downgrade() -> None:
    op.drop_index("ix_job_dead", "job", schema="core")
