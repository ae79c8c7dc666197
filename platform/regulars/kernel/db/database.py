"""Engines and sessions. A session is one transaction of one role.

`Database.tenant()` is the only way to a tenant's rows: its first statement binds the transaction to the tenant
(transaction-locally) and checks that the pooled connection carried no tenant before. `Database.platform()` uses another
role and wants a reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import structlog
from sqlalchemy import CursorResult, Executable, Row, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from regulars.contracts.errors import ConfigurationError, Unavailable
from regulars.kernel.db.guard import check, watch
from regulars.kernel.db.outages import DRIVER_ERRORS, is_outage
from regulars.kernel.db.prepared import Prepared, prepare
from regulars.kernel.db.tally import count
from regulars.kernel.observability import metrics

log = structlog.get_logger(__name__)

ENTER_TENANT = prepare(text("SELECT * FROM core.enter_tenant(:tenant_id, :session_hash, :key_hash)"))
_tenant_here: ContextVar[UUID | None] = ContextVar("tenant_here", default=None)
"""The tenant whose session is open in this task: work for one tenant never looks at another one's rows."""
SIGN_OF_LIFE = text("SELECT 1")
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 4_000
IDLE_TIMEOUT_MS = 15_000


class DatabaseSettings(Protocol):
    """What the database needs of the configuration."""

    @property
    def database_url_app(self) -> str:
        """Address as the role that is bound to one tenant."""

    @property
    def database_url_platform(self) -> str:
        """Address as the role that sees all tenants."""

    @property
    def pool_size(self) -> int:
        """Connections per role."""

    @property
    def pool_timeout(self) -> float:
        """Seconds to wait for a connection."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the caller brought: SHA-256 of the session cookie's token or of the API key."""

    session_hash: bytes | None = None
    key_hash: bytes | None = None


Increment = Callable[[], None]


class Session:
    """One open transaction. Services get it, use it and never end it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run a statement.

        Args:
            statement: a Core statement.
            parameters: values of its bind parameters, or a list of them for many rows.
        """
        begin = perf_counter()
        try:
            return await self._connection.execute(statement, parameters)
        finally:
            count(perf_counter() - begin)

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of a query."""
        return (await self.execute(statement, parameters)).all()

    async def one_or_none(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The single row of a query, `None` when there is none.

        Raises:
            sqlalchemy.exc.MultipleResultsFound: when there are more.
        """
        return (await self.execute(statement, parameters)).one_or_none()

    async def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, `None` when there is no row."""
        return (await self.execute(statement, parameters)).scalar()


class TenantSession(Session):
    """A transaction bound to one tenant; the only session that plugins see.

    Attributes:
        tenant_id: whose rows it sees.
        principal: the row of `core.enter_tenant`: who the credentials belong to, all null for nobody.
        topics: what has been announced.
        counted: what is to be counted once it is committed.
    """

    def __init__(self, connection: AsyncConnection, tenant_id: UUID, principal: Row[Any]) -> None:
        super().__init__(connection)
        self.tenant_id = tenant_id
        self.principal = principal
        self.topics: set[str] = set()
        self.counted: list[Increment] = []
        assert connection.sync_connection is not None
        self._driver: asyncpg.Connection = connection.sync_connection.connection.driver_connection

    def announce(self, *topics: str) -> None:
        """Tell open pages that something they show has changed, once this transaction is committed.

        It costs nothing and may be lost: what must happen is written to the outbox instead.

        Args:
            topics: what has changed; names without personal data.
        """
        self.topics.update(topics)

    def count_later(self, increment: Increment) -> None:
        """Count something that this transaction did, once it is committed: what was rolled back did not happen.

        Args:
            increment: of a metric; it neither waits nor raises.
        """
        self.counted.append(increment)

    @asynccontextmanager
    async def all_or_nothing(self) -> AsyncIterator[None]:
        """Keep all that is written inside, or nothing of it: an exception takes it back, the transaction goes on."""
        topics, counted = set(self.topics), len(self.counted)
        await self._driver.execute("SAVEPOINT all_or_nothing")
        try:
            yield
        except Exception:  # whoever raises knows what to do next
            await self._driver.execute("ROLLBACK TO SAVEPOINT all_or_nothing")
            self.topics = topics
            del self.counted[counted:]
            raise
        await self._driver.execute("RELEASE SAVEPOINT all_or_nothing")

    async def run(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a prepared statement on the driver itself: the hot path, without SQLAlchemy's work for each statement.

        Args:
            prepared: compiled at start.
            parameters: values by name.

        Returns:
            The rows, by name of their columns.

        Raises:
            DRIVER_ERRORS: it cannot be run; the transaction is rolled back by whoever opened it.
            ForbiddenStatement: it does not work on rows only.
        """
        check(prepared.sql)
        begin = perf_counter()
        try:
            rows: Sequence[Mapping[str, Any]] = await self._driver.fetch(prepared.sql, *prepared.arguments(parameters))
        finally:
            count(perf_counter() - begin)
        return rows


class PlatformSession(Session):
    """A transaction of the platform role, which sees all tenants; opened with a reason."""

    def __init__(self, connection: AsyncConnection, reason: str) -> None:
        super().__init__(connection)
        self.reason = reason


Announce = Callable[[UUID, AbstractSet[str]], None]


class Database:
    """The engines of one process.

    Args:
        settings: addresses for the app and the platform role, pool size and the seconds to wait for a connection.
        announce: told after each commit what the transaction has announced; it neither waits nor raises.
        application_name: what the server's list of connections calls this process.
    """

    def __init__(
        self, settings: DatabaseSettings, announce: Announce | None = None, application_name: str = "regulars"
    ) -> None:
        self._app = _Pool("app", settings.database_url_app, settings, application_name)
        watch(self._app.engine)
        self._platform = _Pool("platform", settings.database_url_platform, settings, application_name)
        self._announce = announce

    @asynccontextmanager
    async def tenant(
        self, tenant_id: UUID, credentials: Credentials | None = None, *, read_only: bool = False
    ) -> AsyncIterator[TenantSession]:
        """A transaction bound to a tenant; commits at the end, rolls back on an exception.

        Args:
            tenant_id: the tenant; there is no session without one.
            credentials: resolved to a principal in the same first statement.
            read_only: refuse writes (GET requests, slots).

        Raises:
            Unavailable: when the database cannot be reached or the pool is exhausted.
            ConfigurationError: this task has a session of another tenant open.
        """
        if not isinstance(tenant_id, UUID):
            raise ConfigurationError("a tenant session needs a tenant")
        before = _tenant_here.get()
        if before not in {None, tenant_id}:
            raise ConfigurationError("a session of another tenant is open here")
        _tenant_here.set(tenant_id)
        try:
            async with self._bound(tenant_id, credentials or Credentials(), read_only=read_only) as session:
                yield session
        finally:
            _tenant_here.set(before)

    @asynccontextmanager
    async def _bound(self, tenant_id: UUID, given: Credentials, *, read_only: bool) -> AsyncIterator[TenantSession]:
        async with _transaction(self._app, read_only=read_only) as connection:
            session = await enter(connection, tenant_id, given)
            yield session
        for increment in session.counted:
            increment()
        if session.topics and self._announce is not None:
            self._announce(tenant_id, session.topics)

    @asynccontextmanager
    async def platform(self, reason: str, *, read_only: bool = False) -> AsyncIterator[PlatformSession]:
        """A transaction of the platform role.

        Args:
            reason: why all tenants must be in sight; goes to the log, and for people to the platform's audit.
            read_only: refuse writes (GET requests).

        Raises:
            Unavailable: when the database cannot be reached or the pool is exhausted.
        """
        async with _transaction(self._platform, read_only=read_only) as connection:
            yield PlatformSession(connection, reason)

    @asynccontextmanager
    async def app_connection(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of the app role without a tenant: only for `core.resolve_host` and health checks."""
        async with _transaction(self._app) as connection:
            yield connection

    async def ping(self) -> None:
        """Ask for a sign of life as both roles.

        Raises:
            Unavailable: there is none.
        """
        for pool in (self._app, self._platform):
            async with _transaction(pool) as connection:
                await connection.execute(SIGN_OF_LIFE)

    def measure(self) -> None:
        """Write down how many connections there are, how many are in use, and how many wait for one."""
        for pool in (self._app, self._platform):
            pool.measure()

    async def close(self) -> None:
        """Close all connections."""
        await self._app.engine.dispose()
        await self._platform.engine.dispose()


class _Pool:
    """The connections of one role."""

    def __init__(self, role: str, url: str, settings: DatabaseSettings, application_name: str) -> None:
        self.engine = _engine(url, settings, application_name)
        self.waiting = 0
        self._size = settings.pool_size
        self._role = role
        self._wait_seconds = metrics.DB_WAIT_SECONDS.labels(role)

    def granted(self, begin: float) -> None:
        """Count a connection that was waited for.

        Args:
            begin: `perf_counter` before the wait.
        """
        self.waiting -= 1
        self._wait_seconds.observe(perf_counter() - begin)

    def failed(self, reason: str) -> None:
        """Count a transaction that could not be."""
        metrics.DB_OUTAGES.labels(self._role, reason).inc()

    def measure(self) -> None:
        """Write down the state."""
        metrics.DB_SIZE.labels(self._role).set(self._size)
        assert isinstance(self.engine.pool, QueuePool)
        metrics.DB_IN_USE.labels(self._role).set(self.engine.pool.checkedout())
        metrics.DB_WAITING.labels(self._role).set(self.waiting)


async def enter(connection: AsyncConnection, tenant_id: UUID, credentials: Credentials) -> TenantSession:
    """Bind a transaction to a tenant by its first statement.

    Args:
        connection: in a transaction that has sent nothing yet.
        tenant_id: the tenant.
        credentials: resolved to a principal.
    """
    values = {"tenant_id": tenant_id, "session_hash": credentials.session_hash, "key_hash": credentials.key_hash}
    result = await connection.exec_driver_sql(ENTER_TENANT.sql, ENTER_TENANT.arguments(values))
    return TenantSession(connection, tenant_id, result.one())


@asynccontextmanager
async def _transaction(pool: _Pool, *, read_only: bool = False) -> AsyncIterator[AsyncConnection]:
    begin, granted = perf_counter(), False
    pool.waiting += 1
    try:
        async with pool.engine.connect() as connection:
            pool.granted(begin)
            granted = True
            if read_only:
                await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                yield connection
    except PoolTimeoutError as error:
        pool.failed("pool")
        raise Unavailable(retry_after=1) from error
    except (OperationalError, InterfaceError, DBAPIError) as error:
        if is_outage(error):
            pool.failed("interrupted")
            log.warning("database_unavailable", error=str(error.orig))
            raise Unavailable(retry_after=1) from error
        raise
    except DRIVER_ERRORS as error:
        if is_outage(error):
            pool.failed("interrupted")
            log.warning("database_unavailable", error=str(error))
            raise Unavailable(retry_after=1) from error
        raise
    except OSError as error:
        pool.failed("unreachable")
        log.warning("database_unreachable", error=str(error))
        raise Unavailable(retry_after=1) from error
    finally:
        if not granted:
            pool.waiting -= 1


def _engine(url: str, settings: DatabaseSettings, application_name: str) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=0,
        hide_parameters=True,  # they hold tenants' data, which must not get into logs by way of an exception
        pool_timeout=settings.pool_timeout,
        json_deserializer=orjson.loads,
        connect_args={
            "max_cacheable_statement_size": 0,  # no bound: the sale's write statement grows with plugins
            "timeout": 5,
            "command_timeout": 10,
            "server_settings": {
                "application_name": application_name,
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
                "jit": "off",
            },
        },
    )
