"""Own words: a tenant's texts in place of ours, one language at a time. They are data, never templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from gettext import NullTranslations, c2py
from types import MappingProxyType

from babel.messages.catalog import Catalog

from regulars.kernel.i18n.sources import Key

Wording = Mapping[Key, tuple[str, ...]]
"""Context and English of a text → its own words, in as many forms as the language has plurals, or just one."""
NO_WORDING: Wording = MappingProxyType({})


class OwnWords(str):
    """A text that a tenant wrote. Ours may hold markup, these may not: pages escape them."""

    __slots__ = ()


class Worded(NullTranslations):
    """A catalogue behind a tenant's own words.

    Args:
        ours: speaks where the tenant has said nothing.
        own: the tenant's words, not empty.
        language: of both, for its plural forms.
    """

    def __init__(self, ours: NullTranslations, own: Wording, language: str) -> None:
        super().__init__()
        self._ours = ours
        self._own = own
        self._form = plural_form(language)

    def gettext(self, message: str) -> str:
        """The own words, or ours."""
        forms = self._own.get(("", message))
        return OwnWords(forms[0]) if forms else self._ours.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The own words for a number, or ours."""
        return self._counted("", msgid1, n) or self._ours.ngettext(msgid1, msgid2, n)

    def pgettext(self, context: str, message: str) -> str:
        """The own words in a context, or ours."""
        forms = self._own.get((context, message))
        return OwnWords(forms[0]) if forms else self._ours.pgettext(context, message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """The own words for a number in a context, or ours."""
        return self._counted(context, msgid1, n) or self._ours.npgettext(context, msgid1, msgid2, n)

    def _counted(self, context: str, message: str, number: int) -> str:
        forms, form = self._own.get((context, message), ()), self._form(number)
        return OwnWords(forms[form]) if form < len(forms) else ""


@cache
def plural_form(language: str) -> Callable[[int], int]:
    """Which form of a text a number takes in a language: 0 for the first.

    Args:
        language: such as `lt` or `de_AT`.
    """
    return c2py(plural_expression(language))


def plural_expression(language: str) -> str:
    """The rule of a language's plural forms, as .po files write it; English one's and others' where none is known."""
    return Catalog(locale=language).plural_expr


def numbers_of_forms(language: str) -> list[tuple[int, ...]]:
    """Examples of the numbers that take each form, up to three: [(1,), (0, 2, 3)] in German."""
    form = plural_form(language)
    forms = [form(number) for number in range(200)]
    count = Catalog(locale=language).num_plurals
    return [tuple(number for number, one in enumerate(forms) if one == wanted)[:3] for wanted in range(count)]
