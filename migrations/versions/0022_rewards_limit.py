"""Offerings that had the rewards catalogue before it had a limit have as many rewards as they like."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute(
        "UPDATE core.offering SET limits = limits || jsonb_build_object('rewards.items', NULL) "
        "WHERE features @> '[\"rewards\"]' AND NOT jsonb_exists(limits, 'rewards.items')"
    )
