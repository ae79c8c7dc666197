"""Themes: found in folders and packages, put into chains, offered to tenants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import structlog

from regulars.contracts.errors import ConfigurationError
from regulars.kernel.templating.errors import ThemeError
from regulars.kernel.templating.theme_files import MANIFEST, PRESETS, Preset, Theme, load_theme
from regulars.kernel.templating.theme_settings import ThemeField, value_faults

log = structlog.get_logger(__name__)
DEFAULT_THEME = "classic"
GROUP = "regulars.themes"
"""Entry points of packages that are themes: name → import package, whose folder is the theme."""


class ThemeLoadError(ConfigurationError):
    """Themes cannot be used; one line per fault."""

    code = "theme_faults"


@dataclass(frozen=True, slots=True)
class Source:
    """A place where a theme lies.

    Attributes:
        name: what the theme must be called.
        owner: slug of the only tenant that may wear it, empty for everybody's.
    """

    folder: Path
    name: str
    owner: str = ""


class Themes:
    """All themes of an installation.

    Args:
        themes: as loaded; names must differ and parents exist.

    Raises:
        ThemeError: a name twice, a missing parent, or parents in a circle.
    """

    def __init__(self, themes: Iterable[Theme]) -> None:
        self._by_name: dict[str, Theme] = {}
        for theme in themes:
            name = theme.manifest.name
            if name in self._by_name:
                other = self._by_name[name].folder
                raise ThemeError(theme.folder / "theme.toml", "name", f"'{name}' is already used by {other}")
            self._by_name[name] = theme
        for name, theme in self._by_name.items():
            self.chain(name)
            self._check_presets(theme)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._by_name))

    def __getitem__(self, name: str) -> Theme:
        return self._by_name[name]

    def known(self, name: str) -> str:
        """The theme of that name, or the default one where it is not installed any more."""
        return name if name in self._by_name else DEFAULT_THEME

    def offered(self, slug: str) -> Sequence[Theme]:
        """What a tenant may choose, the default first: everybody's themes and its own.

        Args:
            slug: of the tenant; of the live one for a sandbox.
        """
        found = [theme for theme in self._by_name.values() if theme.owner in {"", slug}]
        return sorted(found, key=lambda theme: (theme.name != DEFAULT_THEME, not theme.owner, theme.manifest.title))

    def chain(self, name: str) -> tuple[Theme, ...]:
        """A theme and its parents, nearest first.

        Args:
            name: a known theme's name.

        Raises:
            KeyError: no such theme.
            ThemeError: its parents are missing or form a circle.
        """
        chain = [self._by_name[name]]
        while parent := chain[-1].manifest.extends:
            file = chain[-1].folder / "theme.toml"
            if parent not in self._by_name:
                raise ThemeError(file, "extends", f"there is no theme '{parent}'")
            if any(theme.manifest.name == parent for theme in chain):
                raise ThemeError(file, "extends", f"'{parent}' and '{name}' extend each other")
            chain.append(self._by_name[parent])
        return tuple(chain)

    def fields(self, name: str) -> tuple[ThemeField, ...]:
        """What a tenant with this theme may set: its fields and its parents', the nearest definition of each key."""
        found: dict[str, ThemeField] = {}
        for theme in reversed(self.chain(name)):
            found.update({field.key: field for field in theme.fields})
        return tuple(found.values())

    def presets(self, name: str) -> Sequence[Preset]:
        """The named sets of values of a theme; those of its parents where it has none."""
        return next((theme.presets for theme in self.chain(name) if theme.presets), ())

    def _check_presets(self, theme: Theme) -> None:
        fields = self.fields(theme.name)
        for preset in theme.presets:
            for key, sentence in value_faults(fields, preset.values).items():
                raise ThemeError(theme.folder / PRESETS, f"{preset.name}.values.{key}", sentence)


def in_folder(folder: Path) -> Iterator[Source]:
    """The themes of a folder such as `themes/`; a missing one has none."""
    for file in sorted(folder.glob(f"*/{MANIFEST}")):
        yield Source(file.parent, file.parent.name)


def of_tenants(folder: Path) -> Iterator[Source]:
    """The themes of single tenants, `<slug>/theme/`, in a folder such as `tenants/`; each is called as its tenant."""
    for file in sorted(folder.glob(f"*/theme/{MANIFEST}")):
        slug = file.parents[1].name
        yield Source(file.parent, slug, owner=slug)


def installed() -> Iterator[Source]:
    """The themes of installed packages; nothing of them is imported."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        spec = find_spec(point.module)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield Source(Path(folder), point.name)


def discover(
    folders: Sequence[Path],
    host_version: str,
    *,
    others: Iterable[Source] = (),
    policy: Literal["fail", "quarantine"] = "fail",
) -> Themes:
    """Find all themes. Their faults are collected and told at once.

    Args:
        folders: each holds one folder for each theme, such as `themes/`; missing ones are skipped.
        host_version: of this Regulars.
        others: further places.
        policy: `fail` refuses on any fault; `quarantine` leaves faulty ones of `others` out, and what extends them.

    Raises:
        ThemeLoadError: one line per fault; each names file and key.
    """
    ours = [source for folder in folders for source in in_folder(folder)]
    loaded: list[Theme] = []
    faults: list[ThemeError] = []
    for source in (*ours, *others):
        try:
            loaded.append(load_theme(source.folder, host_version, name=source.name, owner=source.owner))
        except ThemeError as error:
            faults.append(error)
    themes, more = _sound(loaded)
    faults += more
    if any(policy == "fail" or _is_in(fault, ours) for fault in faults):
        raise ThemeLoadError("\n".join(f"theme: {fault}" for fault in faults))
    for fault in faults:
        log.error("theme_quarantined", fault=str(fault))
    return themes


def _sound(themes: list[Theme]) -> tuple[Themes, list[ThemeError]]:
    """The themes that can live together, and a fault for each that had to go."""
    faults: list[ThemeError] = []
    while True:
        try:
            return Themes(themes), faults
        except ThemeError as error:
            faults.append(error)
            themes = [theme for theme in themes if not error.file.is_relative_to(theme.folder)]


def _is_in(fault: ThemeError, sources: Iterable[Source]) -> bool:
    return any(fault.file.is_relative_to(source.folder) for source in sources)
