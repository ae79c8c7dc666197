"""The frozen registry: every plugin that runs here, and what each look-up needs, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from regulars.contracts.manifest import BlueprintRef, Limit, NavEntry, Permission
from regulars.contracts.providers import RewardProvider, SegmentProvider, UnitProvider
from regulars.contracts.slots import Slot
from regulars.contracts.wallets import WalletProvider
from regulars.kernel.plugins.faults import Fault
from regulars.kernel.plugins.hooks import HookTable
from regulars.kernel.plugins.parts import LoadedEvent, LoadedPlugin, LoadedSlot, LoadedWrite
from regulars.kernel.plugins.units import Units

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, eq=False)
class PluginRegistry:
    """Everything that the loaded plugins bring.

    Attributes:
        plugins: in loading order.
        hooks: the dispatcher's tables; `hooks.ledger(hook, enabled)`.
        unit_providers: unit → (plugin, provider); also finds members of families by their names.
        unit_by_path: API path → (plugin, provider).
        reward_providers: reward kind → (plugin, provider).
        segment_providers: (plugin, provider), in loading order.
        wallet_providers: wallet → (plugin, provider), in loading order.
        permissions, features, limits: full name → what the manifest declares; a feature's value is its title.
        events: full name → event.
        subscriptions: full event name → full names of the jobs that run for it, in loading order.
        slots: slot → renderers, by order, then plugin.
        nav: (plugin, entry), by order, then plugin.
        blueprints: (plugin, reference), in loading order; the web layer resolves them.
        writes: (plugin, name) → write statement.
        aliases: code of the brief → our full name.
        quarantined: faults of the plugins that were left out.
    """

    plugins: tuple[LoadedPlugin, ...]
    hooks: HookTable
    unit_providers: Units
    unit_by_path: Mapping[str, tuple[str, UnitProvider]]
    reward_providers: Mapping[str, tuple[str, RewardProvider]]
    segment_providers: tuple[tuple[str, SegmentProvider], ...]
    wallet_providers: Mapping[str, tuple[str, WalletProvider]]
    permissions: Mapping[str, Permission]
    features: Mapping[str, str]
    limits: Mapping[str, Limit]
    events: Mapping[str, LoadedEvent]
    subscriptions: Mapping[str, tuple[str, ...]]
    slots: Mapping[Slot, tuple[LoadedSlot, ...]]
    nav: tuple[tuple[str, NavEntry], ...]
    blueprints: tuple[tuple[str, BlueprintRef], ...]
    writes: Mapping[tuple[str, str], LoadedWrite]
    aliases: Mapping[str, str]
    quarantined: tuple[Fault, ...] = ()
    by_name: Mapping[str, LoadedPlugin] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Names of the loaded plugins."""
        return frozenset(self.by_name)

    @property
    def requires(self) -> Mapping[str, tuple[str, ...]]:
        """Plugin → plugins that it requires."""
        return {plugin.name: plugin.manifest.requires for plugin in self.plugins}

    def plugin(self, name: str) -> LoadedPlugin:
        """The plugin of that name.

        Raises:
            KeyError: it is not loaded.
        """
        return self.by_name[name]


def freeze(plugins: Sequence[LoadedPlugin], quarantined: Sequence[Fault] = ()) -> PluginRegistry:
    """Make the registry of plugins that have passed every check.

    Args:
        plugins: in loading order.
        quarantined: why others were left out.
    """
    named = [(plugin.name, plugin) for plugin in plugins]
    units = [(name, provider) for name, plugin in named for provider in plugin.units]
    return PluginRegistry(
        plugins=tuple(plugins),
        hooks=HookTable({name: plugin.hooks for name, plugin in named if plugin.hooks is not None}),
        unit_providers=Units({provider.unit: (name, provider) for name, provider in units}),
        unit_by_path=_fixed({provider.path: (name, provider) for name, provider in units}),
        reward_providers=_fixed({one.kind: (name, one) for name, plugin in named for one in plugin.rewards}),
        segment_providers=tuple((name, one) for name, plugin in named for one in plugin.segments),
        wallet_providers=_fixed({one.wallet: (name, one) for name, plugin in named for one in plugin.wallets}),
        permissions=_fixed({f"{one.name}.{it.name}": it for one in plugins for it in one.manifest.permissions}),
        features=_fixed(_features(plugins)),
        limits=_fixed({f"{one.name}.{it.name}": it for one in plugins for it in one.manifest.limits}),
        events=_fixed({event.name: event for plugin in plugins for event in plugin.events}),
        subscriptions=_fixed(_subscriptions(plugins)),
        slots=_fixed(_slots(plugins)),
        nav=tuple(
            sorted(
                ((name, entry) for name, plugin in named for entry in plugin.manifest.nav),
                key=lambda item: (item[1].order, item[0]),
            )
        ),
        blueprints=tuple((name, ref) for name, plugin in named for ref in plugin.manifest.blueprints),
        writes=_fixed({(name, key): write for name, plugin in named for key, write in plugin.writes.items()}),
        aliases=_fixed({alias: full for plugin in plugins for alias, full in plugin.aliases.items()}),
        quarantined=tuple(quarantined),
        by_name=_fixed(dict(named)),
    )


_Key = TypeVar("_Key")


def _fixed(values: dict[_Key, _Value]) -> Mapping[_Key, _Value]:
    return MappingProxyType(values)


def _features(plugins: Sequence[LoadedPlugin]) -> dict[str, str]:
    """Every flag that an offering can name: the plugins themselves and the flags below them."""
    features = {}
    for plugin in plugins:
        features[plugin.name] = plugin.manifest.title
        features |= {f"{plugin.name}.{feature.name}": feature.title for feature in plugin.manifest.features}
    return features


def _subscriptions(plugins: Sequence[LoadedPlugin]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for plugin in plugins:
        for subscription in plugin.manifest.subscriptions:
            job = f"{plugin.name}.{subscription.job}"
            found[subscription.event] = (*found.get(subscription.event, ()), job)
    return found


def _slots(plugins: Sequence[LoadedPlugin]) -> dict[Slot, tuple[LoadedSlot, ...]]:
    renderers = [renderer for plugin in plugins for renderer in plugin.slots]
    ordered = sorted(renderers, key=lambda renderer: (renderer.order, renderer.plugin))
    return {slot: tuple(found for found in ordered if found.slot is slot) for slot in Slot}
