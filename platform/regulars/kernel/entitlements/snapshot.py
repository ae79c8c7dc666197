"""From the raw row of `core.resolve_host` to the frozen snapshot that travels with every request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from regulars.contracts.context import Branding, TenantSnapshot
from regulars.kernel.entitlements.rules import Known, Override, entitle
from regulars.kernel.i18n.sources import Key
from regulars.kernel.i18n.wording import Wording

_NO_WORDING: Mapping[str, Wording] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Built:
    """A snapshot and how long it may be kept.

    Attributes:
        seconds: until the first override ends, by the database's clock; `None` when none does.
    """

    snapshot: TenantSnapshot
    seconds: float | None


class LoadedPlugins(Protocol):
    """The part of the plugin registry that is needed here."""

    @property
    def requires(self) -> Mapping[str, tuple[str, ...]]:
        """Plugin → plugins that it requires."""

    @property
    def features(self) -> Mapping[str, str]:
        """Plugins and their flags → titles."""


class SnapshotBuilder:
    """Makes snapshots.

    Args:
        plugins: the loaded plugins.
        host_features: names of the host's own features.
    """

    def __init__(self, plugins: LoadedPlugins, host_features: Iterable[str]) -> None:
        requires = dict(plugins.requires)
        flags = frozenset(plugins.features) - requires.keys()
        self._known = Known(requires=requires, flags=flags, host_features=frozenset(host_features))

    def build(self, raw: Mapping[str, Any]) -> Built:
        """Make a snapshot.

        Args:
            raw: the row of `core.resolve_host`: tenant, offering, overrides, switches, kill switches, `now`.

        Returns:
            The snapshot; equal sets of plugins are the same object in all of them.
        """
        now = _time(raw["now"])
        branding = {name: value for name, value in raw["branding"].items() if name in Branding.__slots__}
        found = entitle(
            self._known,
            features=raw["offering_features"],
            limits=raw["offering_limits"],
            overrides=[_override(row) for row in raw["overrides"]],
            switches=raw["switches"],
            killed=raw["killed"],
            now=now,
        )
        snapshot = TenantSnapshot(
            id=UUID(raw["id"]),
            slug=raw["slug"],
            name=raw["name"],
            host=raw["host"],
            status=raw["status"],
            live_tenant_id=UUID(raw["live_tenant_id"]) if raw["live_tenant_id"] else None,
            offering=raw["offering"],
            enabled=_interned(found.enabled),
            features=_interned(found.features),
            limits=MappingProxyType(dict(found.limits)),
            theme=raw["theme"],
            branding=Branding(**branding),
            locales=tuple(raw["locales"]),
            default_locale=raw["default_locale"],
            timezone=raw["timezone"],
            currency=raw["currency"],
            country=raw["country"],
            revision=raw["revision"],
            moved=raw["moved"],
            verify_by=_time(raw["verify_by"]) if raw["verify_by"] else None,
            wording=_wording(raw["wording"]),
        )
        return Built(snapshot, (found.valid_until - now).total_seconds() if found.valid_until else None)


def _override(row: Mapping[str, Any]) -> Override:
    expires_at = _time(row["expires_at"]) if row["expires_at"] else None
    return Override(row["name"], row["kind"], row["value"], expires_at)


def _wording(rows: Sequence[tuple[str, str, str, Sequence[str]]]) -> Mapping[str, Wording]:
    """Own words by language; tenants without any, nearly all, share one empty mapping."""
    if not rows:
        return _NO_WORDING
    found: dict[str, dict[Key, tuple[str, ...]]] = {}
    for locale, context, english, forms in rows:
        found.setdefault(locale, {})[context, english] = tuple(forms)
    return MappingProxyType({locale: MappingProxyType(own) for locale, own in found.items()})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@lru_cache(maxsize=4096)
def _interned(names: frozenset[str]) -> frozenset[str]:
    return names
