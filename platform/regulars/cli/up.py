"""`regulars up`."""

from pathlib import Path

import click

from regulars.cli.common import environment


@click.command("up")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, envvar="REGULARS_PORT", show_default=True, help="Web port."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default="var/data",
    envvar="REGULARS_DATA_DIR",
    show_default=True,
    help="Data folder; made when it is missing.",
)
@click.option(
    "--base",
    default="localhost",
    envvar="REGULARS_BASE_DOMAIN",
    show_default=True,
    help="Base domain; another than localhost is served to the whole network.",
)
@click.option("--database-url", help="A PostgreSQL of yours, as a role that may create roles, instead of our own.")
@click.option("--redis-url", envvar="REGULARS_REDIS_URL", help="A Redis of yours instead of our own.")
@click.option("--demo", is_flag=True, help="With three demo merchants and months of history.")
def command(*, port: int, data: Path, base: str, database_url: str | None, redis_url: str | None, demo: bool) -> None:
    """Run everything here: database, Redis, web server and worker, until Ctrl-C.

    The first start fills the data folder, later ones reuse it.
    """
    from regulars.cli.installation import Installation, Options

    options = Options(port, data.absolute(), base.lower(), database_url, redis_url, demo=demo)
    Installation(options, environment()).run()
