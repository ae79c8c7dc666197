"""The tables of a plugin: only in its own schema, each row a tenant's."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Table

from regulars.kernel.db.base import PLUGIN_SCHEMA_PREFIX, Base, metadata
from regulars.kernel.plugins.faults import PartError
from regulars.kernel.plugins.targets import load_module


def load_tables(plugin: str, module: str) -> tuple[Table, ...]:
    """Import a plugin's models and check their tables.

    Args:
        plugin: name of the plugin.
        module: module with its models.

    Returns:
        Its tables, sorted by name.

    Raises:
        PartError: a table lies elsewhere than in `plg_<plugin>`, has no `tenant_id` at the start of its key, or is not
            built on `PluginTables`.
    """
    before = set(metadata.tables)
    load_module(module)
    schema = f"{PLUGIN_SCHEMA_PREFIX}{plugin}"
    tables = {table.fullname: table for table in _defined_in(module)}
    host = {mapper.local_table for mapper in Base.registry.mappers}
    new = {name: table for name, table in metadata.tables.items() if name not in before or table.schema == schema}
    tables |= {name: table for name, table in new.items() if table not in host}
    for name, table in sorted(tables.items()):
        _check(name, table, schema)
    return tuple(tables[name] for name in sorted(tables))


def _check(name: str, table: Table, schema: str) -> None:
    if table.metadata is not metadata:
        raise PartError(f"its table {name} is not built on PluginTables")
    if table.schema != schema:
        raise PartError(f"its table {name} must lie in the schema {schema}")
    key = list(table.primary_key.columns)
    if not key or key[0].name != "tenant_id":
        raise PartError(f"the primary key of its table {name} must start with tenant_id")


def _defined_in(module: str) -> Iterator[Table]:
    """Tables of mapped classes of the module and of those below it, also when they were imported before."""
    for name, loaded in list(sys.modules.items()):
        if name != module and not name.startswith(f"{module}."):
            continue
        for value in list(vars(loaded).values()):
            if isinstance(value, Table) and value.metadata is not metadata:
                yield value
            table = getattr(value, "__table__", None)
            if isinstance(value, type) and value.__module__ == name and isinstance(table, Table):
                yield table
