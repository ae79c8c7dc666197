"""Refusals as RFC 9457 problems, in the reader's language, times in the program's zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from regulars.contracts.ledger import Refusal
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import format_datetime, format_time, gettext

MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPE_PREFIX = "/problems/"


def sentence(refusal: Refusal, timezone: str, now: datetime) -> str:
    """The refusal's sentence in the current locale.

    Args:
        refusal: with `{placeholders}` in its message.
        timezone: IANA name of the program's zone.
        now: the rules' clock; times of another day are shown with their day.
    """
    shown = {name: _shown(value, timezone, now) for name, value in refusal.params.items()}
    return gettext(refusal.message).format(**shown)


def problem(refusal: Refusal, timezone: str, now: datetime) -> bytes:
    """A refusal as the body of a problem document, UTF-8 JSON; arguments as for `sentence`."""
    text = sentence(refusal, timezone, now)
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


def _shown(value: Any, timezone: str, now: datetime) -> Any:
    if not isinstance(value, datetime):
        return value
    zone = ZoneInfo(timezone)
    if value.astimezone(zone).date() == now.astimezone(zone).date():
        return format_time(value, timezone=timezone)
    return format_datetime(value, "short", timezone=timezone)
