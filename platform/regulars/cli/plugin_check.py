"""`regulars plugin check`: everything that can be said of a plugin without a database."""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regulars.kernel.plugins.discovery import Candidate
    from regulars.kernel.plugins.registry import PluginRegistry


@click.command("check")
@click.argument("plugin", metavar="NAME_OR_FOLDER")
def check(plugin: str) -> None:
    """Check a plugin, installed or in its folder: does it load, and is it as a good one should be?

    The tests of its own, with the conformance tests, say what needs a database: tables, migrations, tenants, switches.
    The exit code is 1 when something speaks against it.
    """
    found = _in_folder(Path(plugin)) if Path(plugin).is_dir() else _installed(plugin)
    registry = _load(found)
    click.echo(f"✓ {found.name} {found.version} loads")
    faults = 0
    for rule, against in (*_rules(registry, found.name), *_folder_rules(Path(plugin))):
        faults += len(against)
        click.echo(f"{'✗' if against else '✓'} {rule}")
        for one in against:
            click.echo(f"    {one}")
    if faults:
        raise SystemExit(1)


def _load(found: Candidate) -> PluginRegistry:
    from regulars.contracts.errors import PluginLoadError
    from regulars.kernel.plugins.discovery import discover
    from regulars.kernel.plugins.loader import load_candidates

    others = [one for one in discover() if one.name != found.name and one.ours]
    try:
        return load_candidates([*others, found])
    except PluginLoadError as error:
        raise click.ClickException(error.detail) from error


def _installed(name: str) -> Candidate:
    from regulars.kernel.plugins.discovery import discover

    found = next((one for one in discover() if one.name == name), None)
    if found is None:
        raise click.ClickException(f"{name!r} is neither an installed plugin nor a folder.")
    return found


def _in_folder(folder: Path) -> Candidate:
    """The plugin that a folder's `pyproject.toml` names, imported from there."""
    from regulars.kernel.plugins.discovery import GROUP, Candidate

    file = folder / "pyproject.toml"
    if not file.is_file():
        raise click.ClickException(f"{folder} has no pyproject.toml.")
    project = tomllib.loads(file.read_text("utf-8")).get("project", {})
    points = project.get("entry-points", {}).get(GROUP, {})
    if len(points) != 1:
        raise click.ClickException(f"{file} must name one plugin under [project.entry-points.{GROUP!r}].")
    (name, target), *_ = points.items()
    module, _, attribute = target.partition(":")
    sys.path.insert(0, str(folder.resolve()))
    return Candidate(
        name=name,
        package=module,
        distribution=project.get("name", ""),
        version=project.get("version", ""),
        load=lambda: getattr(import_module(module), attribute),
    )


def _rules(registry: PluginRegistry, name: str) -> Iterator[tuple[str, list[str]]]:
    from regulars.domain.staff.permissions import PERMISSIONS
    from regulars.kernel.plugins.quality import RULES, unknown_permissions

    plugin = registry.plugin(name)
    for rule, against in RULES.items():
        yield rule, list(against(plugin))
    yield "its menu asks for permissions that exist", unknown_permissions(registry, plugin, PERMISSIONS)


def _folder_rules(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """What a folder has beside the package, for plugins that are checked in theirs."""
    if not folder.is_dir():
        return
    readme = [] if (folder / "README.md").is_file() else ["README.md is missing"]
    yield "it says what it is", readme
    tests = any("conformance" in path.read_text("utf-8") for path in folder.glob("tests/test_*.py"))
    yield "its tests include the conformance tests", [] if tests else ["tests/ lacks them: see docs/plugin-authors"]
