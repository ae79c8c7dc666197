"""`regulars plugin purge`: what a plugin has stored is deleted, after it was shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regulars.domain.tenants.purging import Stored
    from regulars.kernel.config import Config


@click.command("purge")
@click.argument("name")
@click.option("--confirm", is_flag=True, help="Delete it; without this it is only shown.")
@click.option("--even-if-used", is_flag=True, help="Although it is installed, or an offering or a tenant has it.")
def purge(*, name: str, confirm: bool, even_if_used: bool) -> None:
    """Delete everything that the plugin NAME has stored, of all tenants: its tables, its settings, its switches.

    Uninstalling a plugin keeps its data; this is the end of them. What will be deleted is shown first, and without
    --confirm nothing is. Entries of the ledger stay. It is written into the platform's audit log.
    """
    config = read_config()
    with faults_told():
        asyncio.run(_purge(config, name, confirm=confirm, even_if_used=even_if_used))


async def _purge(config: Config, name: str, *, confirm: bool, even_if_used: bool) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    from regulars.domain.audit.actors import SYSTEM
    from regulars.domain.tenants import purging
    from regulars.kernel.db.database import PlatformSession

    engine = create_async_engine(config.database_url_migrator)
    try:
        async with engine.begin() as connection:
            session = PlatformSession(connection, purging.REASON)
            stored = await purging.stored_by(session, name)
            for line in _lines(stored):
                click.echo(line)
            uses = [*(["this installation, which loads it"] if _is_loaded(config, name) else []), *stored.uses]
            if uses and not even_if_used:
                told = f"It is in use: {', '.join(uses)}. Nothing was deleted; end that first, or add --even-if-used."
                raise click.ClickException(told)
            if confirm:
                await purging.purge(session, SYSTEM, name, stored)
    finally:
        await engine.dispose()
    click.echo("It is deleted." if confirm else "Nothing was deleted: add --confirm to do so.")


def _lines(stored: Stored) -> Iterator[str]:
    yield f"The schema {stored.schema} goes, with these rows:"
    yield from (f"  {table}: {count}" for table, count in stored.rows.items())
    yield f"Stored settings go: {stored.settings}. Entries of the ledger stay."


def _is_loaded(config: Config, name: str) -> bool:
    """Whether the plugin is among those that are installed and wanted here."""
    from regulars.kernel.plugins.discovery import discover

    wanted = config.plugins is None or name in config.plugins
    return wanted and name not in config.plugin_blocklist and any(found.name == name for found in discover())
