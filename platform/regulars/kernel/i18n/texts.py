"""Translating texts: now (`gettext`) or when they are shown (`LazyText`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from regulars.kernel.i18n.current import current_translations


def gettext(message: str, /, **values: object) -> str:
    """Translate a text into the current language.

    Args:
        message: the English text, with `%(name)s` where values stand.
        values: what is put in; without any, per cent signs stay as they are.
    """
    text = current_translations().gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """Translate a text that depends on a number.

    Args:
        singular: English for one.
        plural: English for all others.
        number: chooses the form and stands for `%(num)s`.
        values: further values.
    """
    return current_translations().ngettext(singular, plural, number) % {"num": number, **values}


def pgettext(context: str, message: str, /, **values: object) -> str:
    """As `gettext`, with a context that tells two meanings of one English text apart."""
    text = current_translations().pgettext(context, message)
    return text % values if values else text


def npgettext(context: str, singular: str, plural: str, number: int, /, **values: object) -> str:
    """As `ngettext`, with a context."""
    return current_translations().npgettext(context, singular, plural, number) % {"num": number, **values}


@dataclass(frozen=True, slots=True)
class LazyText:
    """A text that is translated when it is shown: `LazyText(N_("Stamp cards"))`.

    Attributes:
        message: the English text.
        values: put in for `%(name)s`.
    """

    message: str
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return gettext(self.message, **self.values)
