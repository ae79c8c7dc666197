"""Secrets that are shown once and stored hashed: session tokens and API keys.

They carry 256 random bits, so a plain SHA-256 is enough to store them: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets
import string

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BYTES = 32
_LENGTH = 43
"""Base62 digits that 32 bytes need."""
_SHOWN = 6


def new_key(prefix: str) -> str:
    """Make a key.

    Args:
        prefix: says what the key is for, e.g. `rk_live_`; scanners for leaked secrets find it by that.

    Returns:
        The prefix and 32 random bytes in base62, always of the same length.
    """
    number = int.from_bytes(secrets.token_bytes(_BYTES))
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return prefix + "".join(reversed(digits))


def new_token() -> str:
    """Make a session's token: 32 random bytes, safe in cookies and addresses."""
    return secrets.token_urlsafe(_BYTES)


def shown_part(key: str, prefix: str) -> str:
    """What lists may show of a key: its prefix and the first characters after it."""
    return key[: len(prefix) + _SHOWN]


def digest(secret: str) -> bytes:
    """What is stored of a key or token: its SHA-256 (32 bytes)."""
    return hashlib.sha256(secret.encode()).digest()
