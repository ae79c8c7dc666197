"""`regulars demo-data`."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click

from regulars.cli.common import read_config
from regulars.cli.demo.merchant import record_merchant
from regulars.cli.demo.plan import BUSINESSES
from regulars.cli.demo.stage import add_operator
from regulars.cli.summary import DEMO_FILE, Address, DemoSummary
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database

PROCESSES = 3


@click.command("demo-data")
def command() -> None:
    """Fill the demo's three merchants with six months of history, through the same services as a real sale.

    The tenants must exist (`regulars tenant apply`), and the installation must be a demo (REGULARS_ENV=demo).
    """
    config = read_config()
    if config.env != "demo":
        raise click.ClickException("Demo data are for demos only: set REGULARS_ENV=demo, on a database of its own.")
    summary = asyncio.run(_fill(config))
    path = Path(config.data_dir) / DEMO_FILE
    path.touch(mode=0o600)
    path.write_text(summary.model_dump_json(indent=2), encoding="utf-8")


async def _fill(config: Config) -> DemoSummary:
    database = Database(config)
    logins = [await add_operator(database)]
    await database.close()
    loop, spawn = asyncio.get_running_loop(), get_context("spawn")
    with ProcessPoolExecutor(max_workers=PROCESSES, mp_context=spawn) as pool:
        merchants = await asyncio.gather(*(loop.run_in_executor(pool, record_merchant, config, s) for s in BUSINESSES))
    for merchant in merchants:
        click.echo(f"  {merchant.line}")
    console = Address(label="Console", url=config.url(config.console_host))
    return DemoSummary(
        addresses=(*(merchant.address for merchant in merchants), console),
        logins=(*logins, *(login for merchant in merchants for login in merchant.logins)),
        api_keys=tuple(merchant.key for merchant in merchants if merchant.key is not None),
    )
