"""`regulars db`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told, load_registry

if TYPE_CHECKING:
    from regulars.kernel.migrate import TargetStatus


@click.group("db")
def command() -> None:
    """Upgrade the database and look at its state. A target is the host or a plugin."""


@command.command("upgrade")
def upgrade() -> None:
    """Bring the database to the newest revision: the host first, then plugins in loading order."""
    from regulars.kernel.migrate import current, upgrade
    from regulars.kernel.migrate.targets import all_targets

    config = read_config()
    with faults_told():
        targets = all_targets(load_registry(config))
        before = {one.target.name: one.current for one in asyncio.run(current(config.database_url_migrator, targets))}
        after = asyncio.run(upgrade(config.database_url_migrator, targets))
    for status in after:
        was = before[status.target.name]
        told = f"at {status.head}" if was == status.current else f"{was or 'new'} → {status.current}"
        click.echo(f"{status.target.name}: {told}")


@command.command("status")
def status() -> None:
    """Show where each target stands; the exit code is 1 when one of them is behind."""
    from regulars.kernel.migrate import current
    from regulars.kernel.migrate.targets import all_targets

    config = read_config()
    with faults_told():
        targets = all_targets(load_registry(config))
        found = asyncio.run(current(config.database_url_migrator, targets))
    for one in found:
        state = "current" if one.is_current else f"behind, the newest is {one.head}: run `regulars db upgrade`"
        click.echo(f"{one.target.name}: {one.current or 'nothing yet'} ({state})")
    _end(found)


@command.command("check")
def check() -> None:
    """Compare the tables of the database with those of the code; the exit code is 1 when they differ."""
    import regulars.domain.models  # noqa: F401 -- completes the metadata
    from regulars.kernel.migrate import check
    from regulars.kernel.migrate.targets import all_targets

    config = read_config()
    with faults_told():
        targets = all_targets(load_registry(config))
        found = asyncio.run(check(config.database_url_migrator, targets))
    for name, differences in found.items():
        click.echo(f"{name}: {'no difference' if not differences else f'{len(differences)} differences'}")
        for difference in differences:
            click.echo(f"  {difference}")
    if any(found.values()):
        raise SystemExit(1)


def _end(found: Sequence[TargetStatus]) -> None:
    if not all(one.is_current for one in found):
        raise SystemExit(1)
