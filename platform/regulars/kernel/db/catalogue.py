"""What the database's own catalogue says about isolation: rules for every table of the host and of every plugin.

Each query names what breaks its rule. The tests ask on a fresh database, `regulars doctor` on the one that serves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

SCHEMAS = "n.nspname = 'core' OR n.nspname LIKE 'plg\\_%'"
UNIQUE_WITHOUT_TENANT = {
    "core.pk_tenant_host": "a host name belongs to one tenant of the installation",
    "core.pk_kill_switch": "operators' table; a row may mean all tenants",
}
TENANT_MAY_BE_NULL = {"core.kill_switch": "no tenant means all of them"}
DEFINERS = ("core.prove_address", "core.resolve_host", "core.touch_tenant")
"""The functions that run with their owner's rights."""


_QUERIES: Mapping[str, str] = {
    "every tenant table forces row-level security": """
        SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND (:SCHEMAS) AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""",
    "every policy is FOR ALL with USING and WITH CHECK": """
        SELECT c.relname || ' ' || coalesce(p.polname, 'none')
        FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
        WHERE c.relforcerowsecurity
          AND (p.oid IS NULL OR p.polcmd <> '*' OR p.polqual IS NULL OR p.polwithcheck IS NULL)""",
    "every foreign key between tenant tables carries the tenant": """
        SELECT k.conname FROM pg_constraint k WHERE k.contype = 'f'
          AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = k.conrelid AND t.attname = 'tenant_id')
          AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = k.confrelid AND t.attname = 'tenant_id')
          AND NOT EXISTS (SELECT 1 FROM generate_subscripts(k.conkey, 1) i
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[i]
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[i]
            WHERE a.attname = 'tenant_id' AND b.attname = 'tenant_id')""",
    "no foreign key nulls the tenant or cascades": """
        SELECT conname FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
        WHERE contype = 'f' AND n.nspname <> 'pg_catalog' AND (confdeltype IN ('c', 'd')
          OR (confdeltype = 'n' AND confdelsetcols IS NULL))""",
    "no view with the owner's rights, no materialised view": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND (c.relkind = 'm'
          OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)))""",
    "our roles are neither superuser nor above policies, and the two that serve own nothing": """
        SELECT r.rolname FROM pg_roles r WHERE r.rolname LIKE 'regulars\\_%' AND (r.rolsuper OR r.rolbypassrls
          OR r.rolcreaterole OR (r.rolname <> 'regulars_migrator'
            AND EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid)))""",
    "nobody who serves may truncate, reference or add triggers": """
        SELECT table_schema || '.' || table_name || ' ' || grantee || ' ' || privilege_type
        FROM information_schema.role_table_grants
        WHERE grantee IN ('regulars_app', 'regulars_platform', 'PUBLIC')
          AND table_schema NOT IN ('pg_catalog', 'information_schema')
          AND (privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') OR grantee = 'PUBLIC')""",
    "the ledger and the audit log can only grow": """
        SELECT table_name || ' ' || grantee || ' ' || privilege_type FROM information_schema.role_table_grants
        WHERE table_schema = 'core' AND table_name IN ('ledger_entry', 'ledger_lot_use', 'audit_log')
          AND grantee = 'regulars_app' AND privilege_type NOT IN ('SELECT', 'INSERT')""",
    "every unique index starts with the tenant": """
        SELECT n.nspname || '.' || x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attname = 'tenant_id' AND NOT t.attisdropped
        WHERE i.indisunique AND i.indkey[0] <> t.attnum AND (:SCHEMAS)
          AND n.nspname || '.' || x.relname NOT IN (:UNIQUE_WITHOUT_TENANT)""",
    "no row is without a tenant": """
        SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND (:SCHEMAS) AND NOT a.attnotnull
          AND n.nspname || '.' || c.relname NOT IN (:TENANT_MAY_BE_NULL)""",
    "only known functions run with their owner's rights": """
        SELECT pronamespace::regnamespace || '.' || proname FROM pg_proc
        WHERE prosecdef AND pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
          AND (pronamespace::regnamespace || '.' || proname NOT IN (:DEFINERS)
            OR proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp'])""",
}


def _complete(query: str) -> str:
    """Fill in the schemas that are ours and the exceptions that are meant."""
    for word, names in (
        (":UNIQUE_WITHOUT_TENANT", UNIQUE_WITHOUT_TENANT),
        (":TENANT_MAY_BE_NULL", TENANT_MAY_BE_NULL),
        (":DEFINERS", DEFINERS),
    ):
        query = query.replace(word, ", ".join(f"'{name}'" for name in names))
    return query.replace(":SCHEMAS", SCHEMAS)


RULES: Mapping[str, str] = {rule: _complete(query) for rule, query in _QUERIES.items()}
"""Rule → query that gives the names of what breaks it."""

Fetch = Callable[[str], Awaitable[Sequence[Any]]]


async def broken_rules(fetch: Fetch) -> dict[str, list[str]]:
    """Which rules do not hold, each with what breaks it.

    Args:
        fetch: runs a query and gives its rows.
    """
    found = {rule: [str(row[0]) for row in await fetch(query)] for rule, query in RULES.items()}
    return {rule: sorted(set(names)) for rule, names in found.items() if names}
