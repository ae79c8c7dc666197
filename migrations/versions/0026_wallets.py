"""Wallets: which cards are in phones, and what the phones have heard of."""

import sqlalchemy as sa
from alembic import op

from regulars.kernel.db.rls import APP, PLATFORM, protect

revision = "0026"
down_revision = "0025"

NOW = sa.text("core.now()")
NOTHING = sa.text("0")


def upgrade() -> None:
    op.execute("CREATE SEQUENCE core.wallet_version AS bigint")
    op.execute(f"GRANT USAGE ON SEQUENCE core.wallet_version TO {APP}, {PLATFORM}")
    _create_passes()
    _create_lines()
    op.create_index("ix_household_member_card", "household_member", ["tenant_id", "card_id"], schema="core")


def _create_passes() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "wallet_pass",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", moment, server_default=NOW, nullable=False),
        sa.Column("delivered_version", sa.BigInteger(), server_default=NOTHING, nullable=False),
        sa.Column("delivered_at", moment, nullable=True),
        sa.Column("copies", sa.BigInteger(), server_default=NOTHING, nullable=False),
        sa.Column("installed_at", moment, nullable=True),
        sa.Column("removed_at", moment, nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default=NOTHING, nullable=False),
        sa.Column("fault", sa.Text(), server_default="", nullable=False),
        sa.Column("failed_at", moment, nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", moment, nullable=True),
        sa.Column("created_at", moment, server_default=NOW, nullable=False),
        sa.CheckConstraint("copies >= 0 AND failures >= 0", name=op.f("ck_wallet_pass_counts")),
        sa.CheckConstraint("delivered_version <= version", name=op.f("ck_wallet_pass_delivered")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_wallet_pass_tenant_id_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_wallet_pass")),
        sa.UniqueConstraint("tenant_id", "card_id", "wallet", name=op.f("uq_wallet_pass_tenant_id_card_id_wallet")),
        sa.UniqueConstraint("tenant_id", "serial", name=op.f("uq_wallet_pass_tenant_id_serial")),
        schema="core",
    )
    op.create_index(
        "ix_wallet_pass_stale",
        "wallet_pass",
        ["tenant_id", "wallet", "version"],
        schema="core",
        postgresql_where=sa.text("delivered_version < version"),
    )
    protect(op, "core", "wallet_pass")


def _create_lines() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "wallet_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default=NOTHING, nullable=False),
        sa.Column("fault", sa.Text(), server_default="", nullable=False),
        sa.Column("failed_at", moment, nullable=True),
        sa.Column("closed_until", moment, nullable=True),
        sa.Column("pushed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_wallet_line_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "wallet", name=op.f("pk_wallet_line")),
        schema="core",
    )
    protect(op, "core", "wallet_line")


def downgrade() -> None:
    op.drop_index("ix_household_member_card", "household_member", schema="core")
    op.drop_table("wallet_line", schema="core")
    op.drop_table("wallet_pass", schema="core")
    op.execute("DROP SEQUENCE core.wallet_version")
