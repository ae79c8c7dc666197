"""What people choose from: kinds of programs, time zones and currencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name

from regulars.domain.programs.service import KINDS
from regulars.kernel.i18n import current_locale
from regulars.kernel.i18n import gettext as _
from regulars.web.work import Work

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


def kind_choices(work: Work) -> Sequence[Mapping[str, object]]:
    """Kinds of programs as the component `choice_tiles` takes them; those that the offering lacks are disabled."""
    texts = {
        "stamps": ("stamp", _("Buy ten, get one: a stamp for every visit.")),
        "points": ("coins", _("Points for every euro, rewards to choose from.")),
        "hybrid": ("layers", _("Stamps and points on one card.")),
    }
    features, tenant = work.services.catalogue.features, work.ctx.tenant
    found = []
    for kind, title in KINDS.items():
        parts = ("hybrid", "stamps", "points") if kind == "hybrid" else (kind,)
        if not all(part in features for part in parts):
            continue
        icon, text = texts[kind]
        has = all(tenant.has(part) for part in parts)
        text = text if has else _("Not in your offering.")
        found.append({"value": kind, "label": _(title), "icon": icon, "text": text, "disabled": not has})
    return found


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
