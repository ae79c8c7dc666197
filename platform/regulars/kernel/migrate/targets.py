"""The targets of an installation: the host first, then the plugins that bring migrations, in loading order."""

from __future__ import annotations

from regulars.kernel.db.base import PLUGIN_SCHEMA_PREFIX
from regulars.kernel.migrate.runner import Target, host_target
from regulars.kernel.plugins.registry import PluginRegistry


def plugin_targets(registry: PluginRegistry) -> list[Target]:
    """A target for each plugin with a `migrations/` folder."""
    return [
        Target(name=plugin.name, schema=f"{PLUGIN_SCHEMA_PREFIX}{plugin.name}", versions=plugin.migrations)
        for plugin in registry.plugins
        if plugin.migrations is not None
    ]


def all_targets(registry: PluginRegistry) -> list[Target]:
    """Every target of this installation."""
    return [host_target(), *plugin_targets(registry)]
