"""`regulars job`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told, with_database

if TYPE_CHECKING:
    from sqlalchemy import Row

    from regulars.kernel.db.database import Database

_MOST = 50


@click.group("job")
def command() -> None:
    """See which jobs wait and which have died, and try dead ones again."""


@command.command("list")
def list_() -> None:
    """Count the jobs that are not done, and name the dead ones with their errors."""
    from regulars.kernel.jobs import queries

    async def run(database: Database) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
        async with database.platform("regulars job list") as session:
            return await queries.overview(session), await queries.dead(session, _MOST)

    config = read_config()
    with faults_told():
        counts, dead = with_database(config, run)
    for row in counts:
        click.echo(f"{row.name}: {row.queued} waiting, {row.running} running, {row.dead} dead")
    for row in dead:
        click.echo(f"{row.id} {row.name} of tenant {row.tenant_id}, dead after {row.attempts} tries: {row.error}")
    if not counts:
        click.echo("All jobs are done.")


@command.command("retry")
@click.argument("job_ids", metavar="ID...", type=click.UUID, nargs=-1, required=True)
def retry(*, job_ids: tuple[UUID, ...]) -> None:
    """Try dead jobs again, with all their attempts."""
    from regulars.kernel.jobs import queries

    async def run(database: Database) -> dict[UUID, str | None]:
        async with database.platform("regulars job retry") as session:
            return {job_id: await queries.revive(session, job_id) for job_id in job_ids}

    config = read_config()
    with faults_told():
        revived = with_database(config, run)
    for job_id, name in revived.items():
        click.echo(f"{job_id}: {f'{name} is tried again' if name else 'there is no dead job of that id'}")
    if not all(revived.values()):
        raise click.exceptions.Exit(1)
