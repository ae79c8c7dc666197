"""What is examined: a configuration, and the ways to what it names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import time
from typing import Literal

import asyncpg

from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry

Role = Literal["app", "platform", "migrator"]
ROLES: tuple[Role, ...] = ("app", "platform", "migrator")
_CONNECT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Patient:
    """An installation as this machine sees it.

    Attributes:
        least_free: bytes that the disk should have free at least.
        now: this machine's clock, seconds since 1970.
    """

    config: Config
    plugins: PluginRegistry
    least_free: int = 1024**3
    now: Callable[[], float] = time

    @property
    def serious(self) -> bool:
        """Whether money is at stake: neither a demo nor a test."""
        return self.config.env == "production"

    def url(self, role: Role) -> str:
        """Address of the database as that role, as asyncpg writes it."""
        urls = {
            "app": self.config.database_url_app,
            "platform": self.config.database_url_platform,
            "migrator": self.config.database_url_migrator,
        }
        return urls[role].replace("+asyncpg", "", 1)

    @asynccontextmanager
    async def connection(self, role: Role) -> AsyncIterator[asyncpg.Connection]:
        """A connection of that role.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError: there is none.
        """
        connection = await asyncpg.connect(
            self.url(role),
            timeout=_CONNECT_SECONDS,
            command_timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "regulars-doctor"},
        )
        try:
            yield connection
        finally:
            connection.terminate()
