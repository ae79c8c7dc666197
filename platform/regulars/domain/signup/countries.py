"""Countries to choose from, and what follows from a country: currency, time zone, languages. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies

from regulars.kernel.i18n import current_locale
from regulars.kernel.text import folded
from regulars.kernel.timezones import timezone_names

_WITHOUT_ZONE_LINE = MappingProxyType({"XK": ("Europe/Belgrade",)})
"""In use everywhere, but no line of ISO 3166 and so none of the time-zone database."""


@dataclass(frozen=True, slots=True)
class Home:
    """What a merchant of a country starts with.

    Attributes:
        locales: languages of its pages, the first one is the usual one.
    """

    currency: str
    timezone: str
    locales: tuple[str, ...]


def country_list() -> Sequence[tuple[str, str]]:
    """All countries as (code, name) in the current language, by name."""
    names = Locale.parse(current_locale()).territories
    return sorted(((code, names[code]) for code in _zones() if code in names), key=lambda one: folded(one[1]))


def is_country(code: str) -> bool:
    """Whether a code is one of the list's."""
    return code in _zones()


def likely_country(accept_language: str) -> str:
    """The country of a browser's first language: `de-LU` says it, `lt` suggests one; empty when nothing does.

    Args:
        accept_language: the HTTP header.
    """
    wanted = accept_language.split(",", 1)[0].partition(";")[0].strip()
    try:
        locale = Locale.parse(wanted, sep="-")
        # Babel completes a language by CLDR's likely subtags only in its table: `lt` → `lt_Latn_LT`
        likely = locale.territory or get_global("likely_subtags").get(locale.language, "").rpartition("_")[2]
    except (ValueError, UnknownLocaleError):
        return ""
    return likely if is_country(likely) else ""


def home_of(country: str, locale: str, spoken: Sequence[str], timezone: str = "") -> Home:
    """What a merchant starts with; all of it can be changed later.

    Args:
        country: ISO 3166 code.
        locale: language that the visitor reads.
        spoken: languages that the platform speaks.
        timezone: of the visitor's device, empty when unknown; taken when it is one of the country's.
    """
    zones = _zones()[country]
    official = [code for code in get_official_languages(country, de_facto=True) if code in spoken]
    locales = tuple(dict.fromkeys([*official, locale]))
    return Home(
        currency=next(iter(get_territory_currencies(country)), "EUR"),
        timezone=timezone if timezone in zones and timezone in timezone_names() else zones[0],
        locales=locales,
    )


@cache
def _zones() -> Mapping[str, tuple[str, ...]]:
    """Country → its time zones, the most populous first: the order of the time-zone database's own list."""
    found: dict[str, list[str]] = {}
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _coordinates, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {**{country: tuple(zones) for country, zones in found.items()}, **_WITHOUT_ZONE_LINE}
