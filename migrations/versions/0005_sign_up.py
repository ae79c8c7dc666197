"""Merchants sign up by themselves: their sign-ups, links to their staff, and what of it stands with the tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from regulars.kernel.db.rls import APP, PLATFORM, protect

revision = "0005"
down_revision = "0004"

SNAPSHOT_KEY = """
DO $do$
DECLARE
  known text := pg_get_functiondef('core.resolve_host(text)'::regprocedure);
  added text := $add$'verify_by', (SELECT v.verify_by FROM core.tenant v
      WHERE v.id = coalesce(t.live_tenant_id, t.id)), $add$;
BEGIN
  EXECUTE regexp_replace(known, 'jsonb_build_object\\(\\s*', 'jsonb_build_object(' || added);
END $do$
"""
"""Adds a member to what `core.resolve_host` gives; a sandbox is as trusted as its live side."""


def upgrade() -> None:
    op.add_column("tenant", sa.Column("signed_up_at", sa.DateTime(timezone=True), nullable=True), schema="core")
    op.add_column("tenant", sa.Column("verify_by", sa.DateTime(timezone=True), nullable=True), schema="core")
    op.add_column(
        "tenant",
        sa.Column("first_steps", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        schema="core",
    )
    op.create_index(
        "ix_tenant_verify_by",
        "tenant",
        ["verify_by"],
        schema="core",
        postgresql_where=sa.text("verify_by IS NOT NULL"),
    )
    op.execute(f"GRANT UPDATE (verify_by, first_steps) ON core.tenant TO {APP}")
    op.execute(SNAPSHOT_KEY)
    _create_sign_up()
    _create_staff_link()


def _create_sign_up() -> None:
    op.create_table(
        "sign_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("offering", sa.Text(), server_default="", nullable=False),
        sa.Column("slug", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_tenant_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["made_tenant_id"], ["core.tenant.id"], name=op.f("fk_sign_up_made_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_up")),
        sa.UniqueConstraint("made_tenant_id", name=op.f("uq_sign_up_made_tenant_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_up_token_hash")),
        schema="core",
    )
    op.create_index(op.f("ix_sign_up_slug"), "sign_up", ["slug"], schema="core")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON core.sign_up TO {PLATFORM}")


def _create_staff_link() -> None:
    op.create_table(
        "staff_link",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('enter', 'password')", name=op.f("ck_staff_link_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["core.staff.tenant_id", "core.staff.id"],
            name=op.f("fk_staff_link_tenant_id_staff_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_staff_link")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_staff_link_tenant_id_token_hash")),
        schema="core",
    )
    op.create_index("ix_staff_link_staff", "staff_link", ["tenant_id", "staff_id"], schema="core")
    protect(op, "core", "staff_link", app="SELECT, INSERT, UPDATE (used_at)")
