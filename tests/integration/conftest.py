"""The running application for tests of the web."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from asyncpg import Connection

from regulars.contracts.manifest import BlueprintRef, Plugin, SlotRef
from regulars.contracts.slots import Slot
from regulars.domain.ledger.process import make_ledger
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.discovery import Candidate, discover
from regulars.kernel.plugins.loader import load_candidates
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.web import Browser, WebServer, serving
from regulars.testing.world import HOST_FEATURES, World, make_tenant

sys.path.insert(0, str(Path(__file__).parent))

from coin_bank import Bank
from coin_plugin import COINS

PROBE = Plugin(
    name="probe",
    title="Probe",
    host=">=1,<2",
    hooks="probe_plugin:Hooks",
    blueprints=(
        BlueprintRef("portal", "probe_plugin:portal"),
        BlueprintRef("terminal", "probe_plugin:terminal"),
        BlueprintRef("manage", "probe_plugin:manage"),
        BlueprintRef("store_api", "probe_plugin:store_api"),
        BlueprintRef("storefront_api", "probe_plugin:storefront_api"),
    ),
    slots=(SlotRef(Slot.PROGRAM_PREVIEW, "probe_plugin:preview"),),
)
EVERYTHING = ("stamps", "antifraud", "rewards", "probe", "api_access", *HOST_FEATURES)


@pytest.fixture(scope="session")
def probed_registry() -> PluginRegistry:
    """The bundled plugins and one that has views in every area."""
    probe = Candidate("probe", package="", distribution="test-probe", version="0", load=lambda: PROBE)
    return load_candidates([*(found for found in discover() if found.ours), probe])


@pytest.fixture
async def web(config: Config, probed_registry: PluginRegistry) -> AsyncIterator[WebServer]:
    """The application behind the real web server."""
    from regulars.app import create_app  # other tests need no web

    async with serving(create_app(config, registry=probed_registry)) as server:
        yield server


@pytest.fixture
def till(web: WebServer) -> Callable[[World], Browser]:
    """A till that calls the store's API with the world's key."""
    return lambda world: web.at(world.host, authorization=f"Bearer {world.api_key}")


@pytest.fixture(scope="session")
def coin_registry() -> PluginRegistry:
    """The bundled plugins and one whose unit waits, expires and may be owed."""
    coins = Candidate("coins", package="", distribution="test-coins", version="0", load=lambda: COINS)
    return load_candidates([*(found for found in discover() if found.ours), coins])


@pytest.fixture
def open_bank(
    config: Config, database: Database, coin_registry: PluginRegistry, sql: Connection
) -> Callable[..., Awaitable[Bank]]:
    """Makes a tenant that gives coins: `open_bank("cafe", per_euro=10)`."""
    ledger = make_ledger(config, coin_registry)

    async def open_it(slug: str, **settings: Any) -> Bank:
        features = ("coins", "api_access", *HOST_FEATURES)
        world = await make_tenant(
            config, slug, offering="coined", features=features, plugins=("coins",), settings={"coins": settings}
        )
        return Bank(world, database, ledger, sql)

    return open_it
