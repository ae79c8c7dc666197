"""Secrets never reach a log, a dead job's error or a report: by the name of a field and by the look of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "********"
MAX_TEXT = 4_000
MAX_TRACE = 16_000
_DEEPEST = 6

_SECRET_WORDS = frozenset({"password", "passwd", "secret", "token", "pepper", "authorization", "cookie", "pin", "otp"})
_SECRET_NAMES = frozenset({"api_key", "secret_key", "encryption_key", "private_key", "set_cookie"})
_PERHAPS_SECRET = re.compile(r"(?i)://|rk_|bearer|basic|password|passwd|secret|token|pin|otp")
"""What each of the looks below has in it: one search spares most texts four."""
_SECRET_LOOKS = (
    (re.compile(r"(\w://[^\s:/@]*):[^\s/@]+@"), rf"\1:{MASK}@"),
    (re.compile(r"\b(rk_(?:live|test|ops)_)\w+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|pin|otp)(=|: ?)[^\s&,;]+"), rf"\1\2{MASK}"),
)


def redact_text(text: str, longest: int = MAX_TEXT) -> str:
    """Mask what looks like a secret (passwords in addresses, API keys, bearer tokens) and cut what is too long.

    Args:
        text: any text.
        longest: characters to keep.
    """
    if _PERHAPS_SECRET.search(text):
        for look, mask in _SECRET_LOOKS:
            text = look.sub(mask, text)
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more)"


def redact_fields(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor that masks secrets in all fields, nested ones included."""
    trace = fields.get("exception")
    clean: dict[str, Any] = {name: _clean(name, value, 0) for name, value in fields.items()}
    if isinstance(trace, str):
        clean["exception"] = redact_text(trace, MAX_TRACE)
    return clean


def _clean(name: str, value: object, depth: int) -> object:
    if _is_secret(name) and value not in (None, "", False):
        return MASK
    if isinstance(value, int | float | bool | None):
        return value
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {str(key): _clean(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [_clean("", item, depth + 1) for item in value]
    return redact_text(str(value))


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("-", "_")
    return plain in _SECRET_NAMES or not _SECRET_WORDS.isdisjoint(plain.split("_"))
