"""What Google says when somebody saves or removes a card: signed with a key that a root key of Google's vouches for.

The protocol is `ECv2SigningOnly`, described at
https://developers.google.com/wallet/retail/loyalty-cards/use-cases/use-callbacks-for-saves-and-deletions.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

SENDER, PROTOCOL = "GooglePayPasses", "ECv2SigningOnly"
LARGEST = 20_000
"""Bytes of a callback; Google's have some 1,500."""


class Forged(Exception):
    """The callback is not from Google, not for us, or too old."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a card.

    Attributes:
        object_id: which one.
        kind: `save`, or `del`.
        nonce: the same when it is told again.
        expires_ms: when it counts no more, in milliseconds since 1970; a later event has a later one.
    """

    object_id: str
    kind: Literal["save", "del"]
    nonce: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class RootKey:
    """One of Google's public keys.

    Attributes:
        key: on the curve P-256.
        until_ms: when it ends, in milliseconds since 1970; `None` for never.
    """

    key: EllipticCurvePublicKey
    until_ms: int | None


def read_root_keys(content: Any) -> tuple[RootKey, ...]:
    """The keys in Google's list that sign this protocol.

    Raises:
        ValueError: it is no such list, or has none.
    """
    try:
        found = tuple(
            RootKey(_key(one["keyValue"]), _number(one["keyExpiration"]) if "keyExpiration" in one else None)
            for one in content["keys"]
            if one["protocolVersion"] == PROTOCOL
        )
    except (KeyError, TypeError) as error:
        raise ValueError("this is no list of keys") from error
    if not found:
        raise ValueError("the list has no key")
    return found


def read_callback(body: bytes, issuer_id: str, roots: Iterable[RootKey], now_ms: int) -> Event:
    """Check a callback and read it.

    Args:
        body: as it was sent.
        issuer_id: ours, for whom it must be.
        roots: Google's public keys.
        now_ms: the time, in milliseconds since 1970.

    Raises:
        Forged: always the same, whatever is wrong.
    """
    try:
        return _read(body, issuer_id, roots, now_ms)
    except (ValueError, KeyError, TypeError, RecursionError, InvalidSignature) as error:
        raise Forged(str(error)) from error


def _read(body: bytes, issuer_id: str, roots: Iterable[RootKey], now_ms: int) -> Event:
    if len(body) > LARGEST:
        raise ValueError("too large")
    sent = json.loads(body)
    if sent["protocolVersion"] != PROTOCOL:
        raise ValueError("another protocol")
    between = sent["intermediateSigningKey"]
    vouched = _signed(SENDER, PROTOCOL, between["signedKey"])
    valid = [root.key for root in roots if root.until_ms is None or now_ms < root.until_ms]
    if not _is_signed(vouched, between["signatures"][:10], valid):
        raise ValueError("no root key has signed the intermediate key")
    key = json.loads(between["signedKey"])
    if now_ms >= _number(key["keyExpiration"]):
        raise ValueError("the intermediate key has ended")
    said = _signed(SENDER, issuer_id, PROTOCOL, sent["signedMessage"])
    _key(key["keyValue"]).verify(b64decode(sent["signature"], validate=True), said, ECDSA(SHA256()))
    return _event(json.loads(sent["signedMessage"]), now_ms)


def _event(message: Any, now_ms: int) -> Event:
    expires, kind = _number(message["expTimeMillis"]), message["eventType"]
    if now_ms >= expires:
        raise ValueError("told too late")
    if kind not in {"save", "del"}:
        raise ValueError("another event")
    return Event(str(message["objectId"]), kind, str(message["nonce"]), expires)


def _is_signed(content: bytes, signatures: Sequence[str], keys: Sequence[EllipticCurvePublicKey]) -> bool:
    return any(_verifies(key.verify, b64decode(one, validate=True), content) for one in signatures for key in keys)


def _verifies(verify: Callable[[bytes, bytes, ECDSA], None], signature: bytes, content: bytes) -> bool:
    try:
        verify(signature, content, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _signed(*parts: str) -> bytes:
    """What is signed: each part in UTF-8 after its length in four bytes, the lowest first."""
    texts = [part.encode() for part in parts]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def _key(text: str) -> EllipticCurvePublicKey:
    key = load_der_public_key(b64decode(text, validate=True))
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("a key of another kind")
    return key


def _number(value: Any) -> int:
    """A whole number, also as a text, as JSON of Google's has it."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("no number")
    return int(value)
