"""`regulars doctor`."""

from __future__ import annotations

import asyncio

import click
from sqlalchemy.ext.asyncio import create_async_engine

from regulars.cli.common import read_config
from regulars.domain.ledger.invariants import INVARIANTS, Breach, breaches
from regulars.kernel.config import Config


@click.command("doctor")
@click.option("--ledger", is_flag=True, help="Check every rule of the ledger on the live database.")
def command(*, ledger: bool) -> None:
    """Check the installation; each fault is a sentence, and the exit code is 1 when there is one."""
    if not ledger:
        raise click.UsageError("Say what to check: regulars doctor --ledger")
    found = asyncio.run(_breaches(read_config()))
    for breach in found:
        click.echo(f"{breach.invariant.name} does not hold: {breach.invariant.sentence}")
        click.echo(f"  at {', '.join(breach.places)}")
    if found:
        raise click.ClickException(f"{len(found)} of {len(INVARIANTS)} rules of the ledger do not hold.")
    click.echo(f"The ledger is clean: all {len(INVARIANTS)} rules hold.")


async def _breaches(config: Config) -> list[Breach]:
    engine = create_async_engine(config.database_url_migrator)
    try:
        async with engine.connect() as connection:
            return await breaches(connection)
    finally:
        await engine.dispose()
