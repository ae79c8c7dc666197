"""From installed distributions to the frozen registry. All faults are collected and told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import structlog

from regulars.contracts.events import EVENT_TYPES
from regulars.contracts.manifest import Plugin
from regulars.kernel.plugins.discovery import Candidate, discover, select
from regulars.kernel.plugins.faults import Fault, load_error
from regulars.kernel.plugins.manifests import manifest_faults
from regulars.kernel.plugins.namespace import namespace_faults
from regulars.kernel.plugins.order import sort_plugins
from regulars.kernel.plugins.parts import LoadedPlugin, load_parts
from regulars.kernel.plugins.registry import PluginRegistry, freeze

log = structlog.get_logger(__name__)
Policy = Literal["fail", "quarantine"]


def load_plugins(
    *, allowed: Sequence[str] | None = None, blocked: Sequence[str] = (), policy: Policy = "fail"
) -> PluginRegistry:
    """Load the installed plugins.

    Args:
        allowed: names to load, `None` for all that are installed.
        blocked: names never to load.
        policy: `fail` refuses to start on any fault; `quarantine` leaves out a third party's plugin that has one.

    Returns:
        The frozen registry.

    Raises:
        PluginLoadError: one line per fault.
    """
    candidates, faults = select(discover(), allowed, blocked)
    return load_candidates(candidates, policy=policy, faults=faults)


def make_registry(plugins: Sequence[Plugin | Candidate], *, policy: Policy = "fail") -> PluginRegistry:
    """A registry of plugins that need not be installed: for tests.

    Args:
        plugins: manifests, or candidates where package and distribution matter.
        policy: as for `load_plugins`.

    Raises:
        PluginLoadError: one line per fault.
    """
    return load_candidates([_as_candidate(plugin) for plugin in plugins], policy=policy)


def load_candidates(
    candidates: Sequence[Candidate], *, policy: Policy = "fail", faults: Sequence[Fault] = ()
) -> PluginRegistry:
    """Validate, order and load.

    Args:
        candidates: one for each name.
        policy: as for `load_plugins`.
        faults: what was found wrong before.

    Raises:
        PluginLoadError: one line per fault.
    """
    ours = {candidate.name: candidate.ours for candidate in candidates}
    by_name = {candidate.name: candidate for candidate in candidates}
    manifests, found = _manifests(candidates)
    order, order_faults = sort_plugins(
        {name: manifest.requires for name, manifest in manifests.items()},
        {name: manifest.after for name, manifest in manifests.items()},
    )
    found += order_faults
    loaded, part_faults = _load_in_order(order, by_name, manifests)
    found += part_faults
    found += namespace_faults(loaded, ours)
    found += _subscription_faults(loaded)
    found += _dependents({fault.plugin for fault in found}, manifests)
    fatal = [fault for fault in found if policy == "fail" or ours[fault.plugin]]
    if fatal or any(policy == "fail" or fault.fatal for fault in faults):
        raise load_error([*faults, *found])
    for fault in (*faults, *found):
        log.error("plugin_quarantined", plugin=fault.plugin, fault=fault.message)
    out = {fault.plugin for fault in found}
    return freeze([plugin for plugin in loaded if plugin.name not in out], [*faults, *found])


def _as_candidate(plugin: Plugin | Candidate) -> Candidate:
    if isinstance(plugin, Candidate):
        return plugin
    return Candidate(plugin.name, package="", distribution=f"test-{plugin.name}", version="0", load=lambda: plugin)


def _manifests(candidates: Sequence[Candidate]) -> tuple[dict[str, Plugin], list[Fault]]:
    manifests, faults = {}, []
    for candidate in candidates:
        try:
            manifest = candidate.load()
        except Exception as error:  # noqa: BLE001 - whatever a plugin's package raises is that plugin's fault
            faults.append(Fault(candidate.name, f"it cannot be imported: {type(error).__name__}: {error}"))
            continue
        if not isinstance(manifest, Plugin):
            faults.append(Fault(candidate.name, f"its entry point gives no Plugin but {type(manifest).__name__}"))
            continue
        messages = list(manifest_faults(candidate, manifest))
        faults += [Fault(candidate.name, message) for message in messages]
        if not messages:
            manifests[candidate.name] = manifest
    return manifests, faults


def _load_in_order(
    order: Sequence[str], candidates: Mapping[str, Candidate], manifests: Mapping[str, Plugin]
) -> tuple[list[LoadedPlugin], list[Fault]]:
    loaded, faults = [], []
    for name in order:
        plugin, messages = load_parts(candidates[name], manifests[name])
        faults += [Fault(name, message) for message in messages]
        if plugin is not None:
            loaded.append(plugin)
    return loaded, faults


def _subscription_faults(plugins: Sequence[LoadedPlugin]) -> Iterator[Fault]:
    events = {event.name: plugin.name for plugin in plugins for event in plugin.events}
    for plugin in plugins:
        sources = {plugin.name, *plugin.manifest.requires}
        for subscription in plugin.manifest.subscriptions:
            if subscription.event not in EVENT_TYPES and events.get(subscription.event) not in sources:
                message = f"it subscribes to {subscription.event!r}; neither the host, it nor what it requires has that"
                yield Fault(plugin.name, message)


def _dependents(faulty: set[str], manifests: Mapping[str, Plugin]) -> list[Fault]:
    """Faults of the plugins that require a faulty one, at any distance."""
    faults: list[Fault] = []
    out = set(faulty)
    while True:
        new = [
            Fault(name, f"it requires {other!r}, which is faulty")
            for name, manifest in sorted(manifests.items())
            if name not in out
            for other in manifest.requires
            if other in out
        ]
        if not new:
            return faults
        faults += new
        out |= {fault.plugin for fault in new}
