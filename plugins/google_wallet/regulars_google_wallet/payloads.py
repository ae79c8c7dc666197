"""A card as Google's `LoyaltyClass` and `LoyaltyObject`. Pure: the same card gives the same payload.

Both always have the same keys; `None` is what a card has not. An insert leaves it out, a PATCH sends it, which empties
the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, get_args

from regulars.sdk.wallets import FieldPlace, WalletCard, WalletFace, WalletField
from regulars_google_wallet.texts import Payload, localized, short

NOTIFY = "NOTIFY_ON_UPDATE"
_LABEL, _HEADER, _BODY, _NAME, _FIGURE = 9, 35, 500, 20, 7
_MODULES, _PLACES = 10, 10
_FIGURES = ("header", "primary", "secondary")
_ORDER = get_args(FieldPlace)


def class_payload(card: WalletCard, class_id: str, *, logo_url: str, callback_url: str | None) -> Payload:
    """What all cards of a program, and of a tier where there are some, have in common.

    Args:
        card: one of them.
        class_id: the class's name.
        logo_url: public address of the logo.
        callback_url: where Google tells that a card was saved or removed, `None` where it cannot reach us.
    """
    tier = card.tier
    places = [{"latitude": place.latitude, "longitude": place.longitude} for place in card.places[:_PLACES]]
    return {
        "id": class_id,
        "issuerName": card.merchant,
        "programName": card.program,
        "programLogo": _image(logo_url, card.merchant, card.default_locale),
        "hexBackgroundColor": card.look.background,
        "rewardsTier": tier.name if tier else None,
        "reviewStatus": "UNDER_REVIEW",
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
        "merchantLocations": places,
        "callbackOptions": {"url": callback_url} if callback_url else None,
    }


def object_payload(card: WalletCard, object_id: str, class_id: str, *, hero_url: str = "") -> Payload:
    """What one card shows.

    Args:
        card: as it is now.
        object_id, class_id: names at Google.
        hero_url: public address of the row of stamps, empty for none.
    """
    figures, lines = _parted(card)
    points, second = ([*map(_points_of(card), figures), None, None])[:2]
    face = card.face
    until = card.expires_at.astimezone(UTC).isoformat() if card.expires_at else None
    return {
        "id": object_id,
        "classId": class_id,
        "state": "ACTIVE",
        "accountId": short(card.number, _NAME),
        "accountName": card.holder or None,
        "barcode": {"type": "QR_CODE", "value": card.code, "alternateText": card.number},
        "loyaltyPoints": points,
        "secondaryLoyaltyPoints": second,
        "textModulesData": [_module(card, field) for field in lines[:_MODULES]],
        "linksModuleData": {"uris": [{"id": "card", "uri": card.url, "description": short(card.program, _NAME)}]},
        "heroImage": _image(hero_url, face.description, card.default_locale) if hero_url else None,
        "validTimeInterval": {"end": {"date": until}} if until else None,
    }


def void_payload(object_id: str, class_id: str) -> Payload:
    """A card that cannot be used any more: it replaces the whole object, so that nothing of the member is left."""
    return {"id": object_id, "classId": class_id, "state": "EXPIRED"}


def plain_payload(card: WalletCard, object_id: str, class_id: str) -> Payload:
    """A card in one language with what is most important, for a link that must be short."""
    return {
        "id": object_id,
        "classId": class_id,
        "state": "ACTIVE",
        "accountId": short(card.number, _NAME),
        "barcode": {"type": "QR_CODE", "value": card.code, "alternateText": card.number},
    }


def inserted(payload: Mapping[str, Any]) -> Payload:
    """A payload as a new class or object is sent."""
    return {name: value for name, value in payload.items() if value is not None}


def news_of(card: WalletCard) -> str:
    """What the phone would say of the card as it is now; when it has become something else, the member is told."""
    return "\n".join(f"{field.key}: {field.changed}" for field in card.face.fields if field.changed)


def _parted(card: WalletCard) -> tuple[list[WalletField], list[WalletField]]:
    """The two figures that stand large, and all other lines in their order: none that is empty or said elsewhere."""
    face = card.face
    said = {"", card.number, card.holder, card.tier.name if card.tier else ""}
    lines = [field for place in _ORDER for field in face.at(place) if field.value.strip() not in said]
    figures = [field for field in lines if field.place in _FIGURES and _is_short(card, field.key)][:2]
    return figures, [field for field in lines if field not in figures]


def _is_short(card: WalletCard, key: str) -> bool:
    """Whether a value fits where Google shows figures, whatever the language."""
    return all(0 < len(_line(face, key).value) <= _FIGURE for face in card.faces.values())


def _points_of(card: WalletCard) -> Any:
    def points(field: WalletField) -> Payload:
        value = field.value
        balance: Payload = {"int": int(value)} if value.isascii() and value.isdecimal() else {"string": value}
        return {
            "label": short(field.label, _LABEL),
            "localizedLabel": localized(card, lambda face: short(_line(face, field.key).label, _LABEL)),
            "balance": balance,
        }

    return points


def _module(card: WalletCard, field: WalletField) -> Payload:
    """A line below the card. Names of plugins have no hyphen, so two keys never become one."""
    return {
        "id": field.key.replace(".", "-"),
        "header": short(field.label, _HEADER),
        "body": short(field.value, _BODY),
        "localizedHeader": localized(card, lambda face: short(_line(face, field.key).label, _HEADER)),
        "localizedBody": localized(card, lambda face: short(_line(face, field.key).value, _BODY)),
    }


def _line(face: WalletFace, key: str) -> WalletField:
    """The line with that key; an empty one where a language has none."""
    return next((field for field in face.fields if field.key == key), WalletField(key, "", "", "back"))


def _image(url: str, description: str, locale: str) -> Payload:
    said = {"language": locale.replace("_", "-"), "value": description}
    return {"sourceUri": {"uri": url}, "contentDescription": {"defaultValue": said}}
