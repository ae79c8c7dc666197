"""`regulars doctor --ledger`: every rule of the ledger on every row, and a sample of sales evaluated again."""

from __future__ import annotations

import asyncio

import click
from sqlalchemy.ext.asyncio import create_async_engine

from regulars.cli.doctor.queries import NEWEST_TENANTS
from regulars.domain.ledger.invariants import INVARIANTS, Breach, Invariant, breaches
from regulars.domain.ledger.replays import Replayed, Replays
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.repository import fetch_snapshot_by_id
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

L12 = Invariant("L12", "A stored evaluation gives the same again.", query="")


def check_ledger(config: Config, registry: PluginRegistry) -> None:
    """Tell every rule of the ledger that does not hold, with up to ten places each.

    Args:
        config: names the database.
        registry: the plugins whose rules are asked again.

    Raises:
        click.ClickException: there is one.
    """
    found, replayed = asyncio.run(_breaches(config)), asyncio.run(_replayed(config, registry))
    if different := [str(one.sale_id) for one in replayed if one.outcome == "different"]:
        found.append(Breach(L12, tuple(different[:10])))
    for breach in found:
        click.echo(f"{breach.invariant.name} does not hold: {breach.invariant.sentence}")
        click.echo(f"  at {', '.join(breach.places)}")
    if found:
        raise click.ClickException(f"{len(found)} of {len(INVARIANTS) + 1} rules of the ledger do not hold.")
    click.echo(f"The ledger is clean: all {len(INVARIANTS) + 1} rules hold.")
    same = sum(one.outcome == "same" for one in replayed)
    click.echo(f"{same} of {len(replayed)} sales that were evaluated again gave the same.")


async def _breaches(config: Config) -> list[Breach]:
    engine = create_async_engine(config.database_url_migrator)
    try:
        async with engine.connect() as connection:
            return await breaches(connection)
    finally:
        await engine.dispose()


async def _replayed(config: Config, registry: PluginRegistry) -> list[Replayed]:
    """A sample of the sales of the newest tenants."""
    database, builder = Database(config), SnapshotBuilder(registry, FEATURE_NAMES)
    replays = Replays(registry, SettingsStore(registry, config.setting_default, config.encryption_key))
    found: list[Replayed] = []
    try:
        async with database.platform("the doctor evaluates sales again", read_only=True) as session:
            tenants = [row.id for row in await session.rows(NEWEST_TENANTS)]
        for tenant_id in tenants:
            raw = await fetch_snapshot_by_id(database, tenant_id)
            assert raw is not None
            async with database.tenant(tenant_id, read_only=True) as inner:
                found += await replays.replay_some(inner, builder.build(raw).snapshot)
    finally:
        await database.close()
    return found
