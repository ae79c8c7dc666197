"""Settings can be tried on the sales of the past."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from regulars.kernel.db.rls import protect

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "back_test",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("result", JSONB(none_as_null=True), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name=op.f("ck_back_test_status")
        ),
        sa.CheckConstraint("since < until", name=op.f("ck_back_test_period")),
        sa.CheckConstraint("seen >= 0 AND total >= 0", name=op.f("ck_back_test_progress")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "program_id"],
            ["core.program.tenant_id", "core.program.id"],
            name=op.f("fk_back_test_tenant_id_program_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_back_test")),
        schema="core",
    )
    op.create_index(
        "uq_back_test_running",
        "back_test",
        ["tenant_id", "program_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("status IN ('waiting', 'running')"),
    )
    op.create_index("ix_back_test_program", "back_test", ["tenant_id", "program_id", "created_at"], schema="core")
    protect(op, "core", "back_test", app="SELECT, INSERT, UPDATE", platform="SELECT, DELETE")
