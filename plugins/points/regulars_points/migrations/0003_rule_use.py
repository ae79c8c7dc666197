"""When rules that give only once in some hours have given."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "rule_use",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", f"{other}_id"],
                [f"core.{other}.tenant_id", f"core.{other}.id"],
                name=op.f(f"fk_rule_use_tenant_id_{other}_id"),
            )
            for other in ("card", "sale")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sale_id", "rule", name=op.f("pk_rule_use")),
        schema="plg_points",
    )
    protect(op, "plg_points", "rule_use", app="SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("rule_use", schema="plg_points")
