"""What was awarded to a card, each once for ever."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import APPEND_ONLY, protect

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "award",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_award_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "card_id", "occasion", "name", "key", name=op.f("pk_award")),
        schema="core",
    )
    protect(op, "core", "award", app=APPEND_ONLY)


def downgrade() -> None:
    op.drop_table("award", schema="core")
