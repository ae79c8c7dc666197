"""Callbacks as Google signs them: a root key vouches for a key in between, which signs the message."""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SENDER, PROTOCOL = "GooglePayPasses", "ECv2SigningOnly"
_HOUR = 3_600_000


class Signer:
    """Keys of its own, made when it is."""

    def __init__(self) -> None:
        self.root = generate_private_key(SECP256R1())
        self.between = generate_private_key(SECP256R1())

    def root_keys(self) -> dict[str, Any]:
        """The list of public keys, as Google publishes it."""
        until = str(_now() + 24 * _HOUR)
        return {"keys": [{"keyValue": _public(self.root), "protocolVersion": PROTOCOL, "keyExpiration": until}]}

    def callback(self, issuer_id: str, message: dict[str, Any], *, key_until: int | None = None) -> dict[str, Any]:
        """A signed callback.

        Args:
            issuer_id: for whom.
            message: what it says.
            key_until: when the key in between ends, in milliseconds since 1970; in a day when left out.
        """
        until = str(key_until if key_until is not None else _now() + 24 * _HOUR)
        signed_key = json.dumps({"keyValue": _public(self.between), "keyExpiration": until})
        said = json.dumps(message)
        return {
            "protocolVersion": PROTOCOL,
            "intermediateSigningKey": {
                "signedKey": signed_key,
                "signatures": [_sign(self.root, SENDER, PROTOCOL, signed_key)],
            },
            "signedMessage": said,
            "signature": _sign(self.between, SENDER, issuer_id, PROTOCOL, said),
        }


def message(kind: str, class_id: str, object_id: str) -> dict[str, Any]:
    """What is told of a card that was saved (`save`) or removed (`del`) just now."""
    return {
        "classId": class_id,
        "objectId": object_id,
        "expTimeMillis": _now() + _HOUR,
        "eventType": kind,
        "nonce": secrets.token_urlsafe(24),
    }


def _sign(key: EllipticCurvePrivateKey, *parts: str) -> str:
    texts = [part.encode() for part in parts]
    content = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return b64encode(key.sign(content, ECDSA(SHA256()))).decode()


def _public(key: EllipticCurvePrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _now() -> int:
    return time.time_ns() // 1_000_000
