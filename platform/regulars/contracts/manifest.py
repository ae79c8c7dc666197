"""The manifest of a plugin: everything that can be stated without code.

`regulars_<name>/__init__.py` holds one `plugin = Plugin(...)` and nothing else. Places in the code are named by
`"module:attr"` strings, so that listing plugins imports none of them. Folders `templates/<name>/`, `static/`,
`locale/` and `migrations/` are found by presence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from regulars.contracts.slots import Slot

NAME_PATTERN = re.compile(r"^[a-z][a-z0-9_]{1,30}$")
Area = Literal["portal", "terminal", "manage", "store_api", "storefront_api", "hooks"]
SettingsScope = Literal["tenant", "program"]
ProviderKind = Literal["unit", "reward", "segment", "wallet"]


@dataclass(frozen=True, slots=True)
class Feature:
    """A flag below the plugin, `<plugin>.<name>`; offerings assign it.

    Attributes:
        alias: the code of the brief, e.g. `loyalty_hybrid`.
    """

    name: str
    title: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """A number below the plugin, `<plugin>.<name>`; offerings assign it.

    Attributes:
        counts: a list in the plugin's settings whose length, over all programs, is limited: the host refuses to save
            more. Empty for what the plugin counts itself.
    """

    name: str
    title: str
    counts: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """A right below the plugin, `<plugin>.<name>`.

    Attributes:
        roles: roles that hold it from the start; owners hold all.
        alias: the name of the brief.
    """

    name: str
    title: str
    roles: tuple[Literal["manager", "staff"], ...] = ("manager",)
    alias: str = ""


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A menu entry of the merchant's pages.

    Attributes:
        endpoint: view function in the plugin's blueprint of that area.
        permission: full permission name that is needed to see it.
    """

    area: Literal["manage"]
    title: str
    endpoint: str
    icon: str
    permission: str
    order: int = 100


@dataclass(frozen=True, slots=True)
class BlueprintRef:
    """Views in one area; the prefix is forced, such as `/manage/p/<name>/` or `/hooks/<name>/<token>/`."""

    area: Area
    target: str


@dataclass(frozen=True, slots=True)
class SlotRef:
    """A renderer for a slot in a host page: `async (SlotContext, data) -> Markup`."""

    slot: Slot
    target: str
    order: int = 100


@dataclass(frozen=True, slots=True)
class ProviderRef:
    """An implementation of a provider Protocol under a key of its registry."""

    kind: ProviderKind
    key: str
    target: str


@dataclass(frozen=True, slots=True)
class EventType:
    """An event the plugin publishes, `<plugin>.<name>`, with the JSON schema of its payload as a pydantic model."""

    name: str
    title: str
    payload: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Subscription:
    """A job that runs for every event of that name.

    Attributes:
        event: full name, `member.enrolled` or `stamps.milestone_reached`.
        job: name of a job of the plugin, without prefix.
    """

    event: str
    job: str


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plugin is and where its parts are.

    Attributes:
        name: lower case, also the prefix of everything it names; must equal the entry point's name.
        title: for people, marked with `N_`.
        host: PEP 440 specifier of host versions it works with.
        requires: plugins that must be enabled with it.
        after: plugins whose hooks run before its own where both are enabled; they need not be there.
        alias: the feature code of the brief that it answers to.
        settings: `"module:Model"`, a pydantic model with a default for every field.
        settings_scope: whether a tenant has one set of settings or each program its own.
        models: module with the plugin's tables (schema `plg_<name>`).
        hooks: `"module:Class"`, built without arguments.
        facts, writes: `"module:TUPLE"` of `Fact` and `WriteStatement`.
        jobs: modules whose `@job` functions are registered.
    """

    name: str
    title: str
    host: str
    description: str = ""
    category: Literal["earning", "security", "reward", "wallet", "connector", "campaign", "other"] = "other"
    alias: str = ""
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    limits: tuple[Limit, ...] = ()
    permissions: tuple[Permission, ...] = ()
    settings: str | None = None
    settings_scope: SettingsScope = "tenant"
    settings_version: int = 1
    models: str | None = None
    hooks: str | None = None
    facts: str | None = None
    writes: str | None = None
    blueprints: tuple[BlueprintRef, ...] = ()
    nav: tuple[NavEntry, ...] = ()
    slots: tuple[SlotRef, ...] = ()
    providers: tuple[ProviderRef, ...] = ()
    jobs: tuple[str, ...] = ()
    events: tuple[EventType, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
