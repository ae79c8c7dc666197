"""One merchant of the demo, in a process of its own."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click
from sqlalchemy.ext.asyncio import create_async_engine

from regulars.cli.demo.lately import lately
from regulars.cli.demo.people import people
from regulars.cli.demo.plan import BUSINESSES, plan
from regulars.cli.demo.record import Counts, Prize, Recorder
from regulars.cli.demo.repository import ANALYZE, program_id
from regulars.cli.demo.stage import Stage, add_key, set_stage
from regulars.cli.summary import Address, ApiKey, Login
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


@dataclass(frozen=True)
class Merchant:
    """What was made.

    Attributes:
        line: one line for the log.
        key: an API key, where the offering has them.
    """

    line: str
    address: Address
    logins: tuple[Login, ...]
    key: ApiKey | None


def record_merchant(config: Config, slug: str) -> Merchant:
    """Give a merchant its staff's PINs and six months of history.

    Args:
        config: of the demo's installation.
        slug: one of `BUSINESSES`; `regulars tenant apply` has made the tenant.

    Raises:
        click.ClickException: there is no such tenant.
    """
    return asyncio.run(_Recording(config, slug).run())


class _Recording:
    def __init__(self, config: Config, slug: str) -> None:
        self._config, self._slug = config, slug
        self._registry = load_plugins(allowed=config.plugins, blocked=config.plugin_blocklist)
        self._settings = SettingsStore(self._registry, config.setting_default, config.encryption_key)
        self._database = Database(config)
        self._engine = create_async_engine(config.database_url_migrator)

    async def run(self) -> Merchant:
        try:
            tenant = await find_tenant(self._database, self._config, self._registry, self._slug)
            stage = await set_stage(self._database, self._config, self._registry, Context(tenant))
            counts = await self._record(stage)
            async with self._engine.begin() as connection:
                await connection.execute(ANALYZE)
            return Merchant(
                line=_line(tenant, counts),
                address=Address(label=tenant.name, url=self._config.url(tenant.host)),
                logins=tuple(stage.logins),
                key=await self._key(stage),
            )
        finally:
            await self._database.close()
            await self._engine.dispose()

    async def _record(self, stage: Stage) -> Counts:
        dice = random.Random(f"{SEED} {self._slug}")  # noqa: S311 -- the same history each time
        until = datetime.now(UTC) - timedelta(minutes=5)
        business = BUSINESSES[self._slug]
        names = people(dice, business.members)
        rules = RuleBook(ProgramCache(), self._settings)
        recorder = Recorder(
            engine=self._engine,
            ledger=Ledger(self._registry, rules, PinPolicy(), self._config.pin_pepper.encode()),
            ctx=stage.ctx,
            people=names,
            staff=stage.staff,
            shops=stage.shops,
            prizes=await self._prizes(stage),
        )
        zone = ZoneInfo(stage.ctx.tenant.timezone)
        counts = await recorder.record(plan(business, dice, until, DAYS, zone))
        await lately(self._database, self._registry, self._settings, recorder, until)
        await recorder.settle(until - RECENT)
        return counts

    async def _prizes(self, stage: Stage) -> list[Prize]:
        """Rewards over the counter: the catalogue's, else the full card."""
        async with self._database.tenant(stage.ctx.tenant.id) as session:
            settings = await self._settings.get_all(session, stage.ctx.tenant, await program_id(session))
        found = settings["rewards"].model_dump()["rewards"] if "rewards" in settings else ()
        prizes = [
            Prize(row["unit"], row["cost"], f"rewards.catalogue/{row['key']}")
            for row in found
            if row["handing"] == "counter" and not row["stock"] and not row["segments"]
        ]
        target = settings["stamps"].model_dump()["target"]
        return sorted(prizes, key=lambda prize: prize.cost) or [Prize("stamps", target)]

    async def _key(self, stage: Stage) -> ApiKey | None:
        tenant = stage.ctx.tenant
        if not tenant.has("api_access"):
            return None
        async with self._database.tenant(tenant.id) as session:
            return ApiKey(label=tenant.name, key=await add_key(session, stage.ctx))


async def find_tenant(database: Database, config: Config, registry: PluginRegistry, slug: str) -> TenantSnapshot:
    """The tenant of a slug, as the web resolves it.

    Raises:
        click.ClickException: there is none.
    """
    raw = await fetch_snapshot(database, tenant_host(slug, config.base_domain))
    if raw is None:
        raise click.ClickException(f"There is no tenant {slug!r}. Run: regulars tenant apply tenants/")
    return SnapshotBuilder(registry, (feature.name for feature in FEATURES)).build(raw).snapshot


def _line(tenant: TenantSnapshot, counts: Counts) -> str:
    return (
        f"{tenant.name}: {counts.members} members, {counts.sales} sales, {counts.redeemed} rewards, "
        f"{counts.refused} refusals, {counts.undone} undone"
    )
