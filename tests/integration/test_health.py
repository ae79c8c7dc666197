"""/healthz and /readyz: on every host, each part named."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from regulars.app import create_app
from regulars.kernel.config import Config
from regulars.kernel.plugins.discovery import discover
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import WebServer, serving
from regulars.testing.world import World

HOSTS = ("localhost", "127.0.0.1", "console.localhost", "cafe.localhost", "nobody.localhost", "example.org", "", "a b")


def bundled() -> list[str]:
    """Every plugin of ours that is installed here."""
    return [found.name for found in discover() if found.ours]


async def test_alive_on_every_host(web: WebServer, cafe: World) -> None:
    for host in HOSTS:
        response = await web.at(host).get("/healthz")
        assert (response.status_code, response.json()) == (200, {"status": "ok"}), host


async def test_ready_names_every_part(web: WebServer, cafe: World) -> None:
    for host in ("localhost", "nobody.localhost", cafe.host):
        response = await web.at(host).get("/readyz")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "checks": {
                "database": "ok",
                "redis": "ok",
                "migrations": "ok",
                "clock": "ok",
                **{f"plugin {name}": "ok" for name in (*bundled(), "probe")},
            },
        }


async def test_not_ready_without_redis(config: Config, registry: PluginRegistry) -> None:
    changed = config.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    async with serving(create_app(changed, registry=registry)) as server:
        response = await server.at("localhost").get("/readyz")
        assert (response.status_code, response.json()["checks"]["redis"]) == (503, "does not answer")
        assert (await server.at("localhost").get("/healthz")).status_code == 200


async def test_not_ready_without_database(config: Config, registry: PluginRegistry) -> None:
    nowhere = {
        name: "postgresql+asyncpg://regulars_app:x@127.0.0.1:1/none".replace("regulars_app", role)
        for name, role in (("database_url_app", "regulars_app"), ("database_url_platform", "regulars_platform"))
    }
    async with serving(create_app(config.model_copy(update=nowhere), registry=registry)) as server:
        response = await server.at("localhost").get("/readyz")
        checks = response.json()["checks"]
        assert (response.status_code, checks["database"], checks["migrations"]) == (
            503,
            "does not answer",
            "does not answer",
        )
        page = await server.at("cafe.localhost").get("/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "1")


async def test_not_ready_behind_in_migrations(web: WebServer, config: Config) -> None:
    engine = create_async_engine(config.database_url_migrator, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE core.alembic_version SET version_num = '0000'"))
    response = await web.at("localhost").get("/readyz")
    checks = response.json()["checks"]
    assert response.status_code == 503
    assert checks["migrations"].startswith("host is at 0000, needs 00")
    assert checks["database"] == "ok"


async def test_production_refuses_a_shifted_clock(config: Config, registry: PluginRegistry, clock: object) -> None:
    await clock.advance(days=1)  # type: ignore[attr-defined]
    production = config.model_copy(update={"env": "production"})
    app = create_app(production, registry=registry)
    with pytest.raises(Exception, match="clock is shifted"):
        await app.startup()
    await app.shutdown()
