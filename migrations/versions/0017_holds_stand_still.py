"""After a pause the end of rewards that are put aside moves on, too."""

from alembic import op

from regulars.kernel.db.rls import APP

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(f"GRANT UPDATE (expires_at) ON core.redemption TO {APP}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (expires_at) ON core.redemption FROM {APP}")
