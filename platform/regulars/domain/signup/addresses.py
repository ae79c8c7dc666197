"""Addresses of new merchants: what is proposed, and what would deceive somebody. Pure functions.

An address is plain ASCII, so no letter of another script can pass for a Latin one; what is left are look-alikes within
ASCII. They are refused by one rule: read as a person in a hurry reads it (`0` as o, `1` as l or i, `rn` as m, hyphens
overlooked …), an address must not be a name that the platform keeps for itself, and must not be put together of a
well-known brand and such names alone: `rnail`, `l0gin` and `paypa1-login` are refused, `apple-pie` is a bakery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anyascii import anyascii

from regulars.contracts.errors import InvalidInput
from regulars.domain.tenants.naming import MAX_SLUG, RESERVED, check_slug
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import one_line

BRANDS = frozenset(
    """
    adyen alipay amazon amex apple bancontact binance bitcoin coinbase dhl dpd ebay facebook fedex gmail google icloud
    ideal instagram klarna linkedin mastercard meta microsoft mollie netflix office365 outlook payconiq paypal payoneer
    revolut satispay shopify spotify square steam stripe sumup swish telegram tiktok twint twitter ups usps viber visa
    wechat westernunion whatsapp wise worldline xero youtube zelle
    """.split()  # noqa: SIM905 -- words in lines read better than a hundred quoted strings
)
"""Names that are borrowed to get at passwords and money."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_GERMAN = frozenset({"AT", "CH", "DE", "LI", "LU"})
_APOSTROPHES = re.compile(r"(?<=\w)['’`´](?=\w)")
_NAMED_SIGN = re.compile(r":[a-z0-9_]+:")
"""What stands for an emoji after transliteration."""
_OTHER = re.compile(r"[^a-z0-9]+")
_READ_AS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("3", "e"), ("4", "a"), ("5", "s"), ("7", "t"))
_PLAIN = frozenset(name.replace("-", "") for name in RESERVED)


def propose(name: str, country: str) -> str:
    """An address for a business: `Café Šiaulių` → `cafe-siauliu`.

    Args:
        name: of the business, in any script.
        country: ISO 3166 code; where German is written, `ü` becomes `ue`.

    Returns:
        An address, empty when the name has nothing to make one of.
    """
    text = one_line(name)
    if country in _GERMAN:
        text = text.translate(_UMLAUTS)
    plain = anyascii(_APOSTROPHES.sub("", text)).lower()
    words = _OTHER.sub("-", _NAMED_SIGN.sub("-", plain)).strip("-")
    if len(words) > MAX_SLUG:
        words = words[: MAX_SLUG + 1].rpartition("-")[0] or words[:MAX_SLUG]
    return words


def typed(text: str) -> str:
    """An address as somebody types it, without what means nothing: space around it, capitals."""
    return text.strip().lower()


def check_address(slug: str) -> None:
    """Refuse what a stranger may not have as an address.

    Raises:
        InvalidInput: with a sentence under the field `slug`.
    """
    check_slug(slug)
    if _deceives(slug):
        sentence = _("The name “%(name)s” looks like another one, please choose one of your own.", name=slug)
        raise InvalidInput(sentence, fields={"slug": sentence})


def others(slug: str, country: str) -> Iterator[str]:
    """Addresses to propose instead of one that cannot be had, without end.

    Args:
        slug: what was wanted, or what is proposed.
        country: ISO 3166 code.
    """
    stem = slug[: MAX_SLUG - 4].strip("-") or "shop"
    yield slug or stem
    yield f"{stem}-{country.lower()}"
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


def _deceives(slug: str) -> bool:
    """See the rule at the top of this file."""
    if any(reading in _PLAIN for reading in _readings(slug)):
        return True
    parts = [_readings(part) for part in slug.split("-")]
    brands = [readings & BRANDS for readings in parts]
    return any(_readings(slug) & BRANDS) or (
        any(brands) and all(brand or readings & _PLAIN for brand, readings in zip(brands, parts, strict=True))
    )


def _readings(text: str) -> set[str]:
    """How a text may be read by somebody in a hurry, without hyphens; as it stands among them."""
    plain = text.replace("-", "")
    found = {plain}
    for one in ("l", "i"):
        for nine in ("g", "9"):
            reading = plain.replace("1", one).replace("9", nine).replace("8", "b")
            found.add(reading)
            for sign, letter in _READ_AS:
                reading = reading.replace(sign, letter)
            found.add(reading)
    return found
