"""Merchants' own domains, and whether their other hosts send visitors on to the main one."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import protect

revision = "0004"
down_revision = "0003"

SNAPSHOT_KEY = """
DO $do$
DECLARE
  known text := pg_get_functiondef('core.resolve_host(text)'::regprocedure);
BEGIN
  EXECUTE regexp_replace(
    known, 'jsonb_build_object\\(\\s*', 'jsonb_build_object(''moved'', t.moves AND NOT h.is_primary, ');
END $do$
"""
"""Adds a member to what `core.resolve_host` gives."""


def upgrade() -> None:
    op.add_column(
        "tenant", sa.Column("moves", sa.Boolean(), server_default=sa.text("false"), nullable=False), schema="core"
    )
    op.execute(SNAPSHOT_KEY)
    op.create_table(
        "tenant_domain",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'verified', 'live', 'lost')", name=op.f("ck_tenant_domain_status")),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_tenant_domain_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "host", name=op.f("pk_tenant_domain")),
        schema="core",
    )
    op.create_index(op.f("ix_tenant_domain_next_check_at"), "tenant_domain", ["next_check_at"], schema="core")
    protect(op, "core", "tenant_domain", app="SELECT")
