"""`regulars plugin`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from regulars.cli.common import environment
from regulars.cli.parts import faults_told
from regulars.cli.plugin_check import check
from regulars.cli.plugin_new import new
from regulars.cli.plugin_purge import purge
from regulars.kernel.config import ConfigError, load_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regulars.kernel.plugins.discovery import Candidate
    from regulars.kernel.plugins.registry import PluginRegistry


@click.group("plugin")
def command() -> None:
    """List the plugins and their faults, check them, make a new one, delete what one has stored."""


command.add_command(check)
command.add_command(new)
command.add_command(purge)


@command.command("list")
def list_plugins() -> None:
    """Show every installed plugin, in loading order, and what is wrong with those that are left out.

    The second line of each says where its code lies and the first digits of its SHA-256. The exit code is 1 when a
    plugin has a fault, whether the installation starts without it or not at all.
    """
    from regulars.kernel.plugins.discovery import discover
    from regulars.kernel.plugins.loader import load_plugins

    wanted = _wanted()
    with faults_told():
        registry = load_plugins(allowed=wanted.names, blocked=wanted.blocked, policy=wanted.policy)
    for plugin in registry.plugins:
        requires = f", requires {', '.join(plugin.manifest.requires)}" if plugin.manifest.requires else ""
        click.echo(f"{plugin.name} {plugin.candidate.version}: {plugin.manifest.title}{requires}")
        click.echo(f"    {_source(plugin.candidate)}")
    for candidate in discover():
        if candidate.name not in registry.names:
            click.echo(f"{candidate.name} {candidate.version}: {_absence(wanted, registry, candidate)}")
    if registry.quarantined:
        raise SystemExit(1)


class _Wanted(NamedTuple):
    """Which plugins this installation wants."""

    names: Sequence[str] | None
    blocked: Sequence[str]
    policy: Literal["fail", "quarantine"]


def _wanted() -> _Wanted:
    """As the configuration says; on an author's machine, where there is no installation, everything."""
    try:
        config = load_config(environment())
    except ConfigError:
        click.echo("No installation is configured here: these are all plugins that are installed.", err=True)
        return _Wanted(None, (), "quarantine")
    return _Wanted(config.plugins, config.plugin_blocklist, config.plugin_errors)


def _source(candidate: Candidate) -> str:
    from regulars.kernel.plugins.source import source_of

    source = source_of(candidate.package)
    return f"{candidate.distribution}, {source.folder}, sha256:{source.fingerprint}" if source else ""


def _absence(wanted: _Wanted, registry: PluginRegistry, candidate: Candidate) -> str:
    if candidate.name in wanted.blocked:
        return "blocked by REGULARS_PLUGIN_BLOCKLIST"
    faults = [fault.message for fault in registry.quarantined if fault.plugin == candidate.name]
    return f"left out: {'; '.join(faults)}" if faults else "not named in REGULARS_PLUGINS"
