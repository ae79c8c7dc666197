"""Hearing of changes: one connection of its own per process, which LISTENs and nothing else.

It must go to the server itself, not through a transaction pooler. While it is down nothing is kept in the cache.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import asyncpg
import structlog

from regulars.kernel.entitlements.cache import SnapshotCache
from regulars.kernel.observability.metrics import LISTENERS_DOWN

log = structlog.get_logger(__name__)

CHANNEL = "tenant_changed"
CONNECT_SECONDS = 5.0
PROBE = "SELECT 1"
PROBE_SECONDS = 10.0
RETRY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Waits between attempts to connect again; the last one repeats."""


class TenantListener:
    """Keeps the cache true.

    Args:
        database_url: address of the app role, `postgresql+asyncpg://…`.
        cache: told of every change.
        probe_seconds: of silence after which the connection is asked for a sign of life.
    """

    def __init__(self, database_url: str, cache: SnapshotCache, probe_seconds: float = PROBE_SECONDS) -> None:
        self._url = database_url.replace("+asyncpg", "", 1)
        self._cache = cache
        self._probe_seconds = probe_seconds
        self._task: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection | None = None
        self._up = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether changes are heard of now."""
        return self._up.is_set()

    @property
    def server_pid(self) -> int | None:
        """Process id of the connection's server process, `None` while it is down."""
        return self._connection.get_server_pid() if self._connection is not None and self.is_up else None

    def measure(self) -> None:
        """Write down whether it is up."""
        LISTENERS_DOWN.set(0 if self.is_up else 1)

    async def wait_until_up(self, seconds: float = CONNECT_SECONDS) -> None:
        """Wait for the connection.

        Raises:
            TimeoutError: it does not come about in time.
        """
        async with asyncio.timeout(seconds):
            await self._up.wait()

    def start(self) -> None:
        """Connect in the background, now and after every loss. Needs a running event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="tenant-listener")

    async def stop(self) -> None:
        """End the connection; the cache keeps nothing any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                await self._listen()
                attempt = 0
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("tenant_listener_down", error=f"{type(error).__name__}: {error}")
            except Exception:  # whatever it is, it must not end the listening silently and for good
                log.exception("tenant_listener_failed")
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _listen(self) -> None:
        """One life of the connection: from connecting until it is lost."""
        connection = await asyncpg.connect(
            self._url, timeout=CONNECT_SECONDS, server_settings={"application_name": "regulars-listener"}
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: self._on_loss(lost))
            await connection.add_listener(CHANNEL, self._on_notification)
            self._connection = connection
            self._cache.keep(True)
            self._up.set()
            log.info("tenant_listener_up", server_pid=connection.get_server_pid())
            await self._watch(connection, lost)
        finally:
            self._on_loss(lost)
            self._connection = None
            connection.terminate()

    async def _watch(self, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        """Return when the connection is lost; probe it, since a dead network says nothing."""
        while not lost.is_set():
            try:
                async with asyncio.timeout(self._probe_seconds):
                    await lost.wait()
            except TimeoutError:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.execute(PROBE)
        log.warning("tenant_listener_lost")

    def _on_loss(self, lost: asyncio.Event) -> None:
        if lost.is_set():  # asyncpg tells of an old connection's end when a new one may be up already
            return
        lost.set()
        self._up.clear()
        self._cache.keep(False)

    def _on_notification(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        self._cache.changed(str(payload))
