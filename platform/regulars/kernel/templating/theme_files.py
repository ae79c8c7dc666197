"""One theme's folder: theme.toml, settings.toml and presets.toml, read and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateSyntaxError
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from regulars.kernel.templating.errors import ThemeError
from regulars.kernel.templating.theme_settings import ThemeField, load_fields

MANIFEST, SETTINGS, PRESETS, SCREENSHOT = "theme.toml", "settings.toml", "presets.toml", "screenshot.png"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,40}")
_KEYS = {"name", "title", "version", "extends", "host", "description", "author"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeManifest:
    """What `theme.toml` says.

    Attributes:
        name: equal to the folder's name, the tenant's slug or the entry point's name, wherever it lies.
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
class Preset:
    """A named set of values, one click in the merchant's form.

    Attributes:
        name: its table in `presets.toml`.
        title: English text, translated in the theme's or the host's catalogue.
        values: setting → value; `primary` may be one of them.
    """

    name: str
    title: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A theme on disk.

    Attributes:
        folder: with `templates/`, `static/` and `locale/` by presence.
        fields: what a tenant may set, parents' fields not included.
        presets: its own, parents' not included; checked once the parents' fields are known.
        owner: slug of the only tenant that may wear it, empty for everybody's.
    """

    manifest: ThemeManifest
    folder: Path
    fields: Sequence[ThemeField]
    presets: Sequence[Preset] = ()
    owner: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.manifest.name

    @property
    def templates(self) -> Path:
        """Its templates; may not exist."""
        return self.folder / "templates"

    @property
    def overrides(self) -> Sequence[str]:
        """Names of its templates, sorted: `portal/card.html`."""
        files = (file for file in self.templates.rglob("*") if file.is_file())
        return sorted(file.relative_to(self.templates).as_posix() for file in files)

    @property
    def static(self) -> Path | None:
        """Its static files, if any."""
        folder = self.folder / "static"
        return folder if folder.is_dir() else None

    @property
    def screenshot(self) -> Path | None:
        """Its picture for the merchant's choice, if any."""
        file = self.folder / SCREENSHOT
        return file if file.is_file() else None


def load_theme(folder: Path, host_version: str, *, name: str = "", owner: str = "") -> Theme:
    """Read one theme.

    Args:
        folder: holds `theme.toml`.
        host_version: of this Regulars, checked against the theme's range.
        name: what it must be called; the folder's name when empty.
        owner: slug of the only tenant that may wear it, empty for everybody's.

    Raises:
        ThemeError: the text names file and key.
    """
    file = folder / MANIFEST
    data = read_toml(file)
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise ThemeError(file, unknown[0], "unknown key")
    manifest = _manifest(file, data)
    expected = name or folder.name
    if manifest.name != expected:
        raise ThemeError(file, "name", f"must be '{expected}', as the theme is called where it lies")
    if not manifest.host.contains(host_version, prereleases=True):
        raise ThemeError(file, "host", f"needs Regulars {manifest.host}, this is {host_version}")
    settings, presets = folder / SETTINGS, folder / PRESETS
    theme = Theme(
        manifest=manifest,
        folder=folder,
        fields=load_fields(settings, read_toml(settings)) if settings.is_file() else (),
        presets=_presets(presets, read_toml(presets)) if presets.is_file() else (),
        owner=owner,
    )
    _check_syntax(theme)
    return theme


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


def _presets(file: Path, data: Mapping[str, Any]) -> Sequence[Preset]:
    found = []
    for name, table in data.items():
        if not isinstance(table, dict) or not isinstance(table.get("title"), str):
            raise ThemeError(file, f"{name}.title", "is missing")
        if not isinstance(table.get("values"), dict):
            raise ThemeError(file, f"{name}.values", "must be a table of settings")
        if unknown := sorted(set(table) - {"title", "values"}):
            raise ThemeError(file, f"{name}.{unknown[0]}", "unknown key")
        found.append(Preset(name=name, title=table["title"], values=table["values"]))
    return tuple(found)


def _check_syntax(theme: Theme) -> None:
    """A template that cannot be compiled would be found by its first visitor otherwise."""
    for name in theme.overrides:
        file = theme.templates / name
        state = file.stat()
        _check_template(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)
def _check_template(file: Path, changed_at: int, size: int) -> None:
    """Check a file as it is now; a sound one is read once, a faulty one each time."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    try:
        environment.parse(file.read_text("utf-8"))
    except TemplateSyntaxError as error:
        raise ThemeError(file, f"line {error.lineno}", error.message or "cannot be read") from None
    except UnicodeDecodeError:
        raise ThemeError(file, "", "is no text in UTF-8") from None
