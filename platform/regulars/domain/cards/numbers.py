"""Card numbers and QR tokens: pure functions.

A number is 12 digits, the last one a Luhn check digit, shown as 4821-7493-2848. People type it, so reading it forgives
dashes and spaces and catches every single wrong digit. It is an identifier, not a secret; the QR code's token is both.
"""

from __future__ import annotations

import re
import secrets

NUMBER_LENGTH = 12
SHORT_LENGTH = 8
TOKEN_BYTES = 16
_GROUP = 4
_SEPARATORS = re.compile(r"[\s\-‐‑‒–—_.·]+")
_DIGITS = re.compile(r"[0-9]+")
_AFTER_PATH = re.compile(r"[?#]")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def check_digit(payload: str) -> str:
    """The Luhn check digit of a row of digits.

    Args:
        payload: the digits without the check digit.

    Returns:
        One digit.
    """
    total = 0
    for position, digit in enumerate(reversed(payload)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def new_number() -> str:
    """A new random card number, 12 digits; the first one is not 0, so that spreadsheets keep it whole.

    Whoever inserts it tries again when the tenant has it already (one in 90 thousand million for each card).
    """
    payload = str(secrets.randbelow(9) + 1) + "".join(str(secrets.randbelow(10)) for _ in range(NUMBER_LENGTH - 2))
    return payload + check_digit(payload)


def is_valid(number: str) -> bool:
    """Whether a text is a card number: 12 digits with the right check digit, nothing else."""
    return (
        len(number) == NUMBER_LENGTH
        and _DIGITS.fullmatch(number) is not None
        and check_digit(number[:-1]) == number[-1]
    )


def digits_of(text: str) -> str:
    """The digits of what somebody typed, without dashes, dots and spaces.

    Returns:
        The digits, or an empty text when it holds anything else or nothing.
    """
    bare = _SEPARATORS.sub("", text)
    return bare if _DIGITS.fullmatch(bare) else ""


def normalise(text: str) -> str | None:
    """The card number in what somebody typed (`4821-7493-2848`, `4821 7493 2848`, `482174932848`).

    Returns:
        12 digits, or `None` when it is not a valid number.
    """
    digits = digits_of(text)
    return digits if is_valid(digits) else None


def short_of(text: str) -> str | None:
    """The first eight digits of a number, when that is what somebody typed (`4821-7493`), else `None`."""
    digits = digits_of(text)
    return digits if len(digits) == SHORT_LENGTH else None


def format_number(number: str) -> str:
    """A number as people read it: groups of four digits, joined by dashes.

    Args:
        number: digits, a whole number or its first eight.
    """
    return "-".join(number[start : start + _GROUP] for start in range(0, len(number), _GROUP))


def new_token() -> str:
    """A new opaque QR token: 128 random bits as 22 URL-safe characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_of(text: str) -> str | None:
    """The QR token in what a scanner read: the token itself, or an address whose last path part is one.

    The host of the address is not looked at: the token is looked up among the tenant's own cards only.

    Returns:
        The token, or `None` when there is none.
    """
    path = _AFTER_PATH.split(text.strip(), maxsplit=1)[0]
    last = path.rstrip("/").rpartition("/")[2]
    return last if _TOKEN.fullmatch(last) else None
