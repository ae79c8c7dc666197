"""Refusals as RFC 9457 problems, in the reader's language, times in the program's zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from regulars.contracts.ledger import Refusal
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import format_time, gettext

MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPE_PREFIX = "/problems/"


def sentence(refusal: Refusal, timezone: str) -> str:
    """The refusal's sentence in the current locale.

    Args:
        refusal: with `{placeholders}` in its message.
        timezone: IANA name of the program's zone.
    """
    shown = {name: _shown(value, timezone) for name, value in refusal.params.items()}
    return gettext(refusal.message).format(**shown)


def problem(refusal: Refusal, timezone: str) -> bytes:
    """A refusal as the body of a problem document, UTF-8 JSON."""
    text = sentence(refusal, timezone)
    content: dict[str, Any] = {
        "type": f"{PROBLEM_TYPE_PREFIX}{refusal.code}",
        "title": text,
        "status": refusal.status,
        "detail": text,
        "code": refusal.code,
        **{name: value for name, value in refusal.params.items() if not isinstance(value, datetime)},
    }
    if refusal.retry_at is not None:
        content["retry_at"] = refusal.retry_at
    return to_json(content).encode()


def _shown(value: Any, timezone: str) -> Any:
    return format_time(value, timezone=timezone) if isinstance(value, datetime) else value
