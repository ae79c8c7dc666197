"""Writes docs/reference from the code: `make docs`. Each function makes one page; a test compares them all.

A folder as argument gets the pages instead.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from describe import about, code, codes, head, table
from outside_pages import api_page, commands_page
from plugin_pages import events_page, hooks_page, providers_page, slots_page
from pydantic import BaseModel
from sdk_page import sdk_page
from theme_pages import pages_page, properties_page

from regulars.domain.staff.permissions import ALIASES, PERMISSIONS
from regulars.domain.tenants.features import FEATURES, GRADES, LIMITS, OFFERING_CODES
from regulars.kernel.config import Config, variables
from regulars.kernel.observability import configure_logging
from regulars.kernel.observability.metrics import DECLARED
from regulars.kernel.plugins.discovery import discover
from regulars.kernel.plugins.loader import load_plugins
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings.kinds import variable_names

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
OFFERINGS = ROOT / "tenants" / "offerings.toml"
NAMES = ROOT / "docs" / "names.toml"
YES = "✓"


def registry() -> PluginRegistry:
    """The bundled plugins, whatever else is installed here."""
    return load_plugins(allowed=[candidate.name for candidate in discover() if candidate.ours])


def permissions_page(plugins: PluginRegistry) -> str:
    """Permissions and the roles that hold them."""
    intro = "Who may do what. Owners hold every permission; the scopes of an API key are permission names too."
    text = head("Permissions", "`platform/regulars/domain/staff/permissions.py` and the manifests", intro) + "\n"
    declared = [(name, one.title, one.roles, one.alias) for name, one in PERMISSIONS.items()]
    declared += [(name, one.title, one.roles, one.alias) for name, one in plugins.permissions.items()]
    rows = [
        (code(name), title, *(YES if role in roles else "" for role in ("manager", "staff")), code(alias))
        for name, title, roles, alias in declared
    ]
    return text + table(("permission", "what it allows", "managers", "staff", "name in the brief"), rows)


def settings_page(plugins: PluginRegistry) -> str:
    """Settings of the plugins."""
    intro = (
        "What a merchant can set for each plugin. A value is the tenant's own, else that of the environment variable, "
        "else the default. Settings marked *secret* are stored encrypted and never shown again."
    )
    text = head("Settings of plugins", "the plugins' settings models", intro)
    for plugin in plugins.plugins:
        if plugin.settings_model is not None:
            text += f"\n## `{plugin.name}`\n\n{about(plugin.settings_model)}"
            text += f" One set for each {plugin.manifest.settings_scope}.\n\n{_settings(plugin.settings_model)}"
    return text


def _settings(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    rows = []
    for name, info in model.model_fields.items():
        one = schema["properties"][name]
        meaning = f"{info.title}. {info.description or ''}".strip()
        names = codes(variable_names(info))
        rows.append((code(name), _kind(one), code(json.dumps(one.get("default"))), meaning, names))
    text = table(("setting", "type", "default", "meaning", "variables"), rows)
    for name, nested in schema.get("$defs", {}).items():
        inner = [(code(n), _kind(one), one.get("title", "")) for n, one in nested["properties"].items()]
        text += f"\n`{name}`: {nested.get('description', '')}\n\n" + table(("field", "type", "meaning"), inner)
    return text


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return code(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return "one of " + codes(schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}" + (f", at most {schema['maxItems']}" if "maxItems" in schema else "")
    word = {"integer": "whole number", "string": "text", "null": "nothing", "boolean": "yes or no"}
    low, high = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    bounds = f", {low} to {high}" if low is not None and high is not None else ""
    bounds = bounds or (f", {low} or more" if low is not None else f", {high} or less" if high is not None else "")
    return f"{word.get(schema['type'], schema['type'])}{bounds}"


def configuration_page() -> str:
    """Environment variables of the host."""
    intro = (
        "Everything that an operator decides outside of the database. A value comes from the environment, else from "
        "the data folder that `REGULARS_DATA_DIR` names, else from the default. `regulars config` shows the effective "
        "ones and where each came from."
    )
    text = head("Configuration", "`platform/regulars/kernel/config.py`", intro) + "\n"
    rows = []
    for name, variable in variables().items():
        info = Config.model_fields[name]
        derived = "(default:" in variable.description
        default = "" if derived else "**needed**" if info.is_required() else code(_plain(info.default))
        also = [variable.description, f"Also as {codes(variable.aliases)}." if variable.aliases else ""]
        also.append("Secret." if variable.secret else "")
        rows.append((code(variable.name), default, " ".join(filter(None, also))))
    return text + table(("variable", "default", "meaning"), rows)


def metrics_page() -> str:
    """What the admin port tells."""
    intro = (
        "What `GET /metrics` on the [admin port](../operators.md#metrics) tells: the sum over all processes of the "
        "machine. Labels name routes, plugins, jobs and reasons, never a tenant or a person."
    )
    text = head("Metrics", "`platform/regulars/kernel/observability/metrics.py`", intro) + "\n"
    rows = [
        (code(f"{name}_total" if one.kind == "counter" else name), one.kind, codes(one.labels), one.meaning)
        for name, one in DECLARED.items()
    ]
    return text + table(("metric", "kind", "labels", "meaning"), rows)


def _plain(value: object) -> str:
    if value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def features_page(plugins: PluginRegistry) -> str:
    """Features, limits, and what each offering includes."""
    intro = (
        "What an offering can include. A feature is one of the host, a plugin, or a flag below a plugin. What an "
        "offering does not name is off; a limit that it does not name is 0. Operators grant and deny single features "
        "to single tenants."
    )
    text = head("Features and offerings", "the code and `tenants/offerings.toml`", intro)
    offerings = tomllib.loads(OFFERINGS.read_text("utf-8"))
    titles = {one.name: one.title for one in FEATURES} | dict(plugins.features)
    later = dict.fromkeys(n for one in offerings.values() for n in one["features"] if n not in titles)
    rows = [
        (code(name), titles.get(name, "*later, with its plugin*"), *(_has(one, name) for one in offerings.values()))
        for name in [*titles, *later]
    ]
    named = [one["title"] for one in offerings.values()]
    text += "\n## Features\n\n" + table(("feature", "title", *named), rows)
    text += "\n## Limits\n\n"
    limits = {one.name: one.title for one in LIMITS} | {name: one.title for name, one in plugins.limits.items()}
    values = [
        (code(name), title, *(one["limits"].get(name, 0) for one in offerings.values()))
        for name, title in limits.items()
    ]
    text += table(("limit", "title", *named), values)
    grades = "; ".join(codes(grade) for grade in GRADES)
    return text + f"\nGraded features, lowest first: {grades}. Having one means having those before it.\n"


def _has(offering: Mapping[str, Any], name: str) -> str:
    listed = set(offering["features"])
    higher = {n for grades in GRADES if name in grades for n in grades[grades.index(name) :]}
    return YES if listed & (higher | {name}) else ""


def names_page(plugins: PluginRegistry) -> str:
    """What the brief calls things, and what we call them."""
    intro = (
        "Regulars was built from a product brief that names features, permissions, jobs and variables in its own way. "
        "This page says what each of them is here; *later* names the plugin that will bring it."
    )
    text = head("Names of the brief", "the aliases in the code and `docs/names.toml`", intro)
    for title, names in brief_names(plugins).items():
        text += f"\n## {title}\n\n" + table(("the brief", "here"), [(code(name), here) for name, here in names.items()])
    return text


def brief_names(plugins: PluginRegistry) -> dict[str, dict[str, str]]:
    """Heading → the brief's name → what it is here."""
    told = tomllib.loads(NAMES.read_text("utf-8"))
    later = {
        group: {n: f"later: {code(one)}" for n, one in names.items()} for group, names in told.get("later", {}).items()
    }
    permissions = set(PERMISSIONS) | set(plugins.permissions)
    aliases = {one.alias: one.name for one in FEATURES if one.alias} | dict(ALIASES) | dict(plugins.aliases)
    offering = {name: code(here) for name, here in OFFERING_CODES.items()} | {"analytics": codes(GRADES[0])}
    return {
        "Features": {n: code(here) for n, here in aliases.items() if here not in permissions}
        | later.get("features", {}),
        "Permissions": {n: code(here) for n, here in aliases.items() if here in permissions},
        "Jobs": {name: code(here) for name, here in told["jobs"].items()} | later.get("jobs", {}),
        "Variables": {n: code(here) for n, here in variable_aliases(plugins).items()} | later.get("variables", {}),
        "Codes of the offerings": offering,
        "Paths of the API": dict.fromkeys(told["paths"]["names"], "the same") | later.get("paths", {}),
        "Pages": {name: code(here) for name, here in told["pages"].items()},
        "Entities": {name: code(here) for name, here in told["entities"].items()},
        "Events of webhooks": told["webhook_events"],
    }


def variable_aliases(plugins: PluginRegistry) -> dict[str, str]:
    """Variable of the brief → ours: of the host's configuration and of the plugins' settings."""
    found = {alias: one.name for one in variables().values() for alias in one.aliases}
    for plugin in plugins.plugins:
        for info in plugin.settings_model.model_fields.values() if plugin.settings_model else ():
            first, *others = variable_names(info) or ("",)
            found |= dict.fromkeys(others, first)
    return found


def pages() -> dict[str, str]:
    """File name → text of every page of the reference."""
    plugins = registry()
    return {
        "api.md": api_page(plugins),
        "commands.md": commands_page(),
        "configuration.md": configuration_page(),
        "events.md": events_page(plugins),
        "features.md": features_page(plugins),
        "hooks.md": hooks_page(plugins),
        "metrics.md": metrics_page(),
        "names.md": names_page(plugins),
        "pages.md": pages_page(),
        "permissions.md": permissions_page(plugins),
        "properties.md": properties_page(),
        "providers.md": providers_page(plugins),
        "sdk.md": sdk_page(),
        "settings.md": settings_page(plugins),
        "slots.md": slots_page(plugins),
    }


if __name__ == "__main__":
    configure_logging("error", json_lines=False)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE
    folder.mkdir(exist_ok=True)
    for name, page in pages().items():
        (folder / name).write_text(page, encoding="utf-8")
