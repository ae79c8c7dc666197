"""Personal data in the one form in which it is stored and compared: pure functions."""

from __future__ import annotations

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from regulars.contracts.errors import InvalidInput
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import folded, one_line

MAX_NAME = 100
MAX_EMAIL = 254


def email_of(text: str) -> str | None:
    """An e-mail address in lower case, `None` when the text is none; its domain is not asked for."""
    if len(text) > MAX_EMAIL:
        return None
    try:
        return validate_email(one_line(text), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def phone_of(text: str, country: str) -> str | None:
    """A phone number in E.164 form (`+352621123456`), `None` when the text is none.

    Args:
        text: as people write it, with or without a country code.
        country: ISO 3166 code of the country that is meant without one.
    """
    try:
        number = phonenumbers.parse(one_line(text), country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_email(text: str) -> str:
    """The address as it is stored.

    Raises:
        InvalidInput: it is none, under the field `email`.
    """
    found = email_of(text)
    if found is None:
        sentence = _("Please enter an e-mail address such as name@example.com.")
        raise InvalidInput(sentence, fields={"email": sentence})
    return found


def normal_phone(text: str, country: str) -> str:
    """The phone number as it is stored; empty when nothing was typed.

    Args:
        text: as for `phone_of`.
        country: as for `phone_of`.

    Raises:
        InvalidInput: something was typed that is no phone number, under the field `phone`.
    """
    if not one_line(text):
        return ""
    found = phone_of(text, country)
    if found is None:
        sentence = _("Please enter a phone number with its country code, such as +352 621 123 456.")
        raise InvalidInput(sentence, fields={"phone": sentence})
    return found


def normal_name(text: str) -> str:
    """The name as it is stored; may be empty.

    Raises:
        InvalidInput: it is too long, under the field `name`.
    """
    name = one_line(text)
    if len(name) > MAX_NAME:
        sentence = _("A name has at most %(count)s characters.", count=MAX_NAME)
        raise InvalidInput(sentence, fields={"name": sentence})
    return name


def search_text(name: str, email: str, phone: str) -> str:
    """Content of the column `search`: everything by which somebody is looked up, folded.

    Args:
        name: as stored.
        email: as stored.
        phone: as stored.
    """
    return " ".join(folded(part) for part in (name, email, phone) if part)


def short_name(name: str, email: str) -> str:
    """A name for lists that others may see: `John D.`; without a name, the first letter of the address.

    Args:
        name: as stored, may be empty.
        email: as stored.
    """
    first, *others = name.split() or [""]
    if not first:
        return f"{email[:1].upper()}…"
    return f"{first} {others[-1][0]}." if others else first
