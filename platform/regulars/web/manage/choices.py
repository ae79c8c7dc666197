"""What people choose from: time zones and currencies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name

from regulars.kernel.i18n import current_locale

_CONTINENTS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


def timezone_options(present: str) -> Sequence[tuple[str, str]]:
    """Time zones as (IANA name, label), by name.

    Args:
        present: always among them.
    """
    return [(name, name.replace("_", " ")) for name in sorted({*_zones(), present})]


def currency_options(present: str) -> Sequence[tuple[str, str]]:
    """Currencies that are in use somewhere, as (ISO code, label in the reader's language), by code.

    Args:
        present: always among them.
    """
    locale = current_locale()
    return [(code, _label(code, locale)) for code in sorted({*_currencies(), present})]


@cache
def _zones() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in _CONTINENTS)


@cache
def _currencies() -> frozenset[str]:
    """Legal tender of today: Babel keeps (code, from, to, tender) for each territory."""
    of_territories = get_global("territory_currencies").values()
    return frozenset(
        code for rows in of_territories for code, _since, until, tender in rows if until is None and tender
    )


def _label(code: str, locale: Locale) -> str:
    return f"{code} – {get_currency_name(code, locale=locale)}"
