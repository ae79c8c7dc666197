"""One namespace below the API's prefix: host resources, plugin names and the paths of units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from regulars.kernel.plugins.faults import Fault
from regulars.kernel.plugins.parts import LoadedPlugin

HOST_RESOURCES = frozenset(
    {"program", "stats", "cards", "pins", "card", "transactions", "enroll", "programs", "openapi.json"}
)
RESERVED_NAMES = HOST_RESOURCES | {"host", "core", "plugin"}
_PATH = re.compile(r"^[a-z][a-z0-9-]{1,30}$")


def namespace_faults(plugins: Sequence[LoadedPlugin], ours: Mapping[str, bool]) -> Iterator[Fault]:
    """Clashes of names between plugins, units and the host.

    Args:
        plugins: in loading order.
        ours: plugin → whether it is bundled; in a clash of a bundled one with a third party's, the latter is at fault.

    Yields:
        A fault for everyone who has to give way; both when neither is bundled.
    """
    yield from _path_faults(plugins, ours)
    units = [(provider.unit, plugin.name) for plugin in plugins for provider in plugin.units]
    yield from _clashes("the unit", units, ours)
    kinds = [(provider.kind, plugin.name) for plugin in plugins for provider in plugin.rewards]
    yield from _clashes("the reward kind", kinds, ours)
    wallets = [(provider.wallet, plugin.name) for plugin in plugins for provider in plugin.wallets]
    yield from _clashes("the wallet", wallets, ours)
    yield from _clashes("the alias", [(alias, plugin.name) for plugin in plugins for alias in plugin.aliases], ours)


def _path_faults(plugins: Sequence[LoadedPlugin], ours: Mapping[str, bool]) -> Iterator[Fault]:
    names = {plugin.name for plugin in plugins}
    for plugin in plugins:
        if plugin.name in RESERVED_NAMES:
            yield Fault(plugin.name, f"the name {plugin.name!r} belongs to the host")
        for provider in plugin.units:
            path = provider.path
            if not _PATH.match(path):
                yield Fault(plugin.name, f"the unit path {path!r} does not match {_PATH.pattern}")
            if path in RESERVED_NAMES:
                yield Fault(plugin.name, f"the unit path {path!r} belongs to the host")
            if path in names - {plugin.name}:
                at_fault = path if ours[plugin.name] and not ours[path] else plugin.name
                yield Fault(at_fault, f"the unit path {path!r} of {plugin.name} is the name of a plugin")
    paths = [(provider.path, plugin.name) for plugin in plugins for provider in plugin.units]
    yield from _clashes("the unit path", paths, ours)


def _clashes(word: str, claims: Sequence[tuple[str, str]], ours: Mapping[str, bool]) -> Iterator[Fault]:
    owners: dict[str, list[str]] = {}
    for value, plugin in claims:
        owners.setdefault(value, []).append(plugin)
    for value, plugins in owners.items():
        if len(plugins) < 2:
            continue
        some_yield = any(not ours[plugin] for plugin in plugins)
        for plugin in sorted(set(plugins)):
            if not some_yield or not ours[plugin]:
                others = " and ".join(sorted(set(plugins) - {plugin})) or "itself"
                yield Fault(plugin, f"{word} {value!r} is also that of {others}")
