"""`regulars doctor --ledger`: every rule of the ledger, on every row."""

from __future__ import annotations

import asyncio

import click
from sqlalchemy.ext.asyncio import create_async_engine

from regulars.domain.ledger.invariants import INVARIANTS, Breach, breaches
from regulars.kernel.config import Config


def check_ledger(config: Config) -> None:
    """Tell every rule of the ledger that does not hold, with up to ten places each.

    Raises:
        click.ClickException: there is one.
    """
    found = asyncio.run(_breaches(config))
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
