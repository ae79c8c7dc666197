"""Numbers, money, dates and times in the current locale and time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from babel import dates, numbers

from regulars.contracts.conditions import MAX_MONEY
from regulars.contracts.i18n import N_
from regulars.kernel.i18n.current import current_locale, current_timezone

_GROUPS = (r"[0-9]{1,3}(?: [0-9]{3})+", r"[0-9]{1,3}(?:,[0-9]{3})+(?=\.)", r"[0-9]{1,3}(?:\.[0-9]{3})+(?=,)")
_AMOUNT = re.compile(rf"(?P<whole>[0-9]{{1,15}}|{'|'.join(_GROUPS)})(?:[.,](?P<decimals>[0-9]{{1,4}}))?")
"""Digits with a decimal mark; thousands may be grouped by spaces, or by the mark that is not the decimal one."""
Length = Literal["short", "medium", "long", "full"]

TEMPLATE_NAMES = (
    "currency_symbol",
    "format_date",
    "format_datetime",
    "format_money",
    "format_number",
    "format_percent",
    "format_time",
    "format_timedelta",
    "format_ago",
    "money_input",
)
"""Functions of this module that templates may call."""


def format_number(value: float | Decimal, *, compact: bool = False) -> str:
    """A number with separators: `1,247`.

    Args:
        value: any number.
        compact: shortened for tiles: `12.8K`.
    """
    if compact and abs(float(value)) >= 10_000:
        return numbers.format_compact_decimal(value, fraction_digits=1, locale=current_locale())
    return numbers.format_decimal(value, locale=current_locale())


def format_percent(value: float) -> str:
    """A share: 0.125 → `12.5%`, at most one decimal."""
    return numbers.format_percent(round(Decimal(str(value)), 3), locale=current_locale(), decimal_quantization=False)


def format_money(minor: int, currency: str, *, compact: bool = False) -> str:
    """An amount: 450, EUR → `€4.50`.

    Args:
        minor: minor units (cents; for yen whole yen).
        currency: ISO 4217 code.
        compact: shortened for tiles: `€2.3K`.
    """
    amount = _major(minor, currency)
    if compact and abs(amount) >= 1000:
        return numbers.format_compact_currency(amount, currency, fraction_digits=1, locale=current_locale())
    return numbers.format_currency(amount, currency, locale=current_locale())


def minor_digits(currency: str) -> int:
    """Decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD."""
    digits: int = numbers.get_currency_precision(currency)
    return digits


def currency_symbol(currency: str) -> str:
    """Sign of a currency: EUR → `€`."""
    return numbers.get_currency_symbol(currency, locale=current_locale())


def money_input(value: int | str, currency: str) -> str:
    """Text of an input for money: 450, EUR → `4.50` (`4,50` in German).

    Args:
        value: minor units; a text (what a person typed before a refusal, or nothing) is returned as it is.
        currency: ISO 4217 code.
    """
    if isinstance(value, str):
        return value
    digits = numbers.get_currency_precision(currency)
    pattern = "0." + "0" * digits if digits else "0"
    return numbers.format_decimal(_major(value, currency), format=pattern, locale=current_locale())


_MONEY = re.compile(r"[-+−]?[\d\s.,'’]+")


def parse_money(text: str, currency: str) -> int:
    """Minor units of an amount that a person typed; the locale's separators and a plain dot are understood.

    Args:
        text: such as `4,50`, `4.50`, `1 200` or `€4.50`.
        currency: ISO 4217 code.

    Raises:
        ValueError: not an amount, or finer than the currency's smallest unit.
    """
    plain = text.replace(currency_symbol(currency), "").replace(currency, "").strip()
    if not _MONEY.fullmatch(plain):  # the parser knows `1e3`, `1_000` and `NaN` too, which nobody means
        raise ValueError(f"{text!r} is not an amount.")
    digits = numbers.get_currency_precision(currency)
    decimal_mark = numbers.get_decimal_symbol(current_locale())
    if decimal_mark != "." and plain.count(".") == 1 and "," not in plain and len(plain.rpartition(".")[2]) <= digits:
        plain = plain.replace(".", decimal_mark)
    try:
        amount = numbers.parse_decimal(plain, locale=current_locale(), strict=False)
    except numbers.NumberFormatError as error:
        raise ValueError(f"{text!r} is not an amount.") from error
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        raise ValueError(f"{text!r} has more than {digits} decimals.")
    return int(minor)


def parse_amount(text: str, currency: str) -> int:
    """Minor units of an amount that is to be charged, read strictly: a slip must not become another amount.

    A comma and a dot are both decimal marks, whatever the locale: till keys and people have either. What could be read
    in two ways is refused.

    Args:
        text: such as `25`, `25,00`, `25.00`, `1 250,00`, `1,250.00` or `€25.00`.
        currency: ISO 4217 code.

    Raises:
        ValueError: a sentence that says what is wrong, marked for translation.
    """
    digits = numbers.get_currency_precision(currency)
    bare = text.replace(currency_symbol(currency), "").replace(currency, "")
    found = _AMOUNT.fullmatch(" ".join(bare.split()))
    if found is None or len(found["decimals"] or "") > digits:
        raise ValueError(N_("An amount such as 25.00 is needed."))
    minor: int = int(re.sub("[., ]", "", found["whole"])) * 10**digits + int(
        (found["decimals"] or "").ljust(digits, "0") or 0
    )
    if minor == 0:
        raise ValueError(N_("The amount must be more than nothing."))
    if minor > MAX_MONEY:
        raise ValueError(N_("This amount is too large."))
    return minor


def format_date(value: date | datetime, length: Length = "medium", timezone: str = "") -> str:
    """A day: `12 Mar 2026`.

    Args:
        value: a date, or an aware datetime that is shown in the time zone.
        length: how much is written out.
        timezone: IANA name, by default the current one.
    """
    day = _local(value, timezone).date() if isinstance(value, datetime) else value
    return dates.format_date(day, length, locale=current_locale())


def format_month(value: date) -> str:
    """A month: `Mar 2026`.

    Args:
        value: any day of it.
    """
    return str(dates.format_skeleton("yMMM", value, locale=current_locale()))


def format_time(value: datetime, length: Length = "short", timezone: str = "") -> str:
    """A time of day: `14:32`. Arguments as in `format_date`."""
    return dates.format_time(_local(value, timezone).timetz(), length, locale=current_locale())


def format_datetime(value: datetime, length: Length = "medium", timezone: str = "") -> str:
    """A day and time. Arguments as in `format_date`."""
    return dates.format_datetime(_local(value, timezone), length, locale=current_locale())


def format_timedelta(
    value: timedelta, *, granularity: Literal["second", "minute", "hour", "day"] = "second", threshold: int = 1
) -> str:
    """A duration in its largest unit: `12 minutes`.

    Args:
        value: the duration.
        granularity: the smallest unit that is named.
        threshold: how many of a unit there must be for it to be named; with 2, an hour is `60 minutes`.
    """
    return dates.format_timedelta(value, granularity, threshold=threshold, locale=current_locale())


def format_ago(value: datetime, now: datetime | None = None) -> str:
    """How long ago: `5 minutes ago`.

    Args:
        value: an aware moment in the past (or future: `in 5 minutes`).
        now: by default the present.
    """
    difference = value - (now or datetime.now(UTC))
    return dates.format_timedelta(difference, "minute", threshold=1, add_direction=True, locale=current_locale())


def _major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-numbers.get_currency_precision(currency))


def _local(value: datetime, timezone: str) -> datetime:
    return value.astimezone(dates.get_timezone(timezone or current_timezone()))
