"""A card transaction's statements are planned once per connection instead of anew for every card."""

from alembic import op

from regulars.kernel.db.rls import APP, PLATFORM

revision = "0008"
down_revision = "0007"

PLAN_ONCE = """
CREATE FUNCTION core.plan_once() RETURNS text LANGUAGE sql VOLATILE
AS $$ SELECT set_config('plan_cache_mode', 'force_generic_plan', true) $$
"""


def upgrade() -> None:
    op.execute(PLAN_ONCE)
    op.execute("REVOKE ALL ON FUNCTION core.plan_once() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.plan_once() TO {APP}, {PLATFORM}")
