"""What follows from what was done: jobs, events in the outbox, mails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from json import loads
from typing import Any
from uuid import UUID

from asyncpg import Connection

from regulars.domain.awards.service import Awards
from regulars.domain.expiry.service import Expiry
from regulars.domain.jobs import make_job_registry
from regulars.domain.ledger.process import make_ledger
from regulars.domain.ledger.replays import Replays
from regulars.domain.messaging.office import PostOffice
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.programs.plugin_rules import PluginRules
from regulars.domain.redemptions.service import Redemptions
from regulars.domain.wallets.keeper import WalletKeeper, make_keeper
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.ratelimit import Pace
from regulars.kernel.redis import TenantRedis
from regulars.kernel.settings import SettingsStore
from regulars.testing.jobs import FreshSnapshots, run_pending
from regulars.web.rendering import make_post_office

EVENTS = "SELECT tenant_id, name, payload FROM core.outbox_event ORDER BY seq"
MAILS = "SELECT tenant_id, template, recipient, subject, text_body FROM core.mail ORDER BY created_at, id"


@dataclass(frozen=True)
class Announced:
    """An event in the outbox."""

    tenant_id: UUID
    name: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Letter:
    """A mail as it was written."""

    tenant_id: UUID
    template: str
    recipient: str
    subject: str
    text: str


def make_run_jobs(
    config: Config, registry: PluginRegistry, database: Database
) -> Callable[..., Awaitable[list[tuple[str, str]]]]:
    """Make what the fixture `run_jobs` gives: it hands on all events and runs all jobs as a worker would."""
    jobs, settings = make_job_registry(registry), SettingsStore(registry, config.setting_default, config.encryption_key)
    ledger = make_ledger(config, registry)
    services: dict[type[Any], Any] = {
        PostOffice: make_post_office(config, registry),
        PluginRules: PluginRules(ProgramCache(), settings),
        Awards: Awards(ledger),
        Redemptions: Redemptions(ledger),
        Expiry: Expiry(ledger, timedelta(days=config.expiry_notice_days)),
        Replays: Replays(registry, settings),
        SettingsStore: settings,
    }

    async def run(*, retries: bool = False) -> list[tuple[str, str]]:
        snapshots = FreshSnapshots(database, registry)
        redis = TenantRedis(config.redis_url)
        keeper = make_keeper(settings, ledger, config, Pace(redis))
        try:
            offered = {**services, WalletKeeper: keeper}
            outcomes = await run_pending(database, jobs, snapshots, services=offered, retries=retries)
        finally:
            await redis.close()
        return [(name, outcome.value) for name, outcome in outcomes]

    return run


async def announced(sql: Connection) -> list[Announced]:
    """All events, the oldest first."""
    return [Announced(row[0], row[1], loads(row[2])) for row in await sql.fetch(EVENTS)]


async def letters(sql: Connection) -> list[Letter]:
    """All mails, the oldest first."""
    return [Letter(*row) for row in await sql.fetch(MAILS)]
