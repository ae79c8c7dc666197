"""What the database's own catalogue says about isolation: every table of the host and of every plugin."""

import asyncpg
import pytest

from regulars.kernel.embedded import Urls

CHANGEABLE = {
    "account": {"balance", "last_at", "lifetime", "seq"},
    "api_key": {"revoked_at"},
    "card": {"status"},
    "idempotency": set(),
    "ledger_lot": {"amount_left"},
    "mail": {"attempts", "error", "sent_at", "status"},
    "redemption": {"status", "undone_at"},
    "sale": {"undone_at"},
    "session": {"shop_id"},
}
"""What the app role may change of rows that stand for money, access or proof; everything else of them stays."""
SCHEMAS = "n.nspname = 'core' OR n.nspname LIKE 'plg\\_%'"
UNIQUE_WITHOUT_TENANT = {
    "core.pk_tenant_host": "a host name belongs to one tenant of the installation",
    "core.pk_kill_switch": "operators' table; a row may mean all tenants",
}
TENANT_MAY_BE_NULL = {"core.kill_switch": "no tenant means all of them"}
DEFINERS = {"core.resolve_host", "core.touch_tenant"}
QUERIES = {
    "every tenant table forces row-level security": f"""
        SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND ({SCHEMAS}) AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""",
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
}


@pytest.fixture
async def catalogue(database_urls: Urls):
    connection = await asyncpg.connect(database_urls.superuser.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest.mark.parametrize("rule", QUERIES)
async def test_rule_holds_for_every_table(catalogue: asyncpg.Connection, rule: str) -> None:
    assert [row[0] for row in await catalogue.fetch(QUERIES[rule])] == []


async def test_unique_indexes_start_with_the_tenant(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        f"""SELECT n.nspname || '.' || x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attname = 'tenant_id' AND NOT t.attisdropped
            WHERE i.indisunique AND i.indkey[0] <> t.attnum AND ({SCHEMAS})"""
    )
    assert {row[0] for row in rows} == set(UNIQUE_WITHOUT_TENANT)


async def test_tenant_is_never_null(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        f"""SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p') AND ({SCHEMAS}) AND NOT a.attnotnull"""
    )
    assert {row[0] for row in rows} == set(TENANT_MAY_BE_NULL)


async def test_of_money_access_and_proof_only_the_state_changes(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        """SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE n.nspname = 'core' AND has_column_privilege('regulars_app', c.oid, a.attnum, 'UPDATE')"""
    )
    found = {table: {row["attname"] for row in rows if row["relname"] == table} for table in CHANGEABLE}
    assert found == CHANGEABLE


async def test_only_two_functions_run_with_their_owners_rights(catalogue: asyncpg.Connection) -> None:
    rows = await catalogue.fetch(
        """SELECT pronamespace::regnamespace || '.' || proname, proconfig FROM pg_proc
           WHERE prosecdef AND pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"""
    )
    assert {row[0] for row in rows} == DEFINERS
    assert [row[1] for row in rows] == [["search_path=pg_catalog, pg_temp"]] * len(DEFINERS)


async def test_a_planted_table_is_found(catalogue: asyncpg.Connection) -> None:
    await catalogue.execute("CREATE TABLE core.planted (tenant_id uuid, id uuid)")
    query = QUERIES["every tenant table forces row-level security"]
    assert [row[0] for row in await catalogue.fetch(query)] == ["core.planted"]
