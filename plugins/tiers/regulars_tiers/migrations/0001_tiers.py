"""Tiers of cards, and how they came about."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    card = ["core.card.tenant_id", "core.card.id"]
    op.create_table(
        "member_tier",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True)),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("granted", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["tenant_id", "card_id"], card, name=op.f("fk_member_tier_tenant_id_card_id")),
        sa.PrimaryKeyConstraint("tenant_id", "card_id", name=op.f("pk_member_tier")),
        schema="plg_tiers",
    )
    op.create_index("ix_member_tier_tier", "member_tier", ["tenant_id", "tier"], schema="plg_tiers")
    protect(op, "plg_tiers", "member_tier", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "tier_change",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("before <> tier", name=op.f("ck_tier_change_tier")),
        sa.CheckConstraint(
            "reason IN ('reached', 'ended', 'taken_back', 'by_hand')", name=op.f("ck_tier_change_reason")
        ),
        sa.ForeignKeyConstraint(["tenant_id", "card_id"], card, name=op.f("fk_tier_change_tenant_id_card_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tier_change")),
        schema="plg_tiers",
    )
    op.create_index("ix_tier_change_card", "tier_change", ["tenant_id", "card_id", "at"], schema="plg_tiers")
    op.create_index("ix_tier_change_at", "tier_change", ["tenant_id", "at"], schema="plg_tiers")
    protect(op, "plg_tiers", "tier_change", app="SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("tier_change", schema="plg_tiers")
    op.drop_table("member_tier", schema="plg_tiers")
