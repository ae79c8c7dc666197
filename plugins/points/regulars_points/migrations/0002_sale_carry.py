"""What each sale has added to the parts that its card carries over, so that it can be taken back exactly."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "sale_carry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", f"{other}_id"],
                [f"core.{other}.tenant_id", f"core.{other}.id"],
                name=op.f(f"fk_sale_carry_tenant_id_{other}_id"),
            )
            for other in ("card", "sale")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sale_id", name=op.f("pk_sale_carry")),
        schema="plg_points",
    )
    protect(op, "plg_points", "sale_carry", app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("sale_carry", schema="plg_points")
