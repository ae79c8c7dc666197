"""What can be said of a plugin without running it, beyond what keeps it from loading.

`regulars plugin check` tells it to authors, the conformance tests hold it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from regulars.kernel.i18n import LANGUAGES
from regulars.kernel.i18n.sources import Domain, forms_of
from regulars.kernel.i18n.upkeep import faults as language_faults
from regulars.kernel.i18n.upkeep import translated
from regulars.kernel.migrate.history import history_faults, unnamed_tables
from regulars.kernel.plugins.parts import LoadedPlugin
from regulars.kernel.plugins.registry import PluginRegistry

PUBLIC = ("regulars.sdk", "regulars.testing")
HOST = Path(__file__).resolve().parents[2]


def imports_the_sdk_only(plugin: LoadedPlugin) -> Iterator[str]:
    """Imports of the host that are not under semantic versioning, as `file: module`."""
    folder = _package(plugin)
    for path in sorted(folder.rglob("*.py")):
        for name in sorted(set(_imports(ast.parse(path.read_text("utf-8"))))):
            if name.partition(".")[0] == "regulars" and not f"{name}.".startswith(tuple(f"{one}." for one in PUBLIC)):
                yield f"{path.relative_to(folder)}: {name}"


def marks_its_texts(plugin: LoadedPlugin) -> Iterator[str]:
    """Texts of manifest and settings that are not marked for translation."""
    marked = {text for message in _domain(plugin).template() for text in forms_of(message.id)}
    yield from (text for text in _declared(plugin) if text and text not in marked)


def translates_all_or_nothing(plugin: LoadedPlugin) -> Iterator[str]:
    """What is missing or wrong in the languages that it brings; texts that the host has are the host's to translate."""
    domain = _domain(plugin)
    brought = sorted(file.parents[1].name for file in domain.folder.glob(f"locale/*/LC_MESSAGES/{domain.name}.po"))
    template = domain.template(translated(Domain.of(HOST), LANGUAGES))
    for locale in brought:
        yield from language_faults(domain, locale, template)


def labels_its_settings(plugin: LoadedPlugin) -> Iterator[str]:
    """Settings without a title."""
    model = plugin.settings_model
    yield from (name for name, info in (model.model_fields if model else {}).items() if not info.title)


def has_one_history(plugin: LoadedPlugin) -> Iterator[str]:
    """Migrations that do not follow each other in one line, and tables that none of them makes."""
    faults = list(history_faults(plugin.migrations)) if plugin.migrations else []
    yield from faults
    if not faults:
        missing = unnamed_tables(plugin.migrations, (table.name for table in plugin.tables))
        yield from (f"no migration makes its table {table}" for table in missing)


RULES: Mapping[str, Callable[[LoadedPlugin], Iterator[str]]] = {
    "of the host it imports regulars.sdk only": imports_the_sdk_only,
    "its texts are marked for translation": marks_its_texts,
    "the languages that it brings are complete": translates_all_or_nothing,
    "every setting has a title": labels_its_settings,
    "its migrations are one line and make every table": has_one_history,
}
"""What is asked → what speaks against it; nothing when all is well."""


def unknown_permissions(registry: PluginRegistry, plugin: LoadedPlugin, host: Collection[str]) -> list[str]:
    """Permissions that its menu entries ask for and nobody can hold.

    Args:
        registry: all plugins.
        plugin: whose menu.
        host: permissions of the host.
    """
    asked = {entry.permission for entry in plugin.manifest.nav}
    return sorted(asked - set(host) - set(registry.permissions))


def _package(plugin: LoadedPlugin) -> Path:
    spec = find_spec(plugin.candidate.package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _domain(plugin: LoadedPlugin) -> Domain:
    return Domain(plugin.name, _package(plugin))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _declared(plugin: LoadedPlugin) -> Iterator[str]:
    manifest = plugin.manifest
    yield from (manifest.title, manifest.description)
    for group in (manifest.features, manifest.limits, manifest.permissions, manifest.nav, manifest.events):
        yield from (item.title for item in group)
    for info in plugin.settings_model.model_fields.values() if plugin.settings_model else ():
        yield from (info.title or "", info.description or "")
