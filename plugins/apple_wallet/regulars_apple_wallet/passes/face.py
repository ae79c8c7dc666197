"""What a pass says: `pass.json` of a store card.

Source: Apple, Wallet Passes, <https://developer.apple.com/documentation/walletpasses/pass>.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from regulars.sdk.wallets import FieldPlace, WalletCard, WalletFace, WalletField, WalletPass
from regulars_apple_wallet.identity import Identity
from regulars_apple_wallet.passes.texts import Texts

MOST: Mapping[FieldPlace, int] = {"header": 3, "primary": 1}
MOST_BELOW = 4
"""Secondary and auxiliary lines together, above a square code."""
MOST_PLACES = 10
NEWS = "apple_wallet.news"
_LATIN = "iso-8859-1"


def describe(
    one: WalletPass, identity: Identity, service_url: str, token: str
) -> tuple[dict[str, Any], Mapping[str, bytes]]:
    """`pass.json` and the translations.

    Args:
        one: the pass.
        identity: as whom it is signed.
        service_url: of our web service, empty when phones could not reach it: the pass is never updated then.
        token: with which the phone shows that it has the pass.

    Returns:
        The document, and name in the pass → content of each language.
    """
    card, texts = one.card, Texts(one.card.default_locale)
    face = card.face
    document: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": identity.pass_type,
        "teamIdentifier": identity.team,
        "serialNumber": one.serial,
        "organizationName": card.merchant,
        "description": texts.add({locale: each.description for locale, each in card.faces.items()}),
        "logoText": card.merchant,
        "backgroundColor": _colour(card.look.background),
        "foregroundColor": _colour(card.look.foreground),
        "labelColor": _colour(card.look.label),
        "suppressStripShine": True,
        "sharingProhibited": True,
        "barcodes": [_code(card)],
        "storeCard": {
            f"{place}Fields": [_line(card, field, texts) for field in fields]
            for place, fields in arrange(face).items()
            if fields
        },
    }
    document["storeCard"].setdefault("backFields", []).extend(_news(card, texts))
    if card.places:
        document["locations"] = [
            {"latitude": place.latitude, "longitude": place.longitude, "relevantText": place.text}
            for place in card.places[:MOST_PLACES]
        ]
    if service_url:
        document |= {"webServiceURL": service_url, "authenticationToken": token}
    if card.expires_at is not None:
        document["expirationDate"] = card.expires_at.astimezone(UTC).isoformat(timespec="seconds")
    if card.state == "void":
        document["voided"] = True
    return document, texts.files(tuple(card.faces))


def arrange(face: WalletFace) -> Mapping[FieldPlace, Sequence[WalletField]]:
    """Lines where there is room for them; the rest stands on the back, in its order.

    The one large figure would stand in the middle of the boxes of a stamp card: there it goes below them.
    """
    header, primary = face.at("header"), face.at("primary")
    shown = 0 if face.stamps is not None else MOST["primary"]
    secondary = (*primary[shown:], *face.at("secondary"))
    auxiliary = face.at("auxiliary")
    room = max(0, MOST_BELOW - len(secondary))
    left = (*header[MOST["header"] :], *secondary[MOST_BELOW:], *auxiliary[room:])
    return {
        "header": header[: MOST["header"]],
        "primary": primary[:shown],
        "secondary": secondary[:MOST_BELOW],
        "auxiliary": auxiliary[:room],
        "back": (*left, *face.at("back")),
    }


def _line(card: WalletCard, field: WalletField, texts: Texts) -> dict[str, Any]:
    each = {locale: _same(face, field) for locale, face in card.faces.items()}
    return {
        "key": field.key,
        "label": texts.add({locale: one.label for locale, one in each.items()}),
        "value": texts.add({locale: one.value for locale, one in each.items()}),
        "dataDetectorTypes": ["PKDataDetectorTypeLink"],
    }


def _news(card: WalletCard, texts: Texts) -> list[dict[str, Any]]:
    """One line on the back with what the phone says after a change.

    A phone shows a message of its own unless `changeMessage` has the value in it, and as soon as two lines with a
    message have changed. So one line alone has a message, and its value is the whole sentence.
    """
    words = {
        locale: " ".join(field.changed.replace("%@", field.value) for field in face.fields if field.changed)
        for locale, face in card.faces.items()
    }
    if not words[card.default_locale]:
        return []
    return [{"key": NEWS, "label": card.merchant, "value": texts.add(words), "changeMessage": "%@"}]


def _same(face: WalletFace, field: WalletField) -> WalletField:
    """The line in another language; as it is where a plugin has failed to say it."""
    return next((one for one in face.fields if one.key == field.key), field)


def _code(card: WalletCard) -> dict[str, str]:
    try:
        card.code.encode(_LATIN)
    except UnicodeEncodeError:
        encoding = "utf-8"
    else:
        encoding = _LATIN
    return {
        "format": "PKBarcodeFormatQR",
        "message": card.code,
        "messageEncoding": encoding,
        "altText": card.number,
    }


def _colour(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"
