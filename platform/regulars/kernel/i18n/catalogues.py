"""One merged catalogue for each locale, compiled in memory from the .po files of themes, plugins and host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

from regulars.kernel.i18n.sources import Key, forms_of, key_of

SOURCE_LOCALE = "en"
LANGUAGES = (SOURCE_LOCALE, "lt", "fr", "de")
"""Languages that the host, the bundled plugins and the bundled themes speak completely."""


FileState = tuple[Path, int, int]
"""A file, when it was changed (ns), its size (bytes): what was read from it holds as long as they stay."""


class CatalogueError(Exception):
    """A .po file cannot be read; the text names it."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with its translation.

    Attributes:
        domain: `regulars`, or the name of a plugin or theme.
        files: where it is used, below the domain's folder.
        english: singular, and plural for counted texts.
        forms: in the language, as many as it has plurals, or one.
    """

    domain: str
    files: tuple[str, ...]
    context: str
    english: tuple[str, ...]
    forms: tuple[str, ...]


class Phrasebook:
    """All texts, to be looked through; slow to read, so read only when somebody looks. Arguments as for `Catalogues`.

    Two that differ in nothing but their domain are one: the later domain's.
    """

    def __init__(self, sources: Sequence[tuple[str, Path]]) -> None:
        self._sources = sources
        self._read: dict[str, Sequence[Phrase]] = {}

    def phrases(self, locale: str) -> Sequence[Phrase]:
        """Every text in a language; one without translations of its own has English ones."""
        if locale not in self._read:
            self._read[locale] = self._phrases(locale)
        return self._read[locale]

    def _phrases(self, locale: str) -> Sequence[Phrase]:
        found: dict[Key, Phrase] = {}
        known = LANGUAGES[1] if locale == SOURCE_LOCALE else locale.partition("_")[0]
        for domain, folder in self._sources:
            file = folder / known / "LC_MESSAGES" / f"{domain}.po"
            for message in read_catalogue(file) if file.is_file() else ():
                if not message.id:
                    continue
                english = forms_of(message.id)
                forms = english if locale == SOURCE_LOCALE else forms_of(message.string)
                files = tuple(path for path, _line in message.locations)
                found[key_of(message)] = Phrase(domain, files, message.context or "", english, forms)
        return tuple(found.values())


class Catalogues:
    """Translations of an installation.

    Args:
        sources: (domain, folder) in ascending priority: themes, plugins in load order, the host last.
            `Translations.merge` lets the later one win, so no plugin changes the host's words. A folder holds
            `<locale>/LC_MESSAGES/<domain>.po`; missing folders and files are skipped.

    Raises:
        CatalogueError: a file is not a valid .po file.
    """

    def __init__(self, sources: Sequence[tuple[str, Path]]) -> None:
        files: dict[str, list[FileState]] = {}
        for domain, folder in sources:
            for file in sorted(folder.glob(f"*/LC_MESSAGES/{domain}.po")):
                files.setdefault(file.parents[1].name, []).append(_state(file))
        self._merged = {locale: _merge(tuple(found)) for locale, found in files.items()}

    @property
    def locales(self) -> tuple[str, ...]:
        """Locales with any translation, and English."""
        return tuple(sorted({SOURCE_LOCALE, *self._merged}))

    def get(self, locale: str) -> NullTranslations:
        """Catalogue of a locale; of its language (`de` for `de_AT`) where there is none; else English as written."""
        return self._merged.get(locale) or self._merged.get(locale.partition("_")[0]) or NullTranslations()


def read_catalogue(file: Path) -> Catalog:
    """Read the .po file of a language.

    Raises:
        CatalogueError: the file is not valid; the text names it.
    """
    try:
        with file.open("rb") as source:
            return read_po(source, locale=file.parents[1].name, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise CatalogueError(f"{file}: {error}") from error


def _state(file: Path) -> FileState:
    state = file.stat()
    return file, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=64)
def _merge(files: tuple[FileState, ...]) -> Translations:
    """One catalogue of files as they are now, the last wins: reading them was most of an application's start."""
    merged, *others = (Translations(BytesIO(_compiled(state)), domain=state[0].stem) for state in files)
    for other in others:
        merged.merge(other)
    return merged


@lru_cache(maxsize=256)
def _compiled(state: FileState) -> bytes:
    """The compiled bytes of a file as it is now; fuzzy entries count as untranslated."""
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(state[0]))
    return compiled.getvalue()
