"""A sale knows what refunds have left of it."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import APP

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "sale", sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False), schema="core"
    )
    op.add_column("sale", sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True), schema="core")
    op.execute(
        """UPDATE core.sale s SET
             refunded_at = f.ended_at,
             refunded_minor = CASE WHEN f.ended_at IS NULL THEN least(f.by_amount + f.by_lines, s.amount_minor)
                                   ELSE s.amount_minor END
           FROM (SELECT r.tenant_id, r.sale_id,
                        max(r.done_at) FILTER (WHERE (r.result->>'is_whole')::boolean) AS ended_at,
                        coalesce(sum(r.amount_minor), 0) AS by_amount,
                        coalesce(sum((SELECT sum((i->>'amount_minor')::bigint * (l->>'quantity')::bigint
                                                 / (i->>'quantity')::bigint)
                                      FROM jsonb_array_elements(r.items) l
                                      JOIN core.sale o ON o.tenant_id = r.tenant_id AND o.id = r.sale_id
                                      CROSS JOIN LATERAL (SELECT o.items -> ((l->>'line')::int - 1) AS i) line)), 0)
                          AS by_lines
                 FROM core.refund r WHERE r.status = 'done' GROUP BY 1, 2) f
           WHERE f.tenant_id = s.tenant_id AND f.sale_id = s.id AND s.amount_minor IS NOT NULL"""
    )
    op.execute(
        """UPDATE core.sale s SET refunded_at = f.done_at
           FROM core.refund f
           WHERE f.tenant_id = s.tenant_id AND f.sale_id = s.id AND s.amount_minor IS NULL
             AND f.status = 'done' AND (f.result->>'is_whole')::boolean"""
    )
    op.create_check_constraint(
        op.f("ck_sale_refunded_minor"),
        "sale",
        "refunded_minor BETWEEN 0 AND coalesce(amount_minor, 0)",
        schema="core",
    )
    op.execute(f"GRANT UPDATE (refunded_minor, refunded_at) ON core.sale TO {APP}")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_sale_refunded_minor"), "sale", schema="core")
    op.drop_column("sale", "refunded_at", schema="core")
    op.drop_column("sale", "refunded_minor", schema="core")
