"""Removing what a plugin has stored, for good: its schema, its settings, the merchants' switches.

Entries of the ledger stay: they are append-only, and balances are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.schema import DropSchema

from regulars.contracts.errors import Conflict, NotFound
from regulars.contracts.manifest import NAME_PATTERN
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_platform
from regulars.domain.tenants import purge_repository as repository
from regulars.kernel.db.base import PLUGIN_SCHEMA_PREFIX
from regulars.kernel.db.database import PlatformSession

REASON = "regulars plugin purge"


@dataclass(frozen=True, slots=True)
class Stored:
    """What there is of a plugin.

    Attributes:
        rows: table → how many rows it has, of all tenants.
        settings: how many sets of settings are stored.
        uses: offerings and tenants that have it, in words.
    """

    schema: str
    rows: Mapping[str, int]
    settings: int
    uses: Sequence[str]


async def stored_by(session: PlatformSession, plugin: str) -> Stored:
    """Look at what a plugin has stored; it need not be installed.

    Args:
        session: of the migrator.
        plugin: its name.

    Raises:
        NotFound: there is nothing.
    """
    schema, named = f"{PLUGIN_SCHEMA_PREFIX}{plugin}", {"plugin": plugin}
    settings = await session.scalar(repository.SETTINGS, named)
    has_schema = NAME_PATTERN.match(plugin) and await session.scalar(repository.HAS_SCHEMA, {"schema": schema})
    if not has_schema and not settings:
        raise NotFound(f"Nothing is stored of a plugin {plugin!r}.")
    rows = {}
    for one in await session.rows(repository.TABLES, {"schema": schema}):
        rows[one.name] = await session.scalar(repository.rows_of(schema, one.name))
    uses = [one.name for one in await session.rows(repository.USES, named)]
    return Stored(schema, rows, settings, uses)


async def purge(session: PlatformSession, actor: Actor, plugin: str, stored: Stored) -> None:
    """Delete what was looked at.

    Args:
        session: of the migrator, the one that looked.
        actor: who does it.
        plugin: its name.
        stored: what `stored_by` has found.

    Raises:
        Conflict: another plugin's tables lead to its tables.
    """
    dependents = [one.name for one in await session.rows(repository.DEPENDENTS, {"schema": stored.schema})]
    if dependents:
        raise Conflict(f"{', '.join(dependents)} refer to its tables: purge the plugin that they are of first.")
    await session.execute(DropSchema(stored.schema, cascade=True, if_exists=True))
    for statement in (repository.DELETE_SETTINGS, repository.DELETE_SWITCHES):
        await session.execute(statement, {"plugin": plugin})
    details = {"tables": dict(stored.rows), "settings": stored.settings, "uses": list(stored.uses)}
    await record_platform(session, actor, "plugin.purged", REASON, plugin, details)
