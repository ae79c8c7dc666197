"""The composition root of the worker: events are handed on, jobs run, clocks are watched."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from regulars.domain.awards.service import Awards
from regulars.domain.domains.desk import DomainDesk
from regulars.domain.expiry.service import Expiry
from regulars.domain.jobs import make_job_registry
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.replays import Replays
from regulars.domain.ledger.rulebook import RuleBook
from regulars.domain.messaging.office import PostOffice
from regulars.domain.programs.cache import ProgramCache
from regulars.domain.programs.plugin_rules import PluginRules
from regulars.domain.redemptions.service import Redemptions
from regulars.domain.refunds.service import Refunds
from regulars.domain.staff.pins import PinPolicy
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.fault_book import FaultBook
from regulars.domain.tenants.features import FEATURES
from regulars.domain.tenants.repository import fetch_snapshot, fetch_snapshot_by_id
from regulars.domain.wallets.keeper import WalletKeeper, make_keeper
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder, SnapshotCache, TenantListener
from regulars.kernel.events.relay import Relay
from regulars.kernel.jobs import JobRegistry
from regulars.kernel.jobs.arq_backend import ArqExecutor
from regulars.kernel.jobs.backlog import Backlog
from regulars.kernel.jobs.clockwork import Clockwork
from regulars.kernel.jobs.dispatcher import Dispatcher
from regulars.kernel.jobs.ports import Timing
from regulars.kernel.jobs.pump import Pump
from regulars.kernel.jobs.runner import JobRunner
from regulars.kernel.live import Announcer
from regulars.kernel.observability.watchdog import Watchdog
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.ratelimit import Pace
from regulars.kernel.redis import TenantRedis
from regulars.kernel.settings import SettingsStore
from regulars.web.rendering import make_post_office

log = structlog.get_logger(__name__)

APPLICATION_NAME = "regulars-worker"
"""What the list of connections of the database server calls a worker."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Worker:
    """The parts of one worker process; several may run at once.

    Attributes:
        runner: runs jobs here.
        executor: takes them from Redis.
        pump: puts them there.
    """

    database: Database
    redis: TenantRedis
    announcer: Announcer
    snapshots: SnapshotCache
    listener: TenantListener
    runner: JobRunner
    executor: ArqExecutor
    pump: Pump

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then let running jobs end, or give them back to the other workers.

        Args:
            stop: set by whoever wants the worker to end.
        """
        self.listener.start()
        self.announcer.start()
        watchdog = Watchdog(lambda: "worker", self._measure)
        watchdog.start()
        executing = asyncio.create_task(self.executor.serve(), name="executor")
        pumping = asyncio.create_task(self.pump.run(), name="pump")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        log.info("worker_started")
        try:
            ended, _ = await asyncio.wait({executing, pumping, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in ended - {stopping}:
                task.result()  # none of them ends by itself: this raises what ended it
        finally:
            log.info("worker_stops")
            await _cancel(stopping, pumping)
            await self.executor.pause()
            await self.runner.stop()
            await _cancel(executing)
            await watchdog.stop()
            await self._close()
            log.info("worker_stopped")

    def _measure(self) -> None:
        self.database.measure()
        self.snapshots.measure()
        self.listener.measure()

    async def _close(self) -> None:
        await self.listener.stop()
        await self.executor.close()
        await self.announcer.stop()
        await self.redis.close()
        await self.database.close()


def build_worker(
    config: Config,
    *,
    plugins: PluginRegistry | None = None,
    jobs: JobRegistry | None = None,
    timing: Timing | None = None,
) -> Worker:
    """Make the parts of a worker. It connects to nothing before it runs.

    Args:
        config: the configuration.
        plugins: loaded here when not given.
        jobs: what can run; by default everything that host and plugins declare.
        timing: how long things take.

    Raises:
        ConfigurationError, PluginLoadError: the installation is set up wrongly, one line per fault.
    """
    plugins = plugins or load_plugins(
        allowed=config.plugins, blocked=config.plugin_blocklist, policy=config.plugin_errors
    )
    jobs, timing = jobs or make_job_registry(plugins), timing or Timing()
    redis = TenantRedis(config.redis_url)
    announcer = Announcer(redis)
    database = Database(config, announcer.announce, APPLICATION_NAME)
    snapshots = SnapshotCache(
        partial(fetch_snapshot, database),
        partial(fetch_snapshot_by_id, database),
        SnapshotBuilder(plugins, (feature.name for feature in FEATURES)),
    )
    at_once = min(_AT_ONCE, config.pool_size)
    wanted = asyncio.Event()
    settings, programs = SettingsStore(plugins, config.setting_default, config.encryption_key), ProgramCache()
    policy = PinPolicy(config.pin_max_failed_attempts, timedelta(minutes=config.pin_lockout_minutes))
    ledger = Ledger(plugins, RuleBook(programs, settings), policy, config.pin_pepper.encode())
    runner = JobRunner(
        database,
        jobs,
        snapshots,
        services={
            PostOffice: make_post_office(config, plugins),
            DomainDesk: DomainDesk(config, database),
            PluginRules: PluginRules(programs, settings),
            Awards: Awards(ledger),
            Replays: Replays(plugins, settings),
            SettingsStore: settings,
            Redemptions: Redemptions(ledger),
            Refunds: Refunds(ledger),
            Expiry: Expiry(ledger, timedelta(days=config.expiry_notice_days)),
            Ledger: ledger,
            WalletKeeper: make_keeper(settings, ledger, config, Pace(redis)),
        },
        timing=timing,
        at_once=at_once,
        after_each=wanted.set,
        blame=FaultBook(database, Catalogue.of(plugins), plugins, snapshots.drop).note,
    )
    executor = ArqExecutor(config.redis_url, runner.run, at_once=at_once, timing=timing)
    dispatcher = Dispatcher(database, executor, timing)
    relay, clockwork = Relay(database, jobs, snapshots), Clockwork(database, jobs)
    pump = Pump(relay, clockwork, dispatcher, Backlog(database), timing, wanted)
    return Worker(
        database=database,
        redis=redis,
        announcer=announcer,
        snapshots=snapshots,
        listener=TenantListener(config.database_url_app, snapshots),
        runner=runner,
        executor=executor,
        pump=pump,
    )


def run(worker: Worker) -> None:
    """Run a worker in this process until SIGTERM or SIGINT.

    Args:
        worker: made by `build_worker`.
    """
    asyncio.run(_until_signal(worker))


async def _until_signal(worker: Worker) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await worker.run(stop)


async def _cancel(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
