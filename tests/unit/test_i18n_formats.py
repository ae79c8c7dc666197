"""Numbers, money and times read as the reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from regulars.kernel.i18n import formats, use_locale

MOMENT = datetime(2026, 3, 12, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "number", "money"),
    [("en", "12,847", "€4.50"), ("de", "12.847", "4,50\xa0€"), ("lt", "12\xa0847", "4,50\xa0€")],
)
def test_numbers_and_money(locale: str, number: str, money: str):
    with use_locale(locale):
        assert formats.format_number(12847) == number
        assert formats.format_money(450, "EUR") == money


def test_currencies_without_cents():
    assert formats.format_money(450, "JPY") == "¥450"
    assert formats.money_input(450, "JPY") == "450"
    assert formats.parse_money("450", "JPY") == 450


def test_compact_forms():
    assert formats.format_number(9_999, compact=True) == "9,999"
    assert formats.format_number(12_847, compact=True) == "12.8K"
    assert formats.format_money(234_500, "EUR", compact=True) == "€2.3K"
    assert formats.format_money(99_900, "EUR", compact=True) == "€999.00"


def test_shares():
    assert [formats.format_percent(value) for value in (0.125, 0, 0.0816, 1)] == ["12.5%", "0%", "8.2%", "100%"]


def test_times_follow_the_zone():
    with use_locale("en", "Europe/Vilnius"):
        assert formats.format_date(MOMENT) == "Mar 13, 2026"
        assert formats.format_date(MOMENT, timezone="America/New_York") == "Mar 12, 2026"
        assert formats.format_date(date(2026, 3, 12), "long") == "March 12, 2026"
        assert formats.format_time(MOMENT) == "12:30\u202fAM"
    with use_locale("de", "Europe/Vilnius"):
        assert formats.format_datetime(MOMENT, "short") == "13.03.26, 00:30"


def test_durations():
    assert formats.format_timedelta(timedelta(minutes=12)) == "12 minutes"
    assert formats.format_ago(MOMENT - timedelta(minutes=5), MOMENT) == "5 minutes ago"
    assert formats.format_ago(MOMENT + timedelta(hours=2), MOMENT) == "in 2 hours"


@pytest.mark.parametrize(
    ("locale", "text", "minor"),
    [
        ("en", "4.50", 450),
        ("en", "€1,200.5", 120050),
        ("de", "4,50", 450),
        ("de", "4.50", 450),
        ("de", "1.200", 120000),
        ("de", "1.200,50 €", 120050),
        ("lt", "12,5", 1250),
        ("en", "7", 700),
    ],
)
def test_typed_amounts(locale: str, text: str, minor: int):
    with use_locale(locale):
        assert formats.parse_money(text, "EUR") == minor


@pytest.mark.parametrize("text", ["", "abc", "4.505", "1e3", "1_000", "NaN", "1e400x"])
def test_what_is_no_amount(text: str):
    with pytest.raises(ValueError, match=r"amount|decimals"):
        formats.parse_money(text, "EUR")


def test_an_input_reads_back_as_the_same_amount():
    for locale in ("en", "de", "lt", "fr"):
        with use_locale(locale):
            assert formats.parse_money(formats.money_input(123456, "EUR"), "EUR") == 123456
    assert formats.money_input("4,5o", "EUR") == "4,5o"


@pytest.mark.parametrize("locale", ["en", "de", "lt", "fr"])
@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("25", 2500),
        ("25,00", 2500),
        ("25.00", 2500),
        ("25,5", 2550),
        ("0.01", 1),
        ("€25.00", 2500),
        ("25,00 €", 2500),
        ("25 EUR", 2500),
        ("1,250.00", 125000),
        ("1.250,00", 125000),
        ("1 250,00", 125000),
        ("1\u202f250", 125000),
        ("1000000000", 10**11),
    ],
)
def test_amounts_to_charge_mean_the_same_everywhere(locale: str, text: str, minor: int):
    with use_locale(locale):
        assert formats.parse_amount(text, "EUR") == minor


def test_amounts_of_other_currencies():
    assert (formats.parse_amount("2500", "JPY"), formats.parse_amount("2,500", "KWD")) == (2500, 2500)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "-5",
        "+5",
        "1e3",
        "NaN",
        "Infinity",
        "true",
        "1.000",
        "1,000",
        "2.505",
        "1.2.3",
        "2 5",
        "٢٥",
        "25,",
        ".5",
    ],
)
def test_what_could_be_another_amount_is_refused(text: str):
    with pytest.raises(ValueError, match=r"An amount such as 25\.00 is needed\."):
        formats.parse_amount(text, "EUR")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("0", "more than nothing"), ("0,00", "more than nothing"), ("1000000000.01", "too large"), ("1" * 18, "such as")],
)
def test_amounts_have_bounds(text: str, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        formats.parse_amount(text, "EUR")
