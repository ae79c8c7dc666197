"""The tables of a plugin: every row is a tenant's, and code and database agree."""

from __future__ import annotations

from typing import ClassVar

from asyncpg import Connection

from regulars.kernel.embedded import Urls
from regulars.kernel.migrate import check, downgrade, upgrade
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.registry import PluginRegistry

VERSIONS = "alembic_version"
UNPROTECTED = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity
        AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant'))
"""
KEYS_WITHOUT_TENANT = """
    SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
    WHERE n.nspname = $1 AND x.indisunique AND c.relname <> 'alembic_version' AND a.attname IS DISTINCT FROM 'tenant_id'
"""
POINTERS_WITHOUT_TENANT = """
    SELECT k.conname FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE n.nspname = $1 AND k.contype = 'f' AND (k.confdeltype IN ('c', 'd')
      OR NOT EXISTS (SELECT 1 FROM generate_subscripts(k.conkey, 1) i
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[i]
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[i]
        WHERE a.attname = 'tenant_id' AND b.attname IN ('tenant_id', 'id')))
"""
RULES = {
    "row-level security is forced": UNPROTECTED,
    "keys and unique indexes start with the tenant": KEYS_WITHOUT_TENANT,
    "foreign keys carry the tenant and never cascade": POINTERS_WITHOUT_TENANT,
}
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY tablename"


class Tables:
    """Tests of what lies in `plg_<name>`."""

    plugin: ClassVar[str]

    async def test_its_tables_are_the_tenants(self, sql: Connection) -> None:
        """What the database's own catalogue says."""
        schema = f"plg_{self.plugin}"
        found = {rule: [row[0] for row in await sql.fetch(query, schema)] for rule, query in RULES.items()}
        assert found == {rule: [] for rule in RULES}

    async def test_its_migrations_go_down_and_up_again(
        self, registry: PluginRegistry, database_urls: Urls, sql: Connection
    ) -> None:
        """Nothing is left behind, and models and database agree afterwards."""
        targets = all_targets(registry)
        target = next((one for one in targets if one.name == self.plugin), None)
        if target is None:
            assert registry.plugin(self.plugin).tables == ()
            return
        before = await sql.fetch(TABLES, target.schema)
        await downgrade(database_urls.migrator, target)
        assert [row[0] for row in await sql.fetch(TABLES, target.schema)] == [VERSIONS]
        await upgrade(database_urls.migrator, targets)
        assert await sql.fetch(TABLES, target.schema) == before
        assert (await check(database_urls.migrator, targets))[self.plugin] == []
