"""Tenants of these tests have the plugin, too."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from regulars.kernel.config import Config
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.offerings import offering_options
from regulars.testing.plugin import OFFERING
from regulars.testing.world import World, make_tenant


@pytest.fixture
def make_world(config: Config, registry: PluginRegistry) -> Callable[..., Awaitable[World]]:
    """As the kit's, with referrals."""
    offering = offering_options(OFFERING, ["referrals"], registry)

    async def make(slug: str, **options: Any) -> World:
        return await make_tenant(config, slug, **{**offering, **options})

    return make
