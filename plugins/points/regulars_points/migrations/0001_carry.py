"""Parts of points that cards carry over."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "carry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_carry_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "card_id", name=op.f("pk_carry")),
        schema="plg_points",
    )
    protect(op, "plg_points", "carry", app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("carry", schema="plg_points")
