"""What people type: cleaning, folding, patterns, and personal data in normal form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.contracts.errors import InvalidInput
from regulars.domain.members import normalise
from regulars.kernel.text import folded, like_patterns, one_line


@given(st.text(st.characters(), max_size=50))
def test_one_line_can_be_stored_and_is_stable(text):
    clean = one_line(text)
    assert one_line(clean) == clean
    clean.encode()
    assert not set(clean) & set("\x00\n\r\t\u2028\u202e")


def test_one_line():
    assert one_line("  Café\r\n du\tCoin \x00") == "Café du Coin"
    assert one_line("abc\u202edef") == "abcdef"
    assert one_line("e\u0301") == "é"


def test_folding_takes_accents_off():
    assert folded("Agnė ŠIMKUTĖ") == "agne simkute"
    assert folded("Straße") == "strasse"


def test_wildcards_stand_for_themselves():
    assert like_patterns("50% a_b\\c Doe") == ["%50\\%%", "%a\\_b\\\\c%", "%doe%"]
    assert like_patterns("  ") == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("  Anna.Muster@Example.COM ", "anna.muster@example.com"),
        ("žygis@paštas.example", "žygis@paštas.example"),
        ("anna@", None),
        ("anna", None),
        ("anna@example.com\nbcc: x@example.com", None),
        ("a" * 260 + "@example.com", None),
    ],
)
def test_email(typed, expected):
    assert normalise.email_of(typed) == expected


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("621 123 456", "LU", "+352621123456"),
        ("+352 621-123-456", "FR", "+352621123456"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("00370 612 34567", "LU", "+37061234567"),
        ("12", "LU", None),
        ("call me", "LU", None),
        ("", "LU", None),
    ],
)
def test_phone(typed, country, expected):
    assert normalise.phone_of(typed, country) == expected


def test_a_phone_may_be_left_out_but_not_be_wrong():
    assert normalise.normal_phone("  ", "LU") == ""
    with pytest.raises(InvalidInput) as caught:
        normalise.normal_phone("call me", "LU")
    assert list(caught.value.fields) == ["phone"]


def test_refusals_name_their_field():
    with pytest.raises(InvalidInput) as caught:
        normalise.normal_email("anna")
    assert list(caught.value.fields) == ["email"]
    with pytest.raises(InvalidInput) as caught:
        normalise.normal_name("x" * 101)
    assert list(caught.value.fields) == ["name"]


def test_search_text():
    assert normalise.search_text("Agnė Doe", "a@x.lt", "+37061234567") == "agne doe a@x.lt +37061234567"
    assert normalise.search_text("", "a@x.lt", "") == "a@x.lt"


@pytest.mark.parametrize(
    ("name", "email", "expected"),
    [
        ("John Doe", "j@x.lt", "John D."),
        ("Marie Claire van Loo", "m@x.lt", "Marie L."),
        ("Cher", "c@x.lt", "Cher"),
        ("", "sarah@x.lt", "S…"),
    ],
)
def test_short_names(name, email, expected):
    assert normalise.short_name(name, email) == expected
