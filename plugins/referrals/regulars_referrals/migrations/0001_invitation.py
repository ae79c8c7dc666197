"""Who has brought whom."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    card = ["core.card.tenant_id", "core.card.id"]
    op.create_table(
        "invitation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("friend_card_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("sale_id", sa.Uuid()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status IN ('waiting', 'bought', 'rewarded', 'refused')", name=op.f("ck_invitation_status")),
        sa.CheckConstraint("(status = 'refused') = (reason <> '')", name=op.f("ck_invitation_reason")),
        sa.ForeignKeyConstraint(["tenant_id", "card_id"], card, name=op.f("fk_invitation_tenant_id_card_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "friend_card_id"], card, name=op.f("fk_invitation_tenant_id_friend_card_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("tenant_id", "friend_card_id", name=op.f("uq_invitation_tenant_id_friend_card_id")),
        schema="plg_referrals",
    )
    op.create_index("ix_invitation_card", "invitation", ["tenant_id", "card_id", "decided_at"], schema="plg_referrals")
    protect(op, "plg_referrals", "invitation", app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("invitation", schema="plg_referrals")
