"""Every feature and limit that an offering can name here: those of the host and those of the loaded plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from regulars.contracts.errors import InvalidInput
from regulars.domain.tenants.features import FEATURES, LIMITS
from regulars.kernel.entitlements.rules import Known
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.registry import PluginRegistry

FeatureKind = Literal["host", "plugin", "flag"]


@dataclass(frozen=True, slots=True)
class KnownFeature:
    """A feature that means something here.

    Attributes:
        kind: of the host, a plugin as a whole, or a flag below a plugin.
        title: English, translated when shown.
        alias: code of the brief, where it has another one.
    """

    name: str
    kind: FeatureKind
    title: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The known names.

    Attributes:
        features: name → feature: the host's, then each plugin with its flags, in loading order.
        limits: name → title.
        requires: plugin → plugins that it requires.
    """

    features: Mapping[str, KnownFeature]
    limits: Mapping[str, str]
    requires: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, registry: PluginRegistry) -> Self:
        """The catalogue of the host and these plugins."""
        codes = {name: alias for alias, name in registry.aliases.items()}
        features = {one.name: KnownFeature(one.name, "host", one.title, one.alias) for one in FEATURES}
        for name, title in registry.features.items():
            kind: FeatureKind = "flag" if "." in name else "plugin"
            features[name] = KnownFeature(name, kind, title, codes.get(name, ""))
        limits = {one.name: one.title for one in LIMITS}
        limits |= {name: limit.title for name, limit in registry.limits.items()}
        return cls(features, limits, registry.requires)

    @property
    def plugins(self) -> tuple[str, ...]:
        """Names of the loaded plugins, in loading order."""
        return tuple(name for name, feature in self.features.items() if feature.kind == "plugin")

    @property
    def known(self) -> Known:
        """The same for the rule of what is in force."""
        names = {kind: frozenset(n for n, f in self.features.items() if f.kind == kind) for kind in ("flag", "host")}
        return Known(requires=self.requires, flags=names["flag"], host_features=names["host"])

    def check_feature(self, name: str) -> None:
        """Refuse an unknown feature.

        Raises:
            InvalidInput: under the field `name`.
        """
        self._check(name, self.features)

    def check_limit(self, name: str) -> None:
        """Refuse an unknown limit.

        Raises:
            InvalidInput: under the field `name`.
        """
        self._check(name, self.limits)

    def check_plugin(self, name: str) -> None:
        """Refuse a plugin that is not loaded.

        Raises:
            InvalidInput: under the field `name`.
        """
        self._check(name, self.plugins)

    @staticmethod
    def _check(name: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
        if name not in known:
            sentence = _("“%(name)s” is not known here; there are: %(names)s.", name=name, names=", ".join(known))
            raise InvalidInput(sentence, fields={"name": sentence})
