"""Queries of a plugin's removal; the migrator runs them, who owns the schemas."""

from __future__ import annotations

from sqlalchemy import Select, func, select, table, text

TABLES = text("""
    SELECT tablename AS name FROM pg_tables WHERE schemaname = :schema AND tablename <> 'alembic_version' ORDER BY 1
""")
HAS_SCHEMA = text("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = :schema)")
SETTINGS = text("SELECT count(*) FROM core.plugin_settings WHERE plugin = :plugin")
USES = text("""
    SELECT 'the offering ' || o.code AS name FROM core.offering o
    CROSS JOIN jsonb_array_elements_text(o.features) AS f (name) WHERE split_part(f.name, '.', 1) = :plugin
    UNION SELECT 'the tenant ' || t.slug FROM core.tenant_override v JOIN core.tenant t ON t.id = v.tenant_id
    WHERE v.kind = 'grant' AND (v.expires_at IS NULL OR v.expires_at > core.now())
      AND split_part(v.name, '.', 1) = :plugin
    ORDER BY 1
""")
DEPENDENTS = text("""
    SELECT DISTINCT f.conrelid::regclass::text AS name FROM pg_constraint f
    JOIN pg_class own ON own.oid = f.confrelid JOIN pg_namespace n ON n.oid = own.relnamespace
    JOIN pg_class other ON other.oid = f.conrelid
    WHERE f.contype = 'f' AND n.nspname = :schema AND other.relnamespace <> n.oid ORDER BY 1
""")
DELETE_SETTINGS = text("DELETE FROM core.plugin_settings WHERE plugin = :plugin")
DELETE_SWITCHES = text("DELETE FROM core.tenant_plugin WHERE plugin = :plugin")


def rows_of(schema: str, name: str) -> Select[int]:
    """How many rows a table has."""
    return select(func.count()).select_from(table(name, schema=schema))
