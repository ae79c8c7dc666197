"""The parts of one plugin, imported and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Table
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.dml import UpdateBase

from regulars.contracts.ledger import Fact, WriteStatement
from regulars.contracts.manifest import EventType, Plugin, ProviderRef, SlotRef
from regulars.contracts.providers import RewardProvider, SegmentProvider, UnitProvider
from regulars.contracts.slots import Slot
from regulars.contracts.wallets import WalletProvider
from regulars.kernel.db.base import PLUGIN_SCHEMA_PREFIX
from regulars.kernel.db.prepared import prepare
from regulars.kernel.plugins.discovery import Candidate
from regulars.kernel.plugins.faults import PartError
from regulars.kernel.plugins.hooks import check_hooks
from regulars.kernel.plugins.tables import load_tables
from regulars.kernel.plugins.targets import build, load_module, resolve

FACT_BINDS = frozenset({"tenant_id", "card_id", "member_id", "program_id", "day_start", "time_zone", "sale_id"})
_UNIT_PARTS = ("unit", "path", "earn_body", "earn_answer", "redeem_answer")
_UNIT_METHODS = ("purchase", "progress", "ready_at", "answer_earn", "answer_redeem")


@dataclass(frozen=True, slots=True)
class LoadedWrite:
    """A plugin's write statement.

    Attributes:
        bind: name of its one parameter, unique among all plugins.
        adds: columns that are added up, see `WriteStatement`.
    """

    plugin: str
    name: str
    statement: UpdateBase
    bind: str
    adds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedSlot:
    """A plugin's renderer for a slot."""

    plugin: str
    slot: Slot
    render: Callable[..., Any]
    order: int


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """An event that a plugin publishes; `name` is the full one."""

    name: str
    declared: EventType
    payload: type[BaseModel]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedPlugin:
    """A plugin with everything that its manifest names, resolved; blueprints alone are left to the web layer.

    Attributes:
        settings_model: its settings, a model with a default for every field; `None` without settings.
        hooks: instance of its hooks class.
        job_modules: imported modules with its `@job` functions.
        templates, static, locale, migrations: its folders, `None` where it has none.
    """

    manifest: Plugin
    candidate: Candidate
    settings_model: type[BaseModel] | None
    hooks: object | None
    facts: tuple[Fact, ...]
    writes: Mapping[str, LoadedWrite]
    tables: tuple[Table, ...]
    slots: tuple[LoadedSlot, ...]
    units: tuple[UnitProvider, ...]
    rewards: tuple[RewardProvider, ...]
    segments: tuple[SegmentProvider, ...]
    wallets: tuple[WalletProvider, ...]
    events: tuple[LoadedEvent, ...]
    job_modules: tuple[ModuleType, ...]
    templates: Path | None
    static: Path | None
    locale: Path | None
    migrations: Path | None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.manifest.name

    @property
    def aliases(self) -> Mapping[str, str]:
        """Codes of the brief → our full names, of the plugin itself, its features and its permissions."""
        manifest = self.manifest
        found = {manifest.alias: manifest.name}
        found |= {feature.alias: f"{manifest.name}.{feature.name}" for feature in manifest.features}
        found |= {permission.alias: f"{manifest.name}.{permission.name}" for permission in manifest.permissions}
        return {alias: name for alias, name in found.items() if alias}


def load_parts(candidate: Candidate, manifest: Plugin) -> tuple[LoadedPlugin | None, list[str]]:
    """Import and check everything that a manifest names.

    Args:
        candidate: where the manifest was found.
        manifest: a well-formed manifest.

    Returns:
        The plugin and no fault, or `None` and one sentence for each part that cannot be used.
    """
    faults: list[str] = []

    def part(make: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return make(*arguments)
        except PartError as error:
            faults.append(str(error))
            return None

    name = manifest.name
    folder = part(_package_folder, candidate)
    loaded = LoadedPlugin(
        manifest=manifest,
        candidate=candidate,
        settings_model=part(_settings, manifest),
        hooks=part(_hooks, manifest),
        facts=part(_facts, manifest),
        writes=part(_writes, manifest),
        tables=part(load_tables, name, manifest.models) if manifest.models else (),
        slots=tuple(part(_slot, name, ref) for ref in manifest.slots),
        units=tuple(part(_unit, ref) for ref in manifest.providers if ref.kind == "unit"),
        rewards=tuple(part(_reward, name, ref) for ref in manifest.providers if ref.kind == "reward"),
        segments=tuple(part(_segment, name, ref) for ref in manifest.providers if ref.kind == "segment"),
        wallets=tuple(part(_wallet, ref) for ref in manifest.providers if ref.kind == "wallet"),
        events=tuple(part(_event, name, event) for event in manifest.events),
        job_modules=tuple(part(load_module, module) for module in manifest.jobs),
        templates=part(_templates, folder, name),
        static=_folder(folder, "static"),
        locale=_folder(folder, "locale"),
        migrations=_folder(folder, "migrations"),
    )
    return (None if faults else loaded), faults


def _package_folder(candidate: Candidate) -> Path | None:
    if not candidate.package:
        return None
    file = load_module(candidate.package).__file__
    return Path(file).parent if file else None


def _folder(package: Path | None, name: str) -> Path | None:
    folder = package / name if package else None
    return folder if folder and folder.is_dir() else None


def _templates(package: Path | None, name: str) -> Path | None:
    folder = _folder(package, "templates")
    if folder and any(entry.name != name for entry in folder.iterdir()):
        raise PartError(f"its templates must lie in templates/{name}/, found others beside it")
    return folder


def _settings(manifest: Plugin) -> type[BaseModel] | None:
    if manifest.settings is None:
        return None
    model = resolve(manifest.settings)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise PartError(f"its settings {manifest.settings} are not a pydantic model")
    if model.model_config.get("extra") != "forbid":
        raise PartError("its settings model must have extra='forbid'")
    without = sorted(name for name, field in model.model_fields.items() if field.is_required())
    if without:
        raise PartError(f"its settings lack a default for {', '.join(without)}")
    return model


def _hooks(manifest: Plugin) -> object | None:
    if manifest.hooks is None:
        return None
    instance: object = build(manifest.hooks)
    check_hooks(manifest.name, instance)
    return instance


def _declared(target: str | None, kind: type[Any], word: str) -> tuple[Any, ...]:
    """A tuple of facts or write statements with unique names."""
    items = tuple(resolve(target)) if target else ()
    names = [item.name for item in items if isinstance(item, kind)]
    if len(names) < len(items):
        raise PartError(f"{target} must hold {kind.__name__} objects only")
    if len(set(names)) < len(names):
        raise PartError(f"two of its {word}s have the same name")
    return items


def _binds(word: str, name: str, statement: Any) -> tuple[str, ...]:
    try:
        prepared = prepare(statement)
    except CompileError as error:
        raise PartError(f"its {word} {name!r} cannot be compiled: {error}") from error
    return tuple(dict.fromkeys(found for found in prepared.names if found not in prepared.fixed))


def _facts(manifest: Plugin) -> tuple[Fact, ...]:
    facts: tuple[Fact, ...] = _declared(manifest.facts, Fact, "fact")
    for fact in facts:
        own = _fact_values(manifest, fact)
        unknown = sorted(set(_binds("fact", fact.name, fact.query)) - FACT_BINDS - own)
        if unknown:
            raise PartError(f"its fact {fact.name!r} uses the unknown parameter {', '.join(unknown)}")
    return facts


def _fact_values(manifest: Plugin, fact: Fact) -> frozenset[str]:
    """Names of the parameters that a fact takes from the settings."""
    if fact.values is None:
        return frozenset()
    model = _settings(manifest)
    if model is None:
        raise PartError(f"its fact {fact.name!r} takes values from settings, but it has none")
    names = frozenset(fact.values(model()))
    wrong = sorted(name for name in names if not name.startswith(f"{manifest.name}_"))
    if wrong:
        raise PartError(f"values of its fact {fact.name!r} must be named {manifest.name}_…, not {', '.join(wrong)}")
    return names


def _writes(manifest: Plugin) -> Mapping[str, LoadedWrite]:
    loaded = {}
    for write in _declared(manifest.writes, WriteStatement, "write statement"):
        binds = _binds("write statement", write.name, write.statement)
        prefix = f"{manifest.name}_"
        if len(binds) != 1 or not binds[0].startswith(prefix):
            raise PartError(f"its write statement {write.name!r} must have one parameter, named {prefix}…")
        schema = write.statement.table.schema
        if schema != f"{PLUGIN_SCHEMA_PREFIX}{manifest.name}":
            raise PartError(f"its write statement {write.name!r} writes to the schema {schema}, not to its own")
        loaded[write.name] = LoadedWrite(manifest.name, write.name, write.statement, binds[0], write.adds)
    if len({write.bind for write in loaded.values()}) < len(loaded):
        raise PartError("two of its write statements have the same parameter")
    return MappingProxyType(loaded)


def _slot(plugin: str, ref: SlotRef) -> LoadedSlot:
    render = resolve(ref.target)
    if not inspect.iscoroutinefunction(render):
        raise PartError(f"the renderer {ref.target} of the slot {ref.slot.value} must be async")
    return LoadedSlot(plugin, ref.slot, render, ref.order)


def _unit(ref: ProviderRef) -> UnitProvider:
    provider: UnitProvider = build(ref.target)
    _require_parts(ref.target, provider, (*_UNIT_PARTS, *_UNIT_METHODS))
    if provider.unit != ref.key:
        raise PartError(f"the provider {ref.target} is for the unit {provider.unit!r}, its key is {ref.key!r}")
    if provider.earn_body.model_config.get("extra") != "forbid":
        raise PartError(f"the earn_body of {ref.target} must have extra='forbid'")
    return provider


def _reward(plugin: str, ref: ProviderRef) -> RewardProvider:
    provider: RewardProvider = build(ref.target)
    _require_parts(ref.target, provider, ("kind", "offers"))
    _require_kind(plugin, ref, provider.kind)
    return provider


def _segment(plugin: str, ref: ProviderRef) -> SegmentProvider:
    provider: SegmentProvider = build(ref.target)
    _require_parts(ref.target, provider, ("kind", "segments"))
    _require_kind(plugin, ref, provider.kind)
    return provider


def _wallet(ref: ProviderRef) -> WalletProvider:
    provider: WalletProvider = build(ref.target)
    _require_parts(ref.target, provider, ("wallet", "title", "readiness", "hand_over", "deliver"))
    if provider.wallet != ref.key:
        raise PartError(f"the provider {ref.target} is for the wallet {provider.wallet!r}, its key is {ref.key!r}")
    return provider


def _require_kind(plugin: str, ref: ProviderRef, kind: str) -> None:
    if kind != f"{plugin}.{ref.key}":
        raise PartError(f"the provider {ref.target} must be of the kind '{plugin}.{ref.key}', not {kind!r}")


def _require_parts(target: str, provider: object, names: tuple[str, ...]) -> None:
    missing = [name for name in names if not hasattr(provider, name)]
    if missing:
        raise PartError(f"the provider {target} lacks {', '.join(missing)}")


def _event(plugin: str, event: EventType) -> LoadedEvent:
    payload = resolve(event.payload)
    if not (isinstance(payload, type) and issubclass(payload, BaseModel)):
        raise PartError(f"the payload {event.payload} of its event {event.name!r} is not a pydantic model")
    return LoadedEvent(f"{plugin}.{event.name}", event, payload)
