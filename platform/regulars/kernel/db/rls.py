"""Row-level security in migrations: one helper protects a table, so that nobody writes a policy by hand.

Three roles, none with BYPASSRLS: the migrator owns the tables, `regulars_app` is bound to one tenant,
`regulars_platform` serves the console and cross-tenant jobs. FORCE makes the policies hold for the owner too, who gets
a policy of its own for data migrations.
"""

from __future__ import annotations

from typing import Protocol

APP, PLATFORM = "regulars_app", "regulars_platform"
TENANT_PREDICATE = "{column} = (SELECT current_setting('app.tenant_id'))::uuid"
READ_WRITE = "SELECT, INSERT, UPDATE, DELETE"
APPEND_ONLY = "SELECT, INSERT"


class Operations(Protocol):
    """The part of `alembic.op` that is used here."""

    def execute(self, sqltext: str) -> object:
        """Run SQL."""


def protect(
    op: Operations,
    schema: str,
    table: str,
    *,
    app: str = READ_WRITE,
    platform: str = READ_WRITE,
    column: str = "tenant_id",
) -> None:
    """Enable and force row-level security on a tenant table, with its policies and grants.

    No tenant set is an error, never an empty answer: `current_setting` without the second argument raises.

    Args:
        op: `alembic.op`.
        schema, table: the table.
        app, platform: privileges of the two roles, empty for none.
        column: the column that names the tenant.
    """
    name = f"{schema}.{table}"
    predicate = TENANT_PREDICATE.format(column=column)
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY platform ON {name} TO CURRENT_USER, {PLATFORM} USING (true) WITH CHECK (true)")
    if app:
        op.execute(f"CREATE POLICY tenant ON {name} TO {APP} USING ({predicate}) WITH CHECK ({predicate})")
        op.execute(f"GRANT {app} ON {name} TO {APP}")
    if platform:
        op.execute(f"GRANT {platform} ON {name} TO {PLATFORM}")


def bump_revision_on_change(op: Operations, schema: str, table: str) -> None:
    """Make every change of a tenant's row renew the tenant's revision, so that caches drop what they hold."""
    op.execute(
        f"CREATE TRIGGER touch_tenant AFTER INSERT OR UPDATE OR DELETE ON {schema}.{table} "
        "FOR EACH ROW EXECUTE FUNCTION core.touch_tenant()"
    )
