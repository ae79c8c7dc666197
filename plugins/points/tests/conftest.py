"""Tenants of these tests have points and stamps in one program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.world import HOST_FEATURES, PLUGINS, World, make_tenant

FEATURES = (*PLUGINS, "points", "hybrid", *HOST_FEATURES, "api_access")


@pytest.fixture
def make_world(config: Config, registry: PluginRegistry) -> Callable[..., Awaitable[World]]:
    """A factory of tenants; their program gives both units unless it is told otherwise."""

    async def make(slug: str, **options: Any) -> World:
        given = {"offering": "pointed", "features": FEATURES, "plugins": registry.names, "kind": "hybrid", **options}
        return await make_tenant(config, slug, **given)

    return make
