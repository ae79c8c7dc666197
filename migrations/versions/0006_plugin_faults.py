"""Faults of plugins are found without reading the whole audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
NAME = "ix_audit_log_plugin_failed"


def upgrade() -> None:
    where = sa.text("action = 'plugin.failed'")
    op.create_index(NAME, "audit_log", ["created_at"], schema="core", postgresql_where=where)


def downgrade() -> None:
    op.drop_index(NAME, "audit_log", schema="core")
