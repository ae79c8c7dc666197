"""`regulars plugin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from regulars.cli.common import read_config
from regulars.cli.parts import faults_told

if TYPE_CHECKING:
    from regulars.kernel.config import Config
    from regulars.kernel.plugins.discovery import Candidate
    from regulars.kernel.plugins.registry import PluginRegistry


@click.group("plugin")
def command() -> None:
    """List the plugins and their faults."""


@command.command("list")
def list_plugins() -> None:
    """Show every installed plugin, in loading order, and what is wrong with those that are left out.

    The exit code is 1 when a plugin has a fault, whether the installation starts without it or not at all.
    """
    from regulars.kernel.plugins.discovery import discover
    from regulars.kernel.plugins.loader import load_plugins

    config = read_config()
    with faults_told():
        registry = load_plugins(allowed=config.plugins, blocked=config.plugin_blocklist, policy=config.plugin_errors)
    for plugin in registry.plugins:
        requires = f", requires {', '.join(plugin.manifest.requires)}" if plugin.manifest.requires else ""
        click.echo(f"{plugin.name} {plugin.candidate.version}: {plugin.manifest.title}{requires}")
    for candidate in discover():
        if candidate.name not in registry.names:
            click.echo(f"{candidate.name} {candidate.version}: {_absence(config, registry, candidate)}")
    if registry.quarantined:
        raise SystemExit(1)


def _absence(config: Config, registry: PluginRegistry, candidate: Candidate) -> str:
    if candidate.name in config.plugin_blocklist:
        return "blocked by REGULARS_PLUGIN_BLOCKLIST"
    faults = [fault.message for fault in registry.quarantined if fault.plugin == candidate.name]
    return f"left out: {'; '.join(faults)}" if faults else "not named in REGULARS_PLUGINS"
