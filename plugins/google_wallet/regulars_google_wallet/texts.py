"""Texts in all languages of a tenant, as Google takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regulars.sdk.wallets import WalletCard, WalletFace

Payload = dict[str, Any]


def localized(card: WalletCard, text: Callable[[WalletFace], str]) -> Payload:
    """A `LocalizedString`: the tenant's own language, and those in which something else is said.

    Args:
        card: whose faces are read.
        text: of one face.
    """
    own = card.default_locale
    said = {locale: text(face) for locale, face in card.faces.items()}
    others = [_said(locale, said[locale]) for locale in sorted(said) if said[locale] != said[own]]
    found: Payload = {"defaultValue": _said(own, said[own])}
    return found | ({"translatedValues": others} if others else {})


def short(text: str, most: int) -> str:
    """A text that is not longer than a place for it; what was cut ends with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _said(locale: str, text: str) -> Payload:
    return {"language": locale.replace("_", "-"), "value": text}
