"""Pytest plugin `regulars`: real PostgreSQL and Redis for the run, a fresh migrated database for each test.

Session: `servers`, `registry`, `template`. For each test: `database_urls`, `config`, `database`, `sql`, `clock`,
`ledger`, `make_world` with two tenants made by it (`cafe`, `pizza`), `make_till`, and `healthy`, which checks every
invariant. For the web: `web`, `visit`. For what follows: `run_jobs`, `events`, `mails`.

In the pytest configuration `regulars_plugins` names the plugins under test, which are loaded beside the bundled ones,
and `regulars_offering` an offering of `tenants/offerings.toml` that tenants get besides. Tests reach this machine only.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from asyncpg import Connection, connect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.invariants import breaches
from regulars.domain.ledger.process import make_ledger
from regulars.kernel.config import Config, load_config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.embedded import EmbeddedPostgres, EmbeddedRedis, Urls
from regulars.kernel.migrate import upgrade
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.discovery import discover
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.aftermath import Announced, Letter, announced, letters, make_run_jobs
from regulars.testing.clock import Clock
from regulars.testing.environment import environment
from regulars.testing.network import stay_here
from regulars.testing.offerings import offering_options
from regulars.testing.till import Till
from regulars.testing.world import World, make_tenant

pytest.register_assert_rewrite("regulars.testing.conformance")
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
DISK, MEMORY = "/tmp", "/dev/shm"  # noqa: S108 -- where folders of unknown names are made
ROOM = 2 * 1024**3
TEMPLATE = "regulars_template"
OFFERING = "everything"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the configuration."""
    parser.addini("regulars_plugins", "plugins under test, loaded beside the bundled ones", type="args", default=[])
    parser.addini(
        "regulars_offering", f"offering of the tests' tenants: {OFFERING}, or a bundled one", default=OFFERING
    )


def pytest_configure() -> None:
    """Plain tracebacks in log lines: the default ones, with every local variable, take seconds each."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    sys.addaudithook(stay_here)


def _place() -> str:
    """Memory where it has room: each test begins with a copy of a database, which is six hundred files."""
    return MEMORY if Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > ROOM else DISK


@dataclass(frozen=True)
class Servers:
    """The servers of one test process."""

    postgres: EmbeddedPostgres
    redis: EmbeddedRedis


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real PostgreSQL (without fsync: nobody pulls the plug) and Redis, for this test process alone."""
    with (
        tempfile.TemporaryDirectory(prefix="regulars-", dir=_place()) as folder,
        EmbeddedPostgres(Path(folder) / "data", settings=FAST) as postgres,
        EmbeddedRedis(Path(folder) / "data") as redis,
    ):
        yield Servers(postgres, redis)


@pytest.fixture(scope="session")
def registry(pytestconfig: pytest.Config) -> PluginRegistry:
    """The bundled plugins that are installed here, and those that `regulars_plugins` names."""
    tested = pytestconfig.getini("regulars_plugins")
    return load_plugins(allowed=[*(found.name for found in discover() if found.ours), *tested])


@pytest.fixture(scope="session")
def template(servers: Servers, registry: PluginRegistry) -> str:
    """A database with all migrations of host and plugins, made by running them once."""

    async def make() -> None:
        urls = await servers.postgres.create_database(TEMPLATE)
        await upgrade(urls.migrator, all_targets(registry))

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
async def database_urls(servers: Servers, template: str) -> AsyncIterator[Urls]:
    """Addresses of a fresh database for each role."""
    name = f"test_{new_id().hex}"
    yield await servers.postgres.create_database(name, template)
    await servers.postgres.drop_database(name)


@pytest.fixture
def config(database_urls: Urls, servers: Servers, registry: PluginRegistry, tmp_path: Path) -> Config:
    """The configuration of a test installation."""
    return load_config(environment(database_urls, servers.redis.url, tmp_path, sorted(registry.names)))


@pytest.fixture
async def database(config: Config) -> AsyncIterator[Database]:
    """The engines of a process."""
    opened = Database(config)
    yield opened
    await opened.close()


@pytest.fixture
def clock(config: Config) -> Clock:
    """Moves `core.now()`, so that no test sleeps."""
    return Clock(config.database_url_migrator)


@pytest.fixture
def make_world(
    config: Config, registry: PluginRegistry, pytestconfig: pytest.Config
) -> Callable[..., Awaitable[World]]:
    """A factory of tenants, each with shop, program, staff with PIN and a card; the tested plugins are in force."""
    offering = offering_options(
        pytestconfig.getini("regulars_offering"), pytestconfig.getini("regulars_plugins"), registry
    )

    async def make(slug: str, **options: Any) -> World:
        return await make_tenant(config, slug, **{**offering, **options})

    return make


@pytest.fixture
async def cafe(make_world: Callable[..., Awaitable[World]]) -> World:
    """One tenant."""
    return await make_world("cafe")


@pytest.fixture
async def pizza(make_world: Callable[..., Awaitable[World]]) -> World:
    """Another tenant."""
    return await make_world("pizza")


@pytest.fixture
def ledger(config: Config, registry: PluginRegistry) -> Ledger:
    """The engine as a process has it."""
    return make_ledger(config, registry)


@pytest.fixture
def make_till(database: Database, ledger: Ledger) -> Callable[[World], Till]:
    """A factory of tills."""
    return lambda world: Till(world, database, ledger)


@pytest.fixture
async def sql(database_urls: Urls) -> AsyncIterator[Connection]:
    """A connection of the migrator role, which sees every tenant's rows: for looking at results."""
    connection = await connect(database_urls.migrator.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest.fixture
def healthy(config: Config) -> Callable[[], Awaitable[None]]:
    """Asserts that every invariant of the ledger holds."""

    async def check() -> None:
        engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
        async with engine.connect() as connection:
            assert await breaches(connection) == []

    return check


@pytest.fixture
async def web(config: Config, registry: PluginRegistry) -> AsyncIterator[Any]:
    """The application behind the real web server: `web.at(host)` is a visitor, see `regulars.testing.web`."""
    from regulars.app import create_app  # most tests need no web
    from regulars.testing.web import serving

    async with serving(create_app(config, registry=registry)) as server:
        yield server


@pytest.fixture
def visit(web: Any, database: Database, registry: PluginRegistry) -> Callable[..., Awaitable[Any]]:
    """A factory of visitors who are signed in, in a role: owner, manager, staff or member."""
    from regulars.testing.principals import sign_in

    async def make(world: World, role: str) -> Any:
        cookie, token = await sign_in(database, registry, world, role)
        visitor = web.at(world.host)
        visitor.client.cookies.set(cookie, token)
        return visitor

    return make


@pytest.fixture
def run_jobs(
    config: Config, registry: PluginRegistry, database: Database
) -> Callable[..., Awaitable[list[tuple[str, str]]]]:
    """Hands on all events and runs all jobs, here and now; gives (job, outcome) in the order of running."""
    return make_run_jobs(config, registry, database)


@pytest.fixture
def events(sql: Connection) -> Callable[[], Awaitable[list[Announced]]]:
    """All events in the outbox, the oldest first."""
    return lambda: announced(sql)


@pytest.fixture
def mails(sql: Connection) -> Callable[[], Awaitable[list[Letter]]]:
    """All mails that were written, the oldest first; without a mail server they stay in the mailbox."""
    return lambda: letters(sql)
