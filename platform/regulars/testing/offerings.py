"""What tenants of tests may use: everything that they need, and the plugins under test with all their flags."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.world import HOST_FEATURES, PLUGINS


def offering_options(code: str, tested: Sequence[str], registry: PluginRegistry) -> Mapping[str, Any]:
    """Options of `make_tenant`.

    Args:
        code: `everything`, or the code of an offering in `tenants/offerings.toml`.
        tested: plugins under test.
        registry: the loaded plugins.

    Raises:
        KeyError: there is no such offering.
    """
    own = [name for name in registry.features if name.partition(".")[0] in tested]
    limits = {name: None for name in registry.limits if name.partition(".")[0] in tested}
    if code == "everything":
        features: Sequence[str] = (*PLUGINS, *HOST_FEATURES, "api_access")
        limits = {"shops": None, "programs": None, **dict.fromkeys(registry.limits)}
    else:
        offering = tomllib.loads((bundled("tenants") / "offerings.toml").read_text("utf-8"))[code]
        features = offering["features"]
        numbers = {name: None if value == "unlimited" else value for name, value in offering["limits"].items()}
        limits = {**numbers, **limits}
    return {"offering": code, "features": (*features, *own), "limits": limits, "plugins": registry.names}
