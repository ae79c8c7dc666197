"""Samples, and notes of jobs."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None
SCHEMA = "plg_sampler"


def upgrade() -> None:
    op.create_table(
        "sample",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_sample_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "entry_id", name=op.f("pk_sample")),
        schema=SCHEMA,
    )
    protect(op, SCHEMA, "sample", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "note",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_note")),
        schema=SCHEMA,
    )
    protect(op, SCHEMA, "note", app="SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("note", schema=SCHEMA)
    op.drop_table("sample", schema=SCHEMA)
