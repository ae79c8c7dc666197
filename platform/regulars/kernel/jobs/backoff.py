"""How long a failed job waits for its next try."""

from __future__ import annotations

from datetime import timedelta
from secrets import SystemRandom

FIRST = 5.0
LONGEST = 3600.0
_SPREAD = 0.2
_random = SystemRandom()


def retry_delay(attempt: int, jitter: float | None = None) -> timedelta:
    """Twice as long after each try, at most an hour, spread so that jobs that failed together do not return together.

    Args:
        attempt: the try that failed, 1 for the first.
        jitter: from -1 to 1, random when left out.
    """
    spread = _random.uniform(-1, 1) if jitter is None else jitter
    seconds = min(LONGEST, FIRST * 2.0 ** (attempt - 1))
    return timedelta(seconds=seconds * (1 + _SPREAD * spread))
