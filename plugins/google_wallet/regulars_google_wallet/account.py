"""The service account in whose name Google is spoken to, read from the JSON file of its key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from regulars.sdk import N_, BadValue

LARGEST = 20_000
"""Characters of a file; Google's have some 2,400."""
_FIELDS = ("client_email", "private_key_id", "private_key")


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account that may make passes.

    Attributes:
        email: its name at Google.
        key_id: of its key.
        key: signs links and asks for tokens.
    """

    email: str
    key_id: str
    key: RSAPrivateKey = field(repr=False)


@lru_cache(maxsize=256)
def read_account(text: str) -> ServiceAccount:
    """Read the file of a key.

    Args:
        text: its content.

    Raises:
        BadValue: a sentence that says what is wrong with it.
    """
    values = _values(text)
    missing = [name for name in _FIELDS if not isinstance(values.get(name), str) or not values[name].strip()]
    if missing:
        raise BadValue(N_("The file has no “%(name)s”. Download a new key of the service account."), name=missing[0])
    email, key_id, pem = (values[name].strip() for name in _FIELDS)
    return ServiceAccount(email, key_id, _key(pem))


def _values(text: str) -> dict[str, Any]:
    if len(text) > LARGEST:
        raise BadValue(N_("This is not the key of a service account: the file is too large."))
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise BadValue(N_("The file is not JSON. Upload the .json file that Google gave you, unchanged.")) from None
    if not isinstance(values, dict) or "type" not in values:
        raise BadValue(N_("This is not the key of a service account: it has no fields."))
    kind = values.get("type")
    if kind != "service_account":
        raise BadValue(
            N_("The file is of the type “%(kind)s”, the key of a service account is needed."), kind=str(kind)[:40]
        )
    return values


def _key(pem: str) -> RSAPrivateKey:
    unreadable = BadValue(N_("The private key in the file cannot be read. Download a new key of the service account."))
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise unreadable from None
    if not isinstance(key, RSAPrivateKey):
        raise unreadable
    return key
