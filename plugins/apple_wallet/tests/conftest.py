"""Authorities and certificates of these tests, and tenants that have the plugin."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from regulars.cli.dev_certs import Authority, Certified, make_authority
from regulars.kernel.config import Config, load_config
from regulars.kernel.embedded import Urls
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.environment import environment
from regulars.testing.offerings import offering_options
from regulars.testing.plugin import OFFERING, Servers
from regulars.testing.push_service import PushServer, push_server
from regulars.testing.web import Browser
from regulars.testing.world import World, make_tenant
from regulars_apple_wallet.identity import Identity, read_identity
from regulars_apple_wallet.provider import AppleWallet


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority()


@pytest.fixture(scope="session")
def signer(authority: Authority) -> Certified:
    return authority.pass_certificate()


@pytest.fixture(scope="session")
def identity(authority: Authority, signer: Certified) -> Identity:
    return read_identity(signer.certificate_pem, signer.key_pem, authority.intermediate.certificate_pem, "")


@pytest.fixture
async def server(authority: Authority, registry: PluginRegistry, tmp_path: Path) -> AsyncIterator[PushServer]:
    """Stands in for Apple's push service."""
    async with push_server(authority, tmp_path) as running:
        yield running
        _plugin, provider = registry.wallet_providers["apple"]
        assert isinstance(provider, AppleWallet)
        await provider.close()


@pytest.fixture
def config(
    database_urls: Urls,
    servers: Servers,
    registry: PluginRegistry,
    tmp_path: Path,
    server: PushServer,
    authority: Authority,
    signer: Certified,
) -> Config:
    """An installation with https addresses and a certificate of its own."""
    files = {
        "LOYALTY_APPLE_CERT_PATH": signer.certificate_pem,
        "LOYALTY_APPLE_KEY_PATH": signer.key_pem,
        "LOYALTY_APPLE_WWDR_PATH": authority.intermediate.certificate_pem,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return load_config(
        {
            **environment(database_urls, servers.redis.url, tmp_path, sorted(registry.names)),
            **{name: str(tmp_path / name) for name in files},
            "REGULARS_SCHEME": "https",
            "REGULARS_APPLE_PUSH_SERVER": server.address,
            "REGULARS_APPLE_PUSH_AUTHORITY_PATH": server.authority_path,
        }
    )


@pytest.fixture
def make_world(config: Config, registry: PluginRegistry) -> Callable[..., Awaitable[World]]:
    """As the kit's, with Apple Wallet."""
    offering = offering_options(OFFERING, ["apple_wallet"], registry)

    staff = (("Olga", "owner", "1470"), ("Ben", "manager", "2580"), ("Anna", "staff", "4711"))

    async def make(slug: str, **options: Any) -> World:
        return await make_tenant(config, slug, **{**offering, "staff": staff, **options})

    return make


@pytest.fixture
def visit(visit: Callable[..., Awaitable[Browser]]) -> Callable[..., Awaitable[Browser]]:
    """As the kit's, by https: cookies have another name there."""

    async def make(world: World, role: str) -> Browser:
        person = await visit(world, role)
        cookies = person.client.cookies
        cookies.update({f"__Host-{name}": token for name, token in dict(cookies).items()})
        return person

    return make
