"""Themes: folders with theme.toml and settings.toml, found, checked and put into chains."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from regulars.kernel.templating.errors import ThemeError
from regulars.kernel.templating.theme_settings import ThemeField, load_fields

DEFAULT_THEME = "classic"
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,30}")
_KEYS = {"name", "title", "version", "extends", "host", "description", "author"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeManifest:
    """What `theme.toml` says.

    Attributes:
        name: equal to the folder's name.
        version: of the theme.
        extends: the parent theme's name, empty for none.
        host: range of Regulars versions that it works with.
    """

    name: str
    title: str
    version: Version
    extends: str
    host: SpecifierSet
    description: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A theme on disk.

    Attributes:
        folder: with `templates/`, `static/` and `locale/` by presence.
        fields: what a tenant may set, parents' fields not included.
    """

    manifest: ThemeManifest
    folder: Path
    fields: Sequence[ThemeField]

    @property
    def templates(self) -> Path:
        """Its templates; may not exist."""
        return self.folder / "templates"

    @property
    def static(self) -> Path | None:
        """Its static files, if any."""
        folder = self.folder / "static"
        return folder if folder.is_dir() else None


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
        for name in self._by_name:
            self.chain(name)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._by_name))

    def __getitem__(self, name: str) -> Theme:
        return self._by_name[name]

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


def discover(folders: Sequence[Path], host_version: str) -> Themes:
    """Find the themes in folders.

    Args:
        folders: each holds one folder for each theme, such as `themes/`; missing ones are skipped.
        host_version: of this Regulars.

    Raises:
        ThemeError: a theme is not usable; the text names file and key.
    """
    files = (file for folder in folders for file in sorted(folder.glob("*/theme.toml")))
    return Themes(load_theme(file.parent, host_version) for file in files)


def load_theme(folder: Path, host_version: str) -> Theme:
    """Read one theme.

    Args:
        folder: holds `theme.toml`.
        host_version: of this Regulars, checked against the theme's range.

    Raises:
        ThemeError: the text names file and key.
    """
    file = folder / "theme.toml"
    data = read_toml(file)
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise ThemeError(file, unknown[0], "unknown key")
    manifest = _manifest(file, data)
    if manifest.name != folder.name:
        raise ThemeError(file, "name", f"must be the folder's name '{folder.name}', not '{manifest.name}'")
    if not manifest.host.contains(host_version, prereleases=True):
        raise ThemeError(file, "host", f"needs Regulars {manifest.host}, this is {host_version}")
    settings = folder / "settings.toml"
    fields = load_fields(settings, read_toml(settings)) if settings.is_file() else ()
    return Theme(manifest=manifest, folder=folder, fields=fields)


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ThemeError: it is missing or not TOML.
    """
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ThemeError(file, "", "is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThemeError(file, "", f"is not TOML: {error}") from None


def _manifest(file: Path, data: Mapping[str, Any]) -> ThemeManifest:
    def text(key: str, default: str | None = None) -> str:
        value = data.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise ThemeError(file, key, "must be a text" if key in data else "is missing")
        return value

    name = text("name")
    if not _NAME.fullmatch(name):
        raise ThemeError(file, "name", f"'{name}' must be lower-case letters, digits, - and _")
    try:
        version = Version(text("version"))
    except InvalidVersion as error:
        raise ThemeError(file, "version", str(error)) from None
    try:
        host = SpecifierSet(text("host"))
    except InvalidSpecifier as error:
        raise ThemeError(file, "host", str(error)) from None
    return ThemeManifest(
        name=name,
        title=text("title", name.capitalize()),
        version=version,
        extends=text("extends", ""),
        host=host,
        description=text("description", ""),
        author=text("author", ""),
    )
