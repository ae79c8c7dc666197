"""A real PostgreSQL server of our own: the programs of a wheel, a data folder, a port of the loopback interface."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
import psutil

from regulars.kernel.embedded import cluster, queries
from regulars.kernel.embedded.account import Account, server_account
from regulars.kernel.embedded.binaries import postgres_programs
from regulars.kernel.embedded.errors import EmbeddedError
from regulars.kernel.embedded.folder import FolderLock, prepare_folder
from regulars.kernel.embedded.logs import open_log, tail
from regulars.kernel.embedded.ports import free_port, is_free
from regulars.kernel.embedded.process import spawn, stop
from regulars.kernel.embedded.secrets import Secrets, load_secrets
from regulars.kernel.embedded.urls import Urls, urls_for

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # After a crash one call for the file system instead of one for each of thousands of files: 0.6 s instead of 6 s.
    "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
}
_START_SECONDS = 60.0


class EmbeddedPostgres:
    """One server. `start` and `stop` may be called again and again; the port stays.

    Args:
        data: data folder of the installation; the server's own files lie in `postgres/` below it.
        port: port on 127.0.0.1; a free one by default.
        settings: server settings that go beyond or against ours.
    """

    def __init__(self, data: Path, port: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.data = data.absolute()
        self._port = port
        self._settings = _SETTINGS | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._secrets: Secrets | None = None
        self._lock = FolderLock(self.data / "postgres.lock", f"The database in {self.data}")

    @property
    def folder(self) -> Path:
        """Where the server keeps its files."""
        return self.data / "postgres"

    @property
    def log(self) -> Path:
        """Where the server writes its log."""
        return self.data / "log" / "postgres.log"

    @property
    def port(self) -> int:
        """Port of the server.

        Raises:
            EmbeddedError: it was never started and no port was given.
        """
        if self._port is None:
            raise EmbeddedError("The embedded PostgreSQL was not started.")
        return self._port

    @property
    def pid(self) -> int | None:
        """Process id of the running server, else None."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def urls(self) -> Urls:
        """Addresses of the database `regulars`."""
        return self.urls_of(queries.DATABASE)

    def urls_of(self, database: str) -> Urls:
        """Give the addresses of `database` for each role.

        Raises:
            EmbeddedError: the server was never started.
        """
        if self._secrets is None:
            raise EmbeddedError("The embedded PostgreSQL was not started.")
        return urls_for(f"127.0.0.1:{self.port}", database, self._secrets)

    def start(self) -> None:
        """Start the server and return when it answers; the first start makes its files.

        What a killed start or a killed server has left behind is tidied up before.

        Raises:
            EmbeddedError: with a sentence that says what to do.
        """
        if self.running:
            return
        prepare_folder(self.data)
        self._lock.acquire()
        try:
            self._secrets = load_secrets(self.data)
            account = server_account(self.folder)
            programs = postgres_programs(account)
            cluster.tidy(self.folder)
            if not self.folder.exists():
                cluster.make(self.folder, programs, account, self._secrets)
            cluster.check(self.folder)
            self._launch(programs, account)
        except BaseException:
            self.stop()
            raise

    def _launch(self, programs: Path, account: Account | None) -> None:
        """Start the process; a free port that was taken in the meantime is replaced, a given one is not."""
        tries = 1 if self._port is not None else 5
        for attempt in range(1, tries + 1):
            port = self._port if self._port is not None else free_port()
            if self._port is not None and not is_free(port):
                raise EmbeddedError(f"Port {port}, meant for PostgreSQL, is in use: stop what uses it.")
            settings = self._settings | {"port": str(port)}
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            with open_log(self.log) as output:
                begin = output.tell()
                self._process = spawn(
                    [programs / "postgres", "-D", cluster.own_path(self.folder, account), *options],
                    cwd=self.folder,
                    output=output,
                    account=account,
                    death_signal=signal.SIGINT,
                )
            if self._wait_until_ready(self._process):
                self._port = port
                return
            said = tail(self.log, begin)
            if attempt == tries or "could not bind" not in said:
                raise EmbeddedError(f"PostgreSQL did not start; its log {self.log} ends with:\n{said}")

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait for the state that the server writes into its pid file (as `pg_ctl` does); False when it ended."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                return False
            if cluster.is_ready(self.folder, process.pid):
                return True
            time.sleep(0.02)
        stop(process, [(signal.SIGQUIT, 5)])
        return False

    def stop(self) -> None:
        """End the server: connections are closed, everything is written, the folder is free again."""
        process, self._process = self._process, None
        if process is not None:
            stop(process, [(signal.SIGINT, 30), (signal.SIGQUIT, 5)])
        self._lock.release()

    def kill(self) -> None:
        """Kill the server with all its processes as a power cut would; `start` recovers it on the same port."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                for member in family:
                    cluster.signal_to(member, signal.SIGKILL)
                cluster.wait_until_ended(family, 10)
            process.wait()
        self._lock.release()

    async def create_database(self, name: str, template: str | None = None) -> Urls:
        """Make a database that the migrator owns (for tests).

        Args:
            name: lower-case name.
            template: database to copy; nobody may be connected to it.

        Returns:
            Its addresses.
        """
        await self._execute([queries.create_database(name, template), *queries.open_database(name)])
        return self.urls_of(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database, with its connections (for tests)."""
        await self._execute([queries.drop_database(name)])

    async def _execute(self, statements: list[str]) -> None:
        address = self.urls_of("postgres").superuser.replace("+asyncpg", "", 1)
        connection = await asyncpg.connect(address)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
