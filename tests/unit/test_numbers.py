"""Card numbers and QR tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.domain.cards import numbers

PAYLOADS = st.text("0123456789", min_size=11, max_size=11)


def test_the_check_digit_is_luhns():
    assert numbers.check_digit("7992739871") == "3"
    assert numbers.check_digit("411111111111111") == "1"


def test_new_numbers_are_valid_and_differ():
    made = [numbers.new_number() for _ in range(200)]
    assert len(set(made)) == 200
    assert all(numbers.is_valid(number) and number[0] != "0" for number in made)


@given(PAYLOADS, st.integers(0, 11), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(payload, position, offset):
    number = payload + numbers.check_digit(payload)
    changed = str((int(number[position]) + offset) % 10)
    assert numbers.is_valid(number)
    assert not numbers.is_valid(number[:position] + changed + number[position + 1 :])


@given(PAYLOADS)
def test_what_is_shown_can_be_typed_again(payload):
    number = payload + numbers.check_digit(payload)
    assert numbers.normalise(numbers.format_number(number)) == number


@pytest.mark.parametrize(
    "typed",
    [
        "482174932848",
        "4821-7493-2848",
        " 4821 7493 2848 ",
        "4821–7493–2848",
        "4821\u00a07493\u00a02848",
        "4821.7493.2848",
    ],
)
def test_normalise_forgives_separators(typed):
    assert numbers.check_digit("48217493284") == "8"
    assert numbers.normalise(typed) == "482174932848"


@pytest.mark.parametrize(
    "typed", ["", "4821-7493", "4821-7493-2840", "4821-7493-28489", "48217493284x", "٤٨٢١٧٤٩٣٢٨٤٨"]
)
def test_what_is_no_number_is_refused(typed):
    assert numbers.normalise(typed) is None


def test_short_numbers_have_eight_digits():
    assert numbers.short_of("4821-7493") == "48217493"
    assert numbers.short_of("4821749") is None
    assert numbers.short_of("4821-7493-2848") is None


def test_format():
    assert numbers.format_number("482174932848") == "4821-7493-2848"
    assert numbers.format_number("48217493") == "4821-7493"


def test_tokens_are_opaque_and_have_128_bits():
    tokens = {numbers.new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {22}


def test_a_token_is_found_alone_and_in_an_address():
    token = numbers.new_token()
    assert numbers.token_of(token) == token
    assert numbers.token_of(f"  {token}\n") == token
    assert numbers.token_of(f"https://cafe.example/c/{token}") == token
    assert numbers.token_of(f"https://cafe.example/c/{token}/?utm=1#top") == token
    assert numbers.token_of(f"/c/{token}") == token


@pytest.mark.parametrize("text", ["", "John", "https://cafe.example/", "x" * 23, "4821-7493-2848", "http://[::1/c"])
def test_other_texts_hold_no_token(text):
    assert numbers.token_of(text) is None
