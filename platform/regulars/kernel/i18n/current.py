"""Which language and time zone apply now: set for a request or job, inherited by its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from gettext import NullTranslations

from babel import Locale

from regulars.kernel.i18n.catalogues import SOURCE_LOCALE, Catalogues
from regulars.kernel.i18n.wording import NO_WORDING, Worded, Wording


@dataclass(frozen=True, slots=True)
class _Current:
    locale: Locale
    timezone: str = "UTC"
    translations: NullTranslations = field(default_factory=NullTranslations)
    own: Wording = field(default_factory=lambda: NO_WORDING)


_default = _Current(Locale.parse(SOURCE_LOCALE))
_current: ContextVar[_Current] = ContextVar("locale", default=_default)
_catalogues = Catalogues(())


def install(catalogues: Catalogues) -> None:
    """Make the catalogues of this process known; called once by the composition root, before the first request."""
    global _catalogues  # noqa: PLW0603 -- texts are translated from anywhere, as with every gettext
    _catalogues = catalogues


@contextmanager
def use_locale(locale: str, timezone: str = "UTC", own: Wording = NO_WORDING) -> Iterator[None]:
    """Speak a language inside the block.

    Args:
        locale: such as `lt` or `de_AT`; regions fall back to their language's catalogue.
        timezone: IANA name for times without a zone of their own to show in.
        own: a tenant's own words in this language.

    Raises:
        babel.UnknownLocaleError, ValueError: no such locale.
    """
    parsed = Locale.parse(locale.replace("-", "_"))
    ours = _catalogues.get(str(parsed))
    token = _current.set(_Current(parsed, timezone, Worded(ours, own, locale) if own else ours, own))
    try:
        yield
    finally:
        _current.reset(token)


def current_locale() -> Locale:
    """The locale in force, English outside of `use_locale`."""
    return _current.get().locale


def current_timezone() -> str:
    """IANA name of the time zone in force, UTC outside of `use_locale`."""
    return _current.get().timezone


def current_wording() -> Wording:
    """The tenant's own words in force, none outside of `use_locale`."""
    return _current.get().own


def current_translations() -> NullTranslations:
    """The catalogue in force."""
    return _current.get().translations
