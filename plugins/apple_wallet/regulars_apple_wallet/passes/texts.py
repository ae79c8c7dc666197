"""Texts of a pass in all its languages: `pass.json` has the merchant's own, `xx.lproj/pass.strings` translates it.

The own text is the key, so that phones in a language that the merchant does not speak read it as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

_UNSEEN = "\u200b"


class Texts:
    """Collects what a pass says.

    Args:
        locale: the merchant's own language.
    """

    def __init__(self, locale: str) -> None:
        self._locale = locale
        self._known: dict[str, Mapping[str, str]] = {}

    def add(self, words: Mapping[str, str]) -> str:
        """Say something.

        Args:
            words: language → text.

        Returns:
            What stands in `pass.json`; with an unseen space where the same text is translated in two ways.
        """
        text = words[self._locale]
        while self._known.get(text, words) != words:
            text += _UNSEEN
        if text:
            self._known[text] = words
        return text

    def files(self, locales: tuple[str, ...]) -> Mapping[str, bytes]:
        """The translations: name in the pass → content."""
        return {f"{locale}.lproj/pass.strings": self._file(locale) for locale in locales}

    def _file(self, locale: str) -> bytes:
        lines = (f'"{_quoted(key)}" = "{_quoted(words[locale])}";\n' for key, words in self._known.items())
        return "".join(lines).encode()


def _quoted(text: str) -> str:
    """A text between quotes in a strings file."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
