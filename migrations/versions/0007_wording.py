"""Tenants' own words, which travel with their snapshot."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from regulars.kernel.db.rls import bump_revision_on_change, protect

revision = "0007"
down_revision = "0006"

SNAPSHOT_KEY = """
DO $do$
DECLARE
  known text := pg_get_functiondef('core.resolve_host(text)'::regprocedure);
  added text := $add$'wording', coalesce((
    SELECT jsonb_agg(jsonb_build_array(w.locale, w.context, w.english, w.forms))
    FROM core.own_text w WHERE w.tenant_id = t.id), '[]'), $add$;
BEGIN
  EXECUTE regexp_replace(known, 'jsonb_build_object\\(\\s*', 'jsonb_build_object(' || added);
END $do$
"""
"""Adds a member to what `core.resolve_host` gives."""


def upgrade() -> None:
    op.create_table(
        "own_text",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("english", sa.Text(), nullable=False),
        sa.Column("forms", JSONB(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_own_text_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "locale", "context", "english", name=op.f("pk_own_text")),
        schema="core",
    )
    protect(op, "core", "own_text")
    bump_revision_on_change(op, "core", "own_text")
    op.execute(SNAPSHOT_KEY)
