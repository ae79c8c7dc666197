"""Why a tenant has what it has: every known feature and limit with where it comes from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from regulars.domain.tenants.catalogue import Catalogue, KnownFeature
from regulars.kernel.entitlements.rules import Entitlements, Override, entitle

Origin = Literal[
    "offering", "grant", "denial", "not_included", "switched_off", "kill_switch", "requirement_missing", "plugin_off"
]


@dataclass(frozen=True, slots=True)
class StoredOverride:
    """An override with its reason."""

    override: Override
    reason: str


@dataclass(frozen=True, slots=True)
class Killed:
    """A kill switch that holds for the tenant.

    Attributes:
        everybody: whether it holds for all tenants.
    """

    plugin: str
    reason: str
    everybody: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that decides.

    Attributes:
        features, limits: of the offering.
        switches: plugin → the tenant's own choice.
        now: the rules' clock.
    """

    features: frozenset[str]
    limits: Mapping[str, int | None]
    overrides: Sequence[StoredOverride]
    switches: Mapping[str, bool]
    killed: Sequence[Killed]
    now: datetime

    @classmethod
    def of(cls, raw: Mapping[str, Any], overrides: Sequence[StoredOverride], killed: Sequence[Killed]) -> Inputs:
        """From the row of `core.resolve_host`, with the reasons that it does not carry."""
        return cls(
            features=frozenset(raw["offering_features"]),
            limits=raw["offering_limits"],
            overrides=overrides,
            switches=raw["switches"],
            killed=killed,
            now=datetime.fromisoformat(raw["now"]),
        )


@dataclass(frozen=True, slots=True)
class EffectiveFeature:
    """A feature with where its state comes from.

    Attributes:
        on: whether it is in force.
        origin: what decided.
        reason: the operator's words, for grants, denials and kill switches.
        expires_at: when the override ends.
    """

    feature: KnownFeature
    on: bool
    origin: Origin
    reason: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EffectiveLimit:
    """A limit with where it comes from; `value` is `None` for unlimited."""

    name: str
    title: str
    value: int | None
    origin: Literal["offering", "override"]
    reason: str = ""
    expires_at: datetime | None = None


def entitlements(catalogue: Catalogue, inputs: Inputs) -> Entitlements:
    """What is in force, by the same rule as every request's."""
    return entitle(
        catalogue.known,
        features=inputs.features,
        limits=inputs.limits,
        overrides=[stored.override for stored in inputs.overrides],
        switches=inputs.switches,
        killed={one.plugin for one in inputs.killed},
        now=inputs.now,
    )


def explain_features(catalogue: Catalogue, inputs: Inputs) -> list[EffectiveFeature]:
    """Every known feature, in the catalogue's order."""
    force = entitlements(catalogue, inputs)
    overrides = {name: stored for name, stored in _valid(inputs).items() if stored.override.kind != "limit"}
    return [_explain(feature, inputs, force, overrides.get(name)) for name, feature in catalogue.features.items()]


def explain_limits(catalogue: Catalogue, inputs: Inputs) -> list[EffectiveLimit]:
    """Every known limit, in the catalogue's order."""
    overrides = {name: stored for name, stored in _valid(inputs).items() if stored.override.kind == "limit"}
    found = []
    for name, title in catalogue.limits.items():
        if stored := overrides.get(name):
            override = stored.override
            found.append(EffectiveLimit(name, title, override.value, "override", stored.reason, override.expires_at))
        else:
            found.append(EffectiveLimit(name, title, inputs.limits.get(name, 0), "offering"))
    return found


def _valid(inputs: Inputs) -> dict[str, StoredOverride]:
    return {
        stored.override.name: stored
        for stored in inputs.overrides
        if stored.override.expires_at is None or stored.override.expires_at > inputs.now
    }


def _explain(
    feature: KnownFeature, inputs: Inputs, force: Entitlements, stored: StoredOverride | None
) -> EffectiveFeature:
    on = feature.name in force.features
    if not on and feature.kind != "host":
        plugin = feature.name.partition(".")[0]
        killed = next((one for one in inputs.killed if one.plugin == plugin), None)
        if killed is not None:
            return EffectiveFeature(feature, on, "kill_switch", killed.reason)
        if not inputs.switches.get(plugin, True):
            return EffectiveFeature(feature, on, "switched_off")
    if stored is not None:
        origin: Origin = "grant" if stored.override.kind == "grant" else "denial"
        if on or origin == "denial":
            return EffectiveFeature(feature, on, origin, stored.reason, stored.override.expires_at)
    elif feature.name not in inputs.features:
        return EffectiveFeature(feature, on, "not_included")
    if on:
        return EffectiveFeature(feature, on, "offering")
    return EffectiveFeature(feature, on, "plugin_off" if feature.kind == "flag" else "requirement_missing")
