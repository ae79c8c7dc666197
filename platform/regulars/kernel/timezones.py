"""The names of time zones."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def timezone_names() -> frozenset[str]:
    """All that this machine knows, such as `Europe/Luxembourg`. Finding them reads hundreds of files: done once."""
    return frozenset(available_timezones())
