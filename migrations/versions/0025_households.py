"""Households: cards of a program that share what is on them."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import APP, APPEND_ONLY, protect

revision = "0025"
down_revision = "0024"

NOW = sa.text("core.now()")


def upgrade() -> None:
    op.add_column(
        "program", sa.Column("household_size", sa.BigInteger(), server_default="0", nullable=False), schema="core"
    )
    op.create_check_constraint(
        op.f("ck_program_household_size"),
        "program",
        "household_size = 0 OR household_size BETWEEN 2 AND 20",
        schema="core",
    )
    op.execute(f"GRANT UPDATE (household_size) ON core.program TO {APP}")
    _create_households()
    _create_members()
    _create_invitations()
    op.add_column("card", sa.Column("household_id", sa.Uuid(), nullable=True), schema="core")
    op.create_foreign_key(
        op.f("fk_card_tenant_id_household_id"),
        "card",
        "household",
        ["tenant_id", "household_id"],
        ["tenant_id", "id"],
        source_schema="core",
        referent_schema="core",
    )
    op.create_check_constraint(
        op.f("ck_card_household"), "card", "household_id IS NULL OR merged_into IS NULL", schema="core"
    )
    op.create_index(
        "ix_card_household",
        "card",
        ["tenant_id", "household_id"],
        schema="core",
        postgresql_where=sa.text("household_id IS NOT NULL"),
    )
    op.execute(f"GRANT UPDATE (household_id) ON core.card TO {APP}")


def _create_households() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "household",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("head_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, server_default=NOW, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "program_id"],
            ["core.program.tenant_id", "core.program.id"],
            name=op.f("fk_household_tenant_id_program_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "head_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_household_tenant_id_head_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_household")),
        schema="core",
    )
    op.create_index("ix_household_created", "household", ["tenant_id", "created_at"], schema="core")
    protect(op, "core", "household", app=APPEND_ONLY)
    op.execute(f"GRANT UPDATE (head_id, ended_at) ON core.household TO {APP}")


def _create_members() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "household_member",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("joined_at", moment, server_default=NOW, nullable=False),
        sa.Column("left_at", moment, nullable=True),
        sa.CheckConstraint("left_at >= joined_at", name=op.f("ck_household_member_left")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["core.household.tenant_id", "core.household.id"],
            name=op.f("fk_household_member_tenant_id_household_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_household_member_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_household_member")),
        schema="core",
    )
    op.create_index("ix_household_member_household", "household_member", ["tenant_id", "household_id"], schema="core")
    op.create_index(
        "uq_household_member_card",
        "household_member",
        ["tenant_id", "card_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("left_at IS NULL"),
    )
    protect(op, "core", "household_member", app=APPEND_ONLY)
    op.execute(f"GRANT UPDATE (left_at) ON core.household_member TO {APP}")


def _create_invitations() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "household_invitation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", moment, server_default=NOW, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.CheckConstraint("status IN ('open', 'accepted', 'withdrawn')", name=op.f("ck_household_invitation_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "household_id"],
            ["core.household.tenant_id", "core.household.id"],
            name=op.f("fk_household_invitation_tenant_id_household_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_household_invitation")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_household_invitation_tenant_id_code")),
        schema="core",
    )
    op.create_index(
        "ix_household_invitation_household", "household_invitation", ["tenant_id", "household_id"], schema="core"
    )
    protect(op, "core", "household_invitation", app=APPEND_ONLY)
    op.execute(f"GRANT UPDATE (status) ON core.household_invitation TO {APP}")


def downgrade() -> None:
    op.drop_column("card", "household_id", schema="core")
    for table in ("household_invitation", "household_member", "household"):
        op.drop_table(table, schema="core")
    op.drop_column("program", "household_size", schema="core")
