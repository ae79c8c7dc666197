"""One running installation with the merchants of `tenants/`, and people with real browsers who visit it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser

from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.browser import People, chromium
from regulars.testing.installation import installation
from regulars.testing.merchants import add_operator, open_merchants
from regulars.testing.plugin import FAST
from tests.e2e.steps import House
from tests.themes_under_test import install_fixture

AXE = Path(__file__).resolve().parents[2] / "platform" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


@asynccontextmanager
async def open_house(registry: PluginRegistry, packages: Path) -> AsyncIterator[House]:
    """Web server and worker, three merchants and an operator; a theme is installed beside the bundled ones.

    Args:
        registry: the plugins.
        packages: folder for the theme.
    """
    install_fixture(packages)
    async with installation(registry, variables={"PYTHONPATH": str(packages)}, postgres_settings=FAST) as running:
        await add_operator(running.config)
        yield House(running, await open_merchants(running.config, registry))


@pytest.fixture(scope="session")
async def house(registry: PluginRegistry, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """It lasts as long as the test process: other tests may come between those of this folder."""
    async with open_house(registry, tmp_path_factory.mktemp("packages")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all."""
    async with chromium() as started:
        yield started


@pytest.fixture
async def people(browser: Browser, house: House) -> AsyncIterator[People]:
    """Whoever visits in a test; what goes wrong on their pages fails it."""
    made = People(browser)
    yield made
    await made.leave()
    assert made.faults == [], said_by_the_server(house)


def said_by_the_server(house: House) -> str:
    """The last line of every exception in the server's log."""
    lines = house.running.web[0].log.read_text("utf-8").splitlines()
    faults = [json.loads(line) for line in lines if '"exception": ' in line]
    return "\n".join(f"{fault['request']}: {fault['exception'].splitlines()[-1]}" for fault in faults)


@pytest.fixture(scope="session")
def axe() -> str:
    """Source of axe-core."""
    return AXE.read_text("utf-8")
