"""What Google has: classes, objects, pictures that it fetches, callbacks that were heard."""

import sqlalchemy as sa
from alembic import op

from regulars.sdk.migrations import protect

revision = "0001"
down_revision = None
SCHEMA = "plg_google_wallet"


def upgrade() -> None:
    op.create_table(
        "loyalty_class",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "class_id", name=op.f("pk_loyalty_class")),
        schema=SCHEMA,
    )
    op.create_table(
        "loyalty_object",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pass_id", sa.Uuid(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("news", sa.Text(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True)),
        sa.Column("heard", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "pass_id", name=op.f("pk_loyalty_object")),
        schema=SCHEMA,
    )
    op.create_index("ix_loyalty_object_name", "loyalty_object", ["tenant_id", "object_id"], schema=SCHEMA)
    op.create_table(
        "picture",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("pk_picture")),
        schema=SCHEMA,
    )
    op.create_table(
        "callback",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "nonce", name=op.f("pk_callback")),
        schema=SCHEMA,
    )
    protect(op, SCHEMA, "loyalty_class", app="SELECT, INSERT, UPDATE")
    protect(op, SCHEMA, "loyalty_object", app="SELECT, INSERT, UPDATE")
    protect(op, SCHEMA, "picture", app="SELECT, INSERT")
    protect(op, SCHEMA, "callback", app="SELECT, INSERT, DELETE")


def downgrade() -> None:
    for table in ("callback", "picture", "loyalty_object", "loyalty_class"):
        op.drop_table(table, schema=SCHEMA)
