"""`regulars demo-data`."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from regulars.cli.common import read_config
from regulars.cli.demo.people import people
from regulars.cli.demo.plan import BUSINESSES, plan
from regulars.cli.demo.record import Counts, Recorder
from regulars.cli.demo.repository import ANALYZE, program_id
from regulars.cli.demo.stage import Stage, add_key, add_operator, set_stage
from regulars.cli.summary import DEMO_FILE, Address, ApiKey, DemoSummary, Login
from regulars.contracts.context import Context, TenantSnapshot
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.rulebook import RuleBook
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.staff.pins import PinPolicy
from regulars.domain.tenants.features import FEATURES
from regulars.domain.tenants.naming import tenant_host
from regulars.domain.tenants.repository import fetch_snapshot
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

SEED = 20_260
DAYS = 182
RECENT = timedelta(days=2)
"""Events of this time are left to the worker, so that the mailbox has fresh mails."""


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


@dataclass
class _Demo:
    """The parts that recording needs."""

    config: Config
    registry: PluginRegistry
    database: Database
    engine: AsyncEngine
    settings: SettingsStore
    programs: ProgramCache


async def _fill(config: Config) -> DemoSummary:
    registry = load_plugins(allowed=config.plugins, blocked=config.plugin_blocklist)
    settings = SettingsStore(registry, config.setting_default, config.encryption_key)
    engine = create_async_engine(config.database_url_migrator)
    demo = _Demo(config, registry, Database(config), engine, settings, ProgramCache())
    try:
        logins: list[Login] = [await add_operator(demo.database)]
        keys: list[ApiKey] = []
        hosts: list[Address] = []
        for slug in BUSINESSES:
            tenant = await _tenant(demo, slug)
            stage = await set_stage(demo.database, config, registry, Context(tenant))
            counts = await _record(demo, slug, stage)
            click.echo(
                f"  {tenant.name}: {counts.members} members, {counts.sales} sales, {counts.redeemed} rewards, "
                f"{counts.refused} refusals, {counts.undone} undone"
            )
            hosts.append(Address(label=tenant.name, url=config.url(tenant.host)))
            logins.extend(stage.logins)
            if tenant.has("api_access"):
                async with demo.database.tenant(tenant.id) as session:
                    keys.append(ApiKey(label=tenant.name, key=await add_key(session, stage.ctx)))
        hosts.append(Address(label="Console", url=config.url(config.console_host, "/console/")))
        async with engine.begin() as connection:
            await connection.execute(ANALYZE)
        return DemoSummary(addresses=tuple(hosts), logins=tuple(logins), api_keys=tuple(keys))
    finally:
        await demo.database.close()
        await engine.dispose()


async def _tenant(demo: _Demo, slug: str) -> TenantSnapshot:
    raw = await fetch_snapshot(demo.database, tenant_host(slug, demo.config.base_domain))
    if raw is None:
        raise click.ClickException(f"There is no tenant {slug!r}. Run: regulars tenant apply tenants/")
    return SnapshotBuilder(demo.registry, (feature.name for feature in FEATURES)).build(raw).snapshot


async def _record(demo: _Demo, slug: str, stage: Stage) -> Counts:
    zone = ZoneInfo(stage.ctx.tenant.timezone)
    dice = random.Random(f"{SEED} {slug}")  # noqa: S311 -- the same history each time
    until = datetime.now(UTC) - timedelta(minutes=5)
    business = BUSINESSES[slug]
    names = people(dice, business.members)
    steps = plan(business, dice, until, DAYS, zone)
    rules = RuleBook(demo.programs, demo.settings)
    ledger = Ledger(demo.registry, rules, PinPolicy(), demo.config.pin_pepper.encode())
    recorder = Recorder(
        engine=demo.engine,
        ledger=ledger,
        ctx=stage.ctx,
        people=names,
        staff=stage.staff,
        shops=stage.shops,
        target=await _target(demo, stage),
    )
    counts = await recorder.record(steps)
    await recorder.settle(until - RECENT)
    return counts


async def _target(demo: _Demo, stage: Stage) -> int:
    async with demo.database.tenant(stage.ctx.tenant.id) as session:
        program = await program_id(session)
        settings = await demo.settings.get_all(session, stage.ctx.tenant, program)
    return int(settings["stamps"].model_dump()["target"])
