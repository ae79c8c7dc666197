"""Pytest plugin `regulars`: real PostgreSQL and Redis for the run, a fresh migrated database for each test.

Session: `servers`, `registry`, `template`. For each test: `database_urls`, `config`, `database`, `sql`, `clock`,
`ledger`, `make_world` with two tenants made by it (`cafe`, `pizza`), `make_till`, and `healthy`, which checks every
invariant.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from asyncpg import Connection, connect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.invariants import breaches
from regulars.kernel.config import Config, load_config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.embedded import EmbeddedPostgres, EmbeddedRedis, Urls
from regulars.kernel.migrate import upgrade
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import Clock
from regulars.testing.environment import environment
from regulars.testing.till import Till, make_ledger
from regulars.testing.world import World, make_tenant

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
TEMPLATE = "regulars_template"


def pytest_configure() -> None:
    """Plain tracebacks in log lines: the default ones, with every local variable, take seconds each."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@dataclass(frozen=True)
class Servers:
    """The servers of one test process."""

    postgres: EmbeddedPostgres
    redis: EmbeddedRedis


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real PostgreSQL (without fsync: nobody pulls the plug) and Redis, for this test process alone."""
    with (
        tempfile.TemporaryDirectory(prefix="regulars-", dir="/tmp") as folder,
        EmbeddedPostgres(Path(folder) / "data", settings=FAST) as postgres,
        EmbeddedRedis(Path(folder) / "data") as redis,
    ):
        yield Servers(postgres, redis)


@pytest.fixture(scope="session")
def registry() -> PluginRegistry:
    """The plugins that are installed here."""
    return load_plugins()


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
def config(database_urls: Urls, servers: Servers, tmp_path: Path) -> Config:
    """The configuration of a test installation."""
    return load_config(environment(database_urls, servers.redis.url, tmp_path))


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
def make_world(config: Config) -> Callable[..., Awaitable[World]]:
    """A factory of tenants, each with shop, program, staff with PIN and a card."""

    async def make(slug: str, **options: object) -> World:
        return await make_tenant(config, slug, **options)  # type: ignore[arg-type]

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
