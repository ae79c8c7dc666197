"""Milestones that cards have reached."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "milestone",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("bonus", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("threshold > 0", name=op.f("ck_milestone_threshold")),
        sa.CheckConstraint("bonus > 0", name=op.f("ck_milestone_bonus")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_milestone_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "card_id", "threshold", name=op.f("pk_milestone")),
        schema="plg_stamps",
    )
    protect(op, "plg_stamps", "milestone", app="SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.drop_table("milestone", schema="plg_stamps")
