"""The wallets of a tenant, and what their providers may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from pydantic import BaseModel

from regulars.contracts.context import Context, TenantSnapshot
from regulars.contracts.wallets import WalletProvider, WalletReadiness, WalletUnavailable
from regulars.kernel.config import Config
from regulars.kernel.db.database import TenantSession
from regulars.kernel.hook_tokens import HookTokens, derived_key
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.plugins.units import NO_SETTINGS
from regulars.kernel.ratelimit import Pace, TooBusy
from regulars.kernel.settings import SettingsStore

OpenStep = Callable[[], AbstractAsyncContextManager[TenantSession]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a provider may use; see `contracts.wallets.WalletDesk`."""

    context: Context
    settings: BaseModel
    hook_url: str
    _plugin: str
    _encryption_key: str
    _open_step: OpenStep
    _pace: Pace

    def key(self, purpose: str) -> bytes:
        """32 bytes that only this installation knows, the same for ever, another for each tenant and purpose."""
        return derived_key(self._encryption_key, "wallet", self._plugin, str(self.context.tenant.id), purpose)

    def step(self) -> AbstractAsyncContextManager[TenantSession]:
        """A transaction of the tenant; commits at its end."""
        return self._open_step()

    async def turn(self, service: str, per_second: float) -> None:
        """Wait until the whole platform may make one more request to a service that counts them.

        Raises:
            WalletUnavailable: too many others wait.
        """
        try:
            await self._pace.turn(service, per_second)
        except TooBusy as error:
            raise WalletUnavailable(_("Many passes wait for their turn."), error.seconds) from error


@dataclass(frozen=True, slots=True)
class OfferedWallet:
    """A wallet of the tenant with what is known of it without asking anybody."""

    wallet: str
    plugin: str
    provider: WalletProvider
    readiness: WalletReadiness


class Wallets:
    """The wallets that there are.

    Args:
        registry: the plugins.
        settings: of all plugins.
        config: for addresses and keys.
        pace: of this process.
    """

    def __init__(self, registry: PluginRegistry, settings: SettingsStore, config: Config, pace: Pace) -> None:
        self._registry = registry
        self._settings = settings
        self._config = config
        self._pace = pace
        self._tokens = HookTokens(config.encryption_key)

    def of(self, tenant: TenantSnapshot) -> Mapping[str, tuple[str, WalletProvider]]:
        """Wallet → (plugin, provider) of the plugins that are in force."""
        return {
            wallet: (plugin, provider)
            for wallet, (plugin, provider) in self._registry.wallet_providers.items()
            if plugin in tenant.enabled
        }

    async def desk(self, session: TenantSession, ctx: Context, plugin: str, open_step: OpenStep) -> Desk:
        """The desk of a wallet's provider.

        Args:
            session: for the settings; it is not given away.
            ctx: whoever asks.
            plugin: whose provider.
            open_step: opens transactions of the tenant.
        """
        tenant, has_settings = ctx.tenant, self._registry.plugin(plugin).settings_model is not None
        settings = await self._settings.get(session, tenant, plugin, tenant.id) if has_settings else NO_SETTINGS
        path = f"/hooks/{plugin}/{self._tokens.of(plugin, tenant.id)}"
        return Desk(
            context=ctx,
            settings=settings,
            hook_url=self._config.url(self._config.base_domain, path),
            _plugin=plugin,
            _encryption_key=self._config.encryption_key,
            _open_step=open_step,
            _pace=self._pace,
        )

    async def offered(self, session: TenantSession, ctx: Context, open_step: OpenStep) -> Sequence[OfferedWallet]:
        """The tenant's wallets, in loading order, whether or not they are ready; asks no query when it is warm."""
        found = []
        for wallet, (plugin, provider) in self.of(ctx.tenant).items():
            desk = await self.desk(session, ctx, plugin, open_step)
            found.append(OfferedWallet(wallet, plugin, provider, await provider.readiness(desk)))
        return found
