"""Languages: catalogues, the current locale, texts, and numbers, money and times as the reader writes them.

English is the source language. Python marks texts with `_ = gettext` or `N_` (translated later), templates with `_()`
and `{% trans %}`. The web layer and the worker set the locale with `use_locale`.
"""

from regulars.contracts.i18n import N_
from regulars.kernel.i18n.catalogues import LANGUAGES, SOURCE_LOCALE, Catalogues, Phrase, Phrasebook
from regulars.kernel.i18n.current import current_locale, current_timezone, current_wording, install, use_locale
from regulars.kernel.i18n.formats import (
    currency_symbol,
    format_date,
    format_datetime,
    format_money,
    format_month,
    format_number,
    format_percent,
    format_time,
    format_timedelta,
    minor_digits,
    parse_amount,
    parse_money,
)
from regulars.kernel.i18n.negotiation import language_name, negotiate
from regulars.kernel.i18n.texts import LazyText, gettext, ngettext, npgettext, pgettext
from regulars.kernel.i18n.wording import Wording

__all__ = [
    "LANGUAGES",
    "N_",
    "SOURCE_LOCALE",
    "Catalogues",
    "LazyText",
    "Phrase",
    "Phrasebook",
    "Wording",
    "currency_symbol",
    "current_locale",
    "current_timezone",
    "current_wording",
    "format_date",
    "format_datetime",
    "format_money",
    "format_month",
    "format_number",
    "format_percent",
    "format_time",
    "format_timedelta",
    "gettext",
    "install",
    "language_name",
    "minor_digits",
    "negotiate",
    "ngettext",
    "npgettext",
    "parse_amount",
    "parse_money",
    "pgettext",
    "use_locale",
]
