"""`/healthz`: this process is alive. `/readyz`: and everything that it needs is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from quart import Response
from sqlalchemy import Connection

from regulars.contracts.errors import ConfigurationError, Unavailable
from regulars.kernel.config import Config
from regulars.kernel.db.clock import refuse_shifted_clock
from regulars.kernel.db.database import Database
from regulars.kernel.db.prepared import to_json
from regulars.kernel.migrate.runner import Target, status
from regulars.kernel.migrate.targets import all_targets
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.redis import TenantRedis
from regulars.web.hosts import HOST_KINDS
from regulars.web.request import RegularsApp, serving_app
from regulars.web.services import services

ALIVE, READY = "/healthz", "/readyz"
PATHS = frozenset({ALIVE, READY})
_DEADLINE = 5.0
OK = "ok"


class Examined(Protocol):
    """What is looked at."""

    @property
    def config(self) -> Config:
        """For what the installation is."""

    @property
    def database(self) -> Database:
        """Its database."""

    @property
    def redis(self) -> TenantRedis:
        """Its Redis."""

    @property
    def plugins(self) -> PluginRegistry:
        """Its plugins, the quarantined ones included."""


def register_health(app: RegularsApp) -> None:
    """Add the routes; they answer on every host, also on unknown ones."""
    for kind in HOST_KINDS:
        app.add_url_rule(ALIVE, "healthz", _healthz, subdomain=kind)
        app.add_url_rule(READY, "readyz", _readyz, subdomain=kind)


async def _healthz() -> Response:
    return answer({"status": OK}, 200)


async def _readyz() -> Response:
    if serving_app().stopping:
        return answer({"status": "stopping"}, 503)
    checks = await examine(services())
    ready = all(outcome == OK for outcome in checks.values())
    return answer({"status": OK if ready else "unavailable", "checks": checks}, 200 if ready else 503)


async def examine(parts: Examined) -> dict[str, str]:
    """Look at everything that this process needs.

    Returns:
        Name of each part → `ok`, or why it is not.
    """
    checks: dict[str, Callable[[], Awaitable[str]]] = {
        "database": lambda: _database(parts),
        "redis": lambda: _redis(parts),
        "migrations": lambda: _migrations(parts),
        "clock": lambda: _clock(parts),
    }
    outcomes = {name: await _within_deadline(check) for name, check in checks.items()}
    outcomes |= {f"plugin {plugin.name}": OK for plugin in parts.plugins.plugins}
    return outcomes | {f"plugin {fault.plugin}": fault.message for fault in parts.plugins.quarantined}


async def _within_deadline(check: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(_DEADLINE):
            return await check()
    except Unavailable:
        return "does not answer"
    except TimeoutError:
        return f"no answer within {_DEADLINE:.0f} s"


async def _database(parts: Examined) -> str:
    await parts.database.ping()
    return OK


async def _redis(parts: Examined) -> str:
    return OK if await parts.redis.answers() else "does not answer"


async def _migrations(parts: Examined) -> str:
    async with parts.database.app_connection() as connection:
        return await connection.run_sync(_outdated, all_targets(parts.plugins))


async def _clock(parts: Examined) -> str:
    try:
        async with parts.database.app_connection() as connection:
            await refuse_shifted_clock(connection, parts.config.env)
    except ConfigurationError as error:
        return error.detail
    return OK


def _outdated(connection: Connection, targets: list[Target]) -> str:
    behind = [found for target in targets if not (found := status(connection, target)).is_current]
    names = ", ".join(f"{found.target.name} is at {found.current or 'nothing'}, needs {found.head}" for found in behind)
    return f"{names}; run `regulars db upgrade`" if names else OK


def answer(content: dict[str, object], code: int) -> Response:
    """Health as JSON."""
    return Response(to_json(content), status=code, content_type="application/json")
