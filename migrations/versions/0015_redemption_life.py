"""A redemption has a life: put aside, handed out or sent, given back; and every state it was in is kept."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    text, moment = sa.Text(), sa.DateTime(timezone=True)
    for column in (
        sa.Column("fulfilment", text, server_default="", nullable=False),
        sa.Column("steps", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("code", text, server_default="", nullable=False),
        sa.Column("ship_to", text, server_default="", nullable=False),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("captured_at", moment, nullable=True),
    ):
        op.add_column("redemption", column, schema="core")
    op.create_table(
        "redemption_step",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("fulfilment", text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_redemption_step_number")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "redemption_id"],
            ["core.redemption.tenant_id", "core.redemption.id"],
            name=op.f("fk_redemption_step_tenant_id_redemption_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "redemption_id", "number", name=op.f("pk_redemption_step")),
        schema="core",
    )
    _carry_over()
    op.drop_constraint(op.f("ck_redemption_status"), "redemption", schema="core")
    for name, condition in (
        ("status", "status IN ('held', 'captured', 'released', 'expired', 'undone')"),
        ("fulfilment", "fulfilment IN ('', 'ordered', 'shipped', 'delivered', 'cancelled')"),
        ("undone", "(undone_at IS NOT NULL) = (status IN ('released', 'expired', 'undone'))"),
    ):
        op.create_check_constraint(op.f(f"ck_redemption_{name}"), "redemption", condition, schema="core")
    for name, column, condition in (("code", "code", "code <> ''"), ("held", "expires_at", "status = 'held'")):
        op.create_index(
            f"ix_redemption_{name}",
            "redemption",
            ["tenant_id", column],
            schema="core",
            postgresql_where=sa.text(condition),
        )
    protect(op, "core", "redemption_step", app=APPEND_ONLY)
    op.execute(f"GRANT UPDATE (fulfilment, steps, ship_to, captured_at) ON core.redemption TO {APP}")


def _carry_over() -> None:
    """All redemptions so far were handed out at once, and some were taken back."""
    op.execute(
        "UPDATE core.redemption SET captured_at = created_at, steps = CASE WHEN undone_at IS NULL THEN 1 ELSE 2 END"
    )
    op.execute(
        "INSERT INTO core.redemption_step (tenant_id, redemption_id, number, status, fulfilment, created_at) "
        "SELECT tenant_id, id, 1, 'captured', '', created_at FROM core.redemption UNION ALL "
        "SELECT tenant_id, id, 2, 'undone', '', undone_at FROM core.redemption WHERE undone_at IS NOT NULL"
    )
