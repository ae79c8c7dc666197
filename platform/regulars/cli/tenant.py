"""`regulars tenant`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told, load_registry, with_database

if TYPE_CHECKING:
    from regulars.domain.tenants.files.changes import Change
    from regulars.kernel.config import Config
    from regulars.kernel.db.database import Database


@click.group("tenant")
def command() -> None:
    """Apply tenants and offerings from files."""


@command.command("apply")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def apply(*, folder: Path, dry_run: bool) -> None:
    """Bring offerings and tenants to what FOLDER describes.

    FOLDER holds offerings.toml and, for each tenant, <slug>/tenant.toml with assets/. What is different is shown
    first; a second run changes nothing; nothing is ever deleted.
    """
    from regulars.domain.tenants.files.apply import Applier
    from regulars.domain.tenants.files.reading import read_folder
    from regulars.kernel.settings import SettingsStore
    from regulars.web.rendering import make_themes

    config = read_config()

    async def run(database: Database) -> list[Change]:
        settings = SettingsStore(registry, config.setting_default, config.encryption_key)
        applier = Applier(database, registry, settings, config.base_domain, config.data_dir)
        changes = await applier.plan(declared)
        for change in changes:
            click.echo(str(change))
        if changes and not dry_run:
            await applier.apply(declared)
        return changes

    with faults_told():
        registry = load_registry(config)
        declared = read_folder(folder, registry, make_themes(_with_themes_of(folder, config)))
        changes = with_database(config, run)
        served = make_themes(config).names
    click.echo(_summary(changes, dry_run=dry_run))
    for tenant in declared.tenants:
        if tenant.file.theme not in served:
            click.echo(
                f"{tenant.slug}: its own theme is not shown until REGULARS_TENANTS_DIR names {folder}.", err=True
            )


@command.command("rebase")
def rebase() -> None:
    """Let every tenant answer below the configured base domain too.

    Their hosts below the old one keep answering; links are built with the new one.
    """
    from regulars.domain.tenants.rebase import rebase_all

    config = read_config()

    async def run(database: Database) -> list[str]:
        return await rebase_all(database, config.base_domain)

    with faults_told():
        moved = with_database(config, run)
    for slug in moved:
        click.echo(f"+ {slug}.{config.base_domain}")
    click.echo(f"{len(moved)} tenants answer below {config.base_domain} now." if moved else "Nothing to change.")


def _with_themes_of(folder: Path, config: Config) -> Config:
    """The configuration with the themes of the tenants in that folder, where it names no other one."""
    return config if config.tenants_dir else config.model_copy(update={"tenants_dir": folder})


def _summary(changes: list[Change], *, dry_run: bool) -> str:
    if not changes:
        return "Nothing to change."
    added = sum(change.kind == "add" for change in changes)
    counted = f"{added} to add, {len(changes) - added} to change"
    return f"{counted}; nothing was done (--dry-run)." if dry_run else f"{counted}; done."
