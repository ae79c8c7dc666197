"""Languages: `_` and `ngettext` translate now, `N_` marks for later; values are shown as the reader writes them."""

from regulars.kernel.i18n import (
    N_,
    currency_symbol,
    format_date,
    format_datetime,
    format_money,
    format_number,
    format_time,
    minor_digits,
    ngettext,
    pgettext,
)
from regulars.kernel.i18n import gettext as _

__all__ = [
    "N_",
    "_",
    "currency_symbol",
    "format_date",
    "format_datetime",
    "format_money",
    "format_number",
    "format_time",
    "minor_digits",
    "ngettext",
    "pgettext",
]
