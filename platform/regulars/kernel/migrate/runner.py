"""Run Alembic for one target after another, under one advisory lock, each target in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.kernel.db.base import CORE_SCHEMA, metadata
from regulars.kernel.db.rls import APP, PLATFORM
from regulars.kernel.paths import bundled

T = TypeVar("T")
LOCK = text("SELECT pg_advisory_lock(7235611)")
UNLOCK = text("SELECT pg_advisory_unlock(7235611)")


@dataclass(frozen=True, slots=True)
class Target:
    """Something with a schema and a history of its own.

    Attributes:
        name: `host` or the plugin's name.
        schema: where its tables and its version table live.
        versions: folder of its revisions.
    """

    name: str
    schema: str
    versions: Path


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """Where a target stands.

    Attributes:
        current: revision in the database, `None` before the first upgrade.
        head: newest revision in the code.
        is_known: whether the code knows the revision in the database; False when a newer version was here.
    """

    target: Target
    current: str | None
    head: str | None
    is_known: bool

    @property
    def is_current(self) -> bool:
        """Whether database and code agree."""
        return self.current == self.head


def host_target() -> Target:
    """The host's own target."""
    return Target(name="host", schema=CORE_SCHEMA, versions=bundled("migrations") / "versions")


async def upgrade(database_url: str, targets: Sequence[Target]) -> list[TargetStatus]:
    """Bring every target to its newest revision; a second runner waits for the first.

    Args:
        database_url: of the migrator role.
        targets: host first, then plugins in load order.

    Returns:
        The status of each target afterwards.
    """

    def run(connection: Connection) -> list[TargetStatus]:
        connection.execute(LOCK)
        connection.commit()
        try:
            for target in targets:
                _ensure_schema(connection, target)
                command.upgrade(_alembic(connection, target), "head")
                connection.execute(text(f"GRANT USAGE ON SCHEMA {target.schema} TO {APP}, {PLATFORM}"))
                connection.execute(text(f"GRANT SELECT ON {target.schema}.alembic_version TO {APP}, {PLATFORM}"))
                connection.commit()
            return [status(connection, target) for target in targets]
        finally:
            connection.rollback()
            connection.execute(UNLOCK)
            connection.commit()

    return await _with_connection(database_url, run)


async def downgrade(database_url: str, target: Target) -> None:
    """Take a target back to where nothing of it was there: its data is gone.

    Args:
        database_url: of the migrator role.
        target: whose history is undone; its schema and the empty version table stay.
    """

    def run(connection: Connection) -> None:
        command.downgrade(_alembic(connection, target), "base")
        connection.commit()

    await _with_connection(database_url, run)


async def current(database_url: str, targets: Sequence[Target]) -> list[TargetStatus]:
    """Where each target stands, without changing anything."""
    return await _with_connection(database_url, lambda connection: [status(connection, t) for t in targets])


async def check(database_url: str, targets: Sequence[Target]) -> dict[str, list[str]]:
    """Differences between the tables in the code and in the database, per target; empty lists without drift."""

    def run(connection: Connection) -> dict[str, list[str]]:
        return {target.name: [str(d) for d in _differences(connection, target)] for target in targets}

    return await _with_connection(database_url, run)


async def _with_connection(database_url: str, function: Callable[[Connection], T]) -> T:
    engine = create_async_engine(database_url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(function)
    finally:
        await engine.dispose()


def _ensure_schema(connection: Connection, target: Target) -> None:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {target.schema}"))
    connection.commit()


def _alembic(connection: Connection, target: Target) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(bundled("migrations")))
    config.set_main_option("version_locations", str(target.versions))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, schema=target.schema)
    return config


def status(connection: Connection, target: Target) -> TargetStatus:
    """Where one target stands, seen by a connection that may read its version table."""
    context = MigrationContext.configure(
        connection, opts={"version_table": "alembic_version", "version_table_schema": target.schema}
    )
    script = ScriptDirectory.from_config(_alembic(connection, target))
    found = context.get_current_revision()
    is_known = found is None or found in {one.revision for one in script.walk_revisions()}
    return TargetStatus(target=target, current=found, head=script.get_current_head(), is_known=is_known)


def _differences(connection: Connection, target: Target) -> list[object]:
    context = MigrationContext.configure(
        connection,
        opts={
            "version_table": "alembic_version",
            "version_table_schema": target.schema,
            "include_schemas": True,
            "include_name": in_schema(target.schema),
            "include_object": lambda item, _name, kind, *_: kind != "table" or item.schema == target.schema,
        },
    )
    return list(compare_metadata(context, metadata))


def in_schema(schema: str) -> Callable[[str | None, str, object], bool]:
    """Alembic's `include_name` filter for one schema."""

    def include(name: str | None, kind: str, _parents: object) -> bool:
        return name == schema if kind == "schema" else True

    return include
