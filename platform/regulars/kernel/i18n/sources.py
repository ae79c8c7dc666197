"""Which texts a domain has: read from Python, from templates and from a theme's settings, without running anything."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
_JINJA = {
    "newstyle_gettext": "true",
    "trimmed": "true",
    "silent": "false",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
}
_OPTIONS = {pattern: _JINJA for pattern, method in _METHODS if method == "jinja2"}
_KEYWORDS: Mapping[str, Any] = {**DEFAULT_KEYWORDS, "N_": None, "LazyText": None, "Variable": (2,)}
_NOT_READ = {"testing", "tests", "static", "locale", "node_modules", "__pycache__"}
_THEME_FILE, _SETTINGS_FILE, _PRESETS_FILE = "theme.toml", "settings.toml", "presets.toml"

Text = tuple[str, str | tuple[str, ...], str | None]
"""File below the domain's folder, the text (singular and plural of a counted one), its context."""
Key = tuple[str, str]
"""What tells two texts apart: context (empty for none) and English (singular)."""


def key_of(message: Message) -> Key:
    """What tells a text from all others."""
    return message.context or "", forms_of(message.id)[0]


def forms_of(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """The forms of a text: one, or as many as the language has plurals."""
    return (text or "",) if isinstance(text, str) or text is None else tuple(text)


@dataclass(frozen=True, slots=True)
class Domain:
    """What is translated together: the host, a plugin or a theme.

    Attributes:
        name: `regulars`, the plugin's or the theme's name; name of its .po files.
        folder: its package or theme; translations lie in `locale/` below.
    """

    name: str
    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Domain:
        """The domain of a theme, named as it says, or of a package: `regulars`, `regulars_stamps` → `stamps`."""
        if (folder / _THEME_FILE).is_file():
            return cls(str(_toml(folder / _THEME_FILE).get("name", folder.name)), folder)
        return cls(folder.resolve().name.removeprefix("regulars_"), folder)

    def file(self, locale: str) -> Path:
        """The .po file of a language; may not exist."""
        return self.folder / "locale" / locale / "LC_MESSAGES" / f"{self.name}.po"

    def template(self, known: Collection[Key] = ()) -> Catalog:
        """Every text that a person may see, untranslated.

        Args:
            known: texts that another domain translates already (the host's, for a plugin or theme): left out.
        """
        catalog = Catalog(domain=self.name, project=self.name)
        for file, message, context in _texts(self.folder):
            if (context or "", forms_of(message)[0]) not in known:
                catalog.add(message, locations=[(file, 0)], context=context)
        return catalog


def _texts(folder: Path) -> Iterator[Text]:
    for file, _line, message, _comments, context in extract_from_dir(
        folder, _METHODS, _OPTIONS, _KEYWORDS, directory_filter=lambda path: Path(path).name not in _NOT_READ
    ):
        yield file, message, context
    if (folder / _THEME_FILE).is_file():
        yield from _texts_of_theme(folder)


def _texts_of_theme(folder: Path) -> Iterator[Text]:
    """Title and description of a theme, and all that its settings and presets say."""
    manifest = _toml(folder / _THEME_FILE)
    yield from _marked(_THEME_FILE, (manifest.get(key) for key in ("title", "description")))
    for setting in _toml(folder / _SETTINGS_FILE).values():
        yield from _marked(_SETTINGS_FILE, (setting.get(key) for key in ("label", "help", "group")))
        yield from _marked(_SETTINGS_FILE, setting.get("options", {}).values())
    yield from _marked(_PRESETS_FILE, (preset.get("title") for preset in _toml(folder / _PRESETS_FILE).values()))


def _toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def _marked(file: str, texts: Iterable[object]) -> Iterator[Text]:
    yield from ((file, text, None) for text in texts if isinstance(text, str) and text)
