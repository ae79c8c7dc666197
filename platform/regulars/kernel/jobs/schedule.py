"""When something runs by the clock: every so often, or at a time of day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Schedule(Protocol):
    """Names the slots in which something runs. Every worker computes the same ones."""

    def latest(self, now: datetime) -> datetime:
        """The youngest slot that has begun.

        Args:
            now: the database's time.
        """


@dataclass(frozen=True, slots=True)
class Every:
    """At equal distances, counted from midnight UTC of 1970-01-01; so `Every(hours=1)` is on the hour."""

    seconds: float = 0
    minutes: float = 0
    hours: float = 0

    def latest(self, now: datetime) -> datetime:
        """The youngest slot that has begun."""
        step = timedelta(seconds=self.seconds, minutes=self.minutes, hours=self.hours)
        return now.astimezone(UTC) - (now - _EPOCH) % step


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day.

    Attributes:
        at: time of day; one that the clocks leap over counts as if they had not been changed, one that comes twice
            is its first.
        zone: name of the time zone of `at`.
    """

    at: time
    zone: str = "UTC"

    def latest(self, now: datetime) -> datetime:
        """The youngest slot that has begun."""
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        slots = (datetime.combine(day, self.at, zone).astimezone(UTC) for day in (today, today - timedelta(days=1)))
        return next(slot for slot in slots if slot <= now)
