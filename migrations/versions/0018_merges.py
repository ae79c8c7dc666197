"""Two members turn out to be one person: a card can lead to another one, and each merge is kept."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for table in ("card", "member"):
        op.add_column(table, sa.Column("merged_into", sa.Uuid(), nullable=True), schema="core")
        op.create_foreign_key(
            op.f(f"fk_{table}_tenant_id_merged_into"),
            table,
            table,
            ["tenant_id", "merged_into"],
            ["tenant_id", "id"],
            source_schema="core",
            referent_schema="core",
        )
        op.create_check_constraint(op.f(f"ck_{table}_merged_into"), table, "merged_into <> id", schema="core")
        op.create_index(
            f"ix_{table}_merged_into",
            table,
            ["tenant_id", "merged_into"],
            schema="core",
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )
    op.add_column("card", sa.Column("has_merged", sa.Boolean(), server_default="false", nullable=False), schema="core")
    op.execute(f"GRANT UPDATE (merged_into, has_merged) ON core.card TO {APP}")
    _create_merges()
    _create_card_merges()
    op.drop_constraint(op.f("ck_ledger_entry_amount"), "ledger_entry", schema="core")
    op.create_check_constraint(
        op.f("ck_ledger_entry_amount"),
        "ledger_entry",
        "(amount <> 0 OR occasion IN ('merge', 'unmerge')) AND abs(amount) <= 1000000000000",
        schema="core",
    )


def _create_merges() -> None:
    text, moment = sa.Text(), sa.DateTime(timezone=True)
    op.create_table(
        "member_merge",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("merged_by", text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("undone_by", text, server_default="", nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_member_merge_two_members")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                ["core.member.tenant_id", "core.member.id"],
                name=op.f(f"fk_member_merge_tenant_id_{column}"),
            )
            for column in ("source_id", "target_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_member_merge")),
        schema="core",
    )
    op.create_index("ix_member_merge_target", "member_merge", ["tenant_id", "target_id"], schema="core")
    protect(op, "core", "member_merge", app=APPEND_ONLY)
    op.execute(f"GRANT UPDATE (undone_by, undone_at) ON core.member_merge TO {APP}")


def _create_card_merges() -> None:
    op.create_table(
        "card_merge",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("merge_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("led_to", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "merge_id"],
            ["core.member_merge.tenant_id", "core.member_merge.id"],
            name=op.f("fk_card_merge_tenant_id_merge_id"),
        ),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                ["core.card.tenant_id", "core.card.id"],
                name=op.f(f"fk_card_merge_tenant_id_{column}"),
            )
            for column in ("card_id", "target_id", "led_to")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "merge_id", "card_id", name=op.f("pk_card_merge")),
        schema="core",
    )
    op.create_index("ix_card_merge_card", "card_merge", ["tenant_id", "card_id"], schema="core")
    protect(op, "core", "card_merge", app=APPEND_ONLY)
