"""What is in force for a tenant. Kept apart: allowed (offering), switched on (tenant), enabled (both, not killed)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Override:
    """An operator's exception for one tenant.

    Attributes:
        name: of a feature or limit.
        value: of a limit, `None` for unlimited.
        expires_at: when it ends, `None` for never.
    """

    name: str
    kind: Literal["grant", "deny", "limit"]
    value: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What has a meaning in this installation.

    Attributes:
        requires: loaded plugin → plugins that it requires.
        flags: full names of the plugins' flags, `<plugin>.<flag>`.
        host_features: names of the host's own features.
    """

    requires: Mapping[str, tuple[str, ...]]
    flags: frozenset[str]
    host_features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entitlements:
    """What is in force.

    Attributes:
        enabled: plugins.
        features: features of the host, enabled plugins and their flags.
        limits: name → number, `None` for unlimited.
        valid_until: when the first override ends, `None` when none does.
    """

    enabled: frozenset[str]
    features: frozenset[str]
    limits: Mapping[str, int | None]
    valid_until: datetime | None


def entitle(
    known: Known,
    *,
    features: Iterable[str],
    limits: Mapping[str, int | None],
    overrides: Iterable[Override],
    switches: Mapping[str, bool],
    killed: Collection[str],
    now: datetime,
) -> Entitlements:
    """What is in force for a tenant now.

    Args:
        known: plugins and features that this installation has.
        features: what the offering names: plugins, their flags, features of the host. What it does not name is off.
        limits: of the offering.
        overrides: of the tenant, expired ones included.
        switches: plugin → the tenant's own choice; a plugin without one is on.
        killed: plugins that an operator has switched off.
        now: the rules' clock.

    Returns:
        The plugins that are loaded, entitled, switched on and not killed, less those whose requirements are not; and
        the features and limits that go with them.
    """
    valid = [override for override in overrides if override.expires_at is None or override.expires_at > now]
    granted = {override.name for override in valid if override.kind == "grant"}
    denied = {override.name for override in valid if override.kind == "deny"}
    entitled = (set(features) | granted) - denied
    wanted = {name for name in known.requires if name in entitled and switches.get(name, True)} - set(killed)
    enabled = close_under_requires(wanted, known.requires)
    flags = {name for name in entitled & known.flags if name.partition(".")[0] in enabled}
    replaced = {override.name: override.value for override in valid if override.kind == "limit"}
    return Entitlements(
        enabled=enabled,
        features=frozenset(enabled | flags | (entitled & known.host_features)),
        limits={**limits, **replaced},
        valid_until=min((override.expires_at for override in valid if override.expires_at), default=None),
    )


def close_under_requires(plugins: Iterable[str], requires: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The largest subset in which every plugin has what it requires."""
    kept = set(plugins)
    while lacking := {name for name in kept if not kept.issuperset(requires[name])}:
        kept -= lacking
    return frozenset(kept)
