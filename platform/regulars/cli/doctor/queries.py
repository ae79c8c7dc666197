"""What the doctor asks the database."""

from __future__ import annotations

from sqlalchemy import text

SERVER = """
SELECT name, setting FROM pg_settings
WHERE name IN ('server_version_num', 'server_version', 'fsync', 'full_page_writes', 'synchronous_commit')"""
WHO = """
SELECT current_user AS name, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb,
  current_database() AS database, pg_postmaster_start_time() AS server,
  EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid) AS owns
FROM pg_roles r WHERE r.rolname = current_user"""
RIGHTS = """
SELECT role || ' may not use the schema ' || nspname FROM pg_namespace, unnest($1::text[]) role
WHERE nspname = ANY ($2::text[]) AND NOT has_schema_privilege(role, oid, 'USAGE')
UNION ALL
SELECT role || ' may not read ' || t.schema || '.alembic_version'
FROM unnest($2::text[]) AS t(schema), unnest($1::text[]) role
WHERE to_regclass(t.schema || '.alembic_version') IS NOT NULL
  AND NOT has_table_privilege(role, t.schema || '.alembic_version', 'SELECT')
ORDER BY 1"""
PLUGIN_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'plg\\_%' ORDER BY 1"
NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
SHIFT = "SELECT shift FROM core.clock WHERE backend = 0"
WORKERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1"
BACKLOG = """
SELECT (SELECT count(*) FROM core.job WHERE status = 'dead') AS dead,
  (SELECT coalesce(extract(epoch FROM now() - min(run_at)), 0)::float8 FROM core.job
    WHERE run_at <= now() AND (status = 'queued' OR (status = 'running' AND lease_until < now()))) AS late,
  (SELECT coalesce(extract(epoch FROM core.now() - min(created_at)), 0)::float8 FROM core.outbox_event
    WHERE published_at IS NULL) AS event_late"""
HOSTS = "SELECT host FROM core.tenant_host ORDER BY host LIMIT $1"
ACCOUNTS = "SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = 'core.account'::regclass"
SAMPLE = """
SELECT s.balance = coalesce((SELECT sum(e.amount) FROM core.ledger_entry e
    WHERE e.tenant_id = s.tenant_id AND e.card_id = s.card_id AND e.unit = s.unit), 0) AS agrees
FROM (SELECT * FROM core.account TABLESAMPLE SYSTEM ($1) LIMIT $2) s"""
NEWEST_TENANTS = text("SELECT id FROM core.tenant ORDER BY created_at DESC LIMIT 50")
