"""Settings keep their versions, changes of a program have a date, and a program can pause."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0010"
down_revision = "0009"

FIRST_VERSIONS = """
INSERT INTO core.settings_version
  (tenant_id, plugin, scope_id, number, version, values, actor_kind, actor_name, note, effective_from)
SELECT tenant_id, plugin, scope_id, 1, version, values, 'system', '', '', updated_at FROM core.plugin_settings
"""
"""What was stored before versions were kept is version 1."""


def upgrade() -> None:
    op.add_column(
        "plugin_settings", sa.Column("number", sa.BigInteger(), server_default="1", nullable=False), schema="core"
    )
    op.create_table(
        "settings_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("values", JSONB(), nullable=False),
        *_actor(),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "plugin", "scope_id", "number", name=op.f("pk_settings_version")),
        schema="core",
    )
    op.execute(FIRST_VERSIONS)
    _program_change()
    _program_pause()
    protect(op, "core", "settings_version", app=APPEND_ONLY)
    protect(
        op,
        "core",
        "program_change",
        app="SELECT, INSERT, UPDATE (status, announced_at, settled_at, error)",
    )
    protect(op, "core", "program_pause", app="SELECT, INSERT, UPDATE (until, ended_at, shifted_to, finished_at)")
    op.execute(f"GRANT UPDATE (expires_at) ON core.ledger_lot TO {APP}")


def _actor() -> list[sa.Column[object]]:
    return [
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
    ]


def _to_program(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "program_id"],
        ["core.program.tenant_id", "core.program.id"],
        name=op.f(f"fk_{table}_tenant_id_program_id"),
    )


def _program_change() -> None:
    op.create_table(
        "program_change",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("values", JSONB(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announce_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        *_actor(),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('planned', 'applied', 'withdrawn', 'failed')", name=op.f("ck_program_change_status")
        ),
        sa.CheckConstraint("(status = 'planned') = (settled_at IS NULL)", name=op.f("ck_program_change_settled")),
        _to_program("program_change"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_program_change")),
        schema="core",
    )
    op.create_index(
        "ix_program_change_program", "program_change", ["tenant_id", "program_id", "effective_from"], schema="core"
    )
    op.create_index(
        "ix_program_change_planned",
        "program_change",
        ["tenant_id", "effective_from"],
        schema="core",
        postgresql_where=sa.text("status = 'planned'"),
    )


def _program_pause() -> None:
    op.drop_constraint(op.f("ck_program_status"), "program", schema="core")
    op.create_check_constraint(
        op.f("ck_program_status"), "program", "status IN ('setup', 'active', 'paused', 'inactive')", schema="core"
    )
    op.create_table(
        "program_pause",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeems", sa.Boolean(), nullable=False),
        sa.Column("tells_members", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shifted_to", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *_actor(),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_program_pause_ended")),
        sa.CheckConstraint("finished_at IS NULL OR ended_at IS NOT NULL", name=op.f("ck_program_pause_finished")),
        _to_program("program_pause"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_program_pause")),
        schema="core",
    )
    op.create_index(
        "uq_program_pause_open",
        "program_pause",
        ["tenant_id", "program_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("finished_at IS NULL"),
    )
