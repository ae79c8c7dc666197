"""Tenants of these tests have the plugin; a stand-in on this machine is Google."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from regulars.cli.demo.google import StandIn
from regulars.cli.demo.google.server import ISSUER_ID
from regulars.contracts.context import Context
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.ratelimit import Pace
from regulars.kernel.redis import TenantRedis
from regulars.testing.offerings import offering_options
from regulars.testing.plugin import OFFERING, Servers
from regulars.testing.world import World, make_tenant
from regulars_google_wallet.settings import GoogleWalletSettings


@pytest.fixture
def make_world(config: Config, registry: PluginRegistry) -> Callable[..., Awaitable[World]]:
    """As the kit's, with Google Wallet."""
    offering = offering_options(OFFERING, ["google_wallet"], registry)

    async def make(slug: str, **options: Any) -> World:
        return await make_tenant(config, slug, **{**offering, **options})

    return make


@pytest.fixture
def google() -> Iterator[StandIn]:
    """Google, as far as these tests go."""
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def settings(google: StandIn) -> GoogleWalletSettings:
    """An issuer of the merchant's own, at the stand-in."""
    return GoogleWalletSettings(issuer_id=ISSUER_ID, service_account=google.account(), endpoint=google.url)


@dataclass(frozen=True)
class Desk:
    """What the host gives a provider."""

    context: Context
    settings: GoogleWalletSettings
    step: Callable[[], AbstractAsyncContextManager[Any]]
    turn: Callable[[str, float], Awaitable[None]]
    hook_url: str = "https://regulars.example/hooks/google_wallet/token"

    def key(self, purpose: str) -> bytes:
        return f"{purpose} {self.context.tenant.id}".encode()[:32].ljust(32, b".")


@pytest.fixture
async def make_desk(database: Database, settings: GoogleWalletSettings, servers: Servers) -> Any:
    """A factory of desks."""
    redis = TenantRedis(servers.redis.url)
    yield lambda world, own=settings: Desk(
        world.context(), own, partial(database.tenant, world.tenant.id), Pace(redis).turn
    )
    await redis.close()
