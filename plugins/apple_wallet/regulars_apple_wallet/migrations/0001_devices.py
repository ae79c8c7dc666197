"""Phones, and the passes on them."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.LargeBinary(), nullable=False),
        sa.Column("push_token", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quiet_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_device")),
        sa.UniqueConstraint("tenant_id", "library", name=op.f("uq_device_tenant_id_library")),
        schema="plg_apple_wallet",
    )
    protect(op, "plg_apple_wallet", "device")
    op.create_table(
        "registration",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("pass_type", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["plg_apple_wallet.device.tenant_id", "plg_apple_wallet.device.id"],
            name=op.f("fk_registration_tenant_id_device_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "device_id", "serial", name=op.f("pk_registration")),
        schema="plg_apple_wallet",
    )
    op.create_index("ix_registration_serial", "registration", ["tenant_id", "serial"], schema="plg_apple_wallet")
    protect(op, "plg_apple_wallet", "registration")


def downgrade() -> None:
    op.drop_table("registration", schema="plg_apple_wallet")
    op.drop_table("device", schema="plg_apple_wallet")
