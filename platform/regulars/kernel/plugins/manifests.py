"""Is a manifest well-formed? Everything that can be said without importing the plugin's parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from regulars import __version__
from regulars.contracts.manifest import NAME_PATTERN, Plugin
from regulars.kernel.plugins.discovery import Candidate

_TARGET = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


def manifest_faults(candidate: Candidate, manifest: Plugin) -> Iterator[str]:
    """What is wrong with a manifest.

    Args:
        candidate: where it was found.
        manifest: what was found there.

    Yields:
        One sentence per fault.
    """
    if manifest.name != candidate.name:
        yield f"its manifest is named {manifest.name!r}, its entry point {candidate.name!r}; they must be equal"
    if not NAME_PATTERN.match(manifest.name):
        yield f"its name does not match {NAME_PATTERN.pattern}"
    if candidate.ours and candidate.package != f"regulars_{candidate.name}":
        yield f"its package must be regulars_{candidate.name}, not {candidate.package}"
    yield from _host_faults(manifest)
    if manifest.settings_version < 1:
        yield "settings_version must be at least 1"
    yield from _name_faults(manifest)
    yield from _target_faults(manifest)
    yield from _nav_faults(manifest)


def _host_faults(manifest: Plugin) -> Iterator[str]:
    try:
        specifier = SpecifierSet(manifest.host)
    except InvalidSpecifier:
        yield f"its host version range {manifest.host!r} is not a version specifier such as '>=1,<2'"
        return
    if not specifier.contains(Version(__version__), prereleases=True):
        yield f"it works with host versions {manifest.host}, this is {__version__}"


def _name_faults(manifest: Plugin) -> Iterator[str]:
    if manifest.name in manifest.requires:
        yield "it requires itself"
    groups: dict[str, list[str]] = {
        "feature": [item.name for item in manifest.features],
        "limit": [item.name for item in manifest.limits],
        "permission": [item.name for item in manifest.permissions],
        "event": [item.name for item in manifest.events],
        "required plugin": list(manifest.requires),
        "earlier plugin": list(manifest.after),
    }
    for word, names in groups.items():
        for name, count in Counter(names).items():
            if not NAME_PATTERN.match(name):
                yield f"the {word} {name!r} does not match {NAME_PATTERN.pattern}"
            if count > 1:
                yield f"the {word} {name!r} is declared {count} times"


def _target_faults(manifest: Plugin) -> Iterator[str]:
    targets = [
        manifest.settings,
        manifest.hooks,
        manifest.facts,
        manifest.writes,
        *(blueprint.target for blueprint in manifest.blueprints),
        *(slot.target for slot in manifest.slots),
        *(provider.target for provider in manifest.providers),
        *(event.payload for event in manifest.events),
    ]
    for target in targets:
        if target is not None and not _TARGET.match(target):
            yield f"{target!r} is not of the form 'module:attribute'"


def _nav_faults(manifest: Plugin) -> Iterator[str]:
    areas = Counter(ref.area for ref in manifest.blueprints)
    for area, count in areas.items():
        if count > 1:
            yield f"it has {count} blueprints for the area {area!r}; one is possible"
    own = {f"{manifest.name}.{permission.name}" for permission in manifest.permissions}
    for entry in manifest.nav:
        if entry.area not in areas:
            yield f"its menu entry {entry.endpoint!r} needs a blueprint for the area {entry.area!r}"
        if entry.permission.startswith(f"{manifest.name}.") and entry.permission not in own:
            yield f"its menu entry {entry.endpoint!r} needs {entry.permission!r}, which it does not declare"
