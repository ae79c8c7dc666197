"""A whole installation in processes of its own: PostgreSQL, Redis, web servers and workers that tests can kill."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx
import psutil

from regulars.kernel.config import Config, load_config
from regulars.kernel.embedded import EmbeddedPostgres, EmbeddedRedis
from regulars.kernel.migrate import upgrade
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.environment import environment

READY_SECONDS = 120
DATABASE = "regulars_fault"


@dataclass
class Process:
    """A process of the installation that can be killed and started again.

    Attributes:
        module: what Python runs.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    module: str = "regulars.cli"
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.popen is None or self.popen.poll() is not None:
            with self.log.open("ab") as log:
                self.popen = subprocess.Popen(  # noqa: S603 -- our own command
                    [sys.executable, "-m", self.module, *self.arguments],
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def children(self) -> list[psutil.Process]:
        """Its processes, itself first."""
        if self.popen is None or self.popen.poll() is not None:
            return []
        parent = psutil.Process(self.popen.pid)
        return [parent, *parent.children(recursive=True)]

    def kill(self) -> None:
        """Kill it with all its children at once, as a machine's failure does."""
        for process in self.children():
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        if self.popen is not None:
            self.popen.wait()

    def stop(self) -> None:
        """End it politely, then by force."""
        if self.popen is None:
            return
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Installation:
    """Everything that runs.

    Attributes:
        web: web servers, each on a port of its own, over one database.
        admin: base address of the admin port, which the first web server has; empty without one.
    """

    config: Config
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    web: list[Process]
    worker: Process
    ports: list[int]
    folder: Path
    admin: str
    _asking: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    def address(self, server: int = 0) -> str:
        """Base address of a web server."""
        return f"http://127.0.0.1:{self.ports[server]}"

    async def until_ready(self, server: int = 0) -> None:
        """Wait until a web server says that everything it needs answers. One asks for all who wait.

        Raises:
            TimeoutError: it does not.
        """
        if server not in self._asking or self._asking[server].done():
            self._asking[server] = asyncio.create_task(self.until_answers(f"{self.address(server)}/readyz"))
        await asyncio.shield(self._asking[server])

    async def until_answers(self, address: str, host: str = "localhost") -> None:
        """Wait until an address answers with success.

        Args:
            address: whole URL.
            host: which host to ask for.

        Raises:
            TimeoutError: it does not.
        """
        async with httpx.AsyncClient(headers={"Host": host}) as client, asyncio.timeout(READY_SECONDS):
            while True:
                try:
                    if (await client.get(address)).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.02)


@asynccontextmanager
async def installation(
    registry: PluginRegistry,
    *,
    servers: int = 1,
    workers: int = 1,
    admin: bool = False,
    served: tuple[str, str] = ("regulars.cli", "web"),
    variables: Mapping[str, str] = MappingProxyType({}),
    postgres_settings: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Installation]:
    """Start an installation; everything is gone afterwards.

    Args:
        registry: the plugins, whose migrations are run.
        servers: web servers.
        workers: worker processes of each.
        admin: with metrics of all of them on an admin port.
        served: the module that each web server runs, and its argument.
        variables: further ones of the environment.
        postgres_settings: those of the database's server that go beyond or against the usual ones.
    """
    with tempfile.TemporaryDirectory(prefix="regulars-", dir="/tmp") as name:
        folder = Path(name)
        data = folder / "data"
        with EmbeddedPostgres(data, settings=postgres_settings) as postgres, EmbeddedRedis(data) as redis:
            urls = await postgres.create_database(DATABASE)
            await upgrade(urls.migrator, all_targets(registry))
            own = {**environment(urls, redis.url, folder), "REGULARS_WEB_WORKERS": str(workers), **variables}
            config = load_config(own)
            ports = [free_port() for _ in range(servers)]
            base = {**os.environ, **own}
            module, argument = served
            web = [
                Process((argument,), {**base, "REGULARS_PORT": str(port)}, folder / f"web-{port}.log", module)
                for port in ports
            ]
            told = {"REGULARS_METRICS_DIR": str(folder / "metrics")} if admin else {}
            admin_port = free_port() if admin else 0
            base |= told
            web[0].environment |= {**told, "REGULARS_ADMIN_PORT": str(admin_port)}
            links = {"REGULARS_PUBLIC_PORT": str(ports[0])}
            worker = Process(("worker",), {**base, **links}, folder / "worker.log")
            running = Installation(
                config, postgres, redis, web, worker, ports, folder, f"http://127.0.0.1:{admin_port}"
            )
            for process in (*web, worker):
                process.start()
            try:
                for server in range(servers):
                    await running.until_ready(server)
                if admin:
                    await running.until_answers(f"{running.admin}/readyz")
                yield running
            finally:
                for process in (*web, worker):
                    process.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
