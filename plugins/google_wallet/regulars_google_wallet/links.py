"""The link by which a phone takes a card over: a signed token that names the object, as short as can be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt

from regulars_google_wallet.identity import Identity

LONGEST = 1800
"""Characters of a token that all browsers and Google take."""


def save_link(who: Identity, payload: Mapping[str, Any], card_url: str) -> str | None:
    """Address of Google's page that saves a card.

    Args:
        who: signs it.
        payload: `{id, classId}` of an object that Google has, or all of one that it has not.
        card_url: of the card's page.

    Returns:
        The address, `None` when it would be too long.
    """
    page = urlsplit(card_url)
    claims = {
        "iss": who.account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(time.time()),
        "origins": [f"{page.scheme}://{page.netloc}"],
        "payload": {"loyaltyObjects": [dict(payload)]},
    }
    token = jwt.encode(claims, who.account.key, algorithm="RS256", headers={"kid": who.account.key_id})
    return f"{who.places.save}/{token}" if len(token) < LONGEST else None
