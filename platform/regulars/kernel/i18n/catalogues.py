"""One merged catalogue for each locale, compiled in memory from the .po files of themes, plugins and host."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

SOURCE_LOCALE = "en"
LANGUAGES = (SOURCE_LOCALE, "lt", "fr", "de")
"""Languages that the host, the bundled plugins and the bundled themes speak completely."""


class CatalogueError(Exception):
    """A .po file cannot be read; the text names it."""


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
        self._merged: dict[str, Translations] = {}
        for domain, folder in sources:
            for file in sorted(folder.glob(f"*/LC_MESSAGES/{domain}.po")):
                self._add(file.parents[1].name, file)

    @property
    def locales(self) -> tuple[str, ...]:
        """Locales with any translation, and English."""
        return tuple(sorted({SOURCE_LOCALE, *self._merged}))

    def get(self, locale: str) -> NullTranslations:
        """Catalogue of a locale; of its language (`de` for `de_AT`) where there is none; else English as written."""
        return self._merged.get(locale) or self._merged.get(locale.partition("_")[0]) or NullTranslations()

    def _add(self, locale: str, file: Path) -> None:
        catalogue = compile_po(file)
        if locale in self._merged:
            self._merged[locale].merge(catalogue)
        else:
            self._merged[locale] = catalogue


def compile_po(file: Path) -> Translations:
    """Read a .po file and compile it in memory; fuzzy entries count as untranslated.

    Raises:
        CatalogueError: the file is not valid; the text names it.
    """
    try:
        with file.open("rb") as source:
            catalogue = read_po(source, locale=file.parents[1].name, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise CatalogueError(f"{file}: {error}") from error
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=file.stem)
