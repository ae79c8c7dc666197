"""Refusals as sentences: times of today by the clock, of another day with their day."""

from datetime import UTC, datetime

from regulars.contracts.ledger import Refusal
from regulars.domain.ledger.problems import sentence

NOW = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)


def said(at: datetime) -> str:
    refusal = Refusal("x.y", "Next stamp possible at {time}.", {"time": at})
    return sentence(refusal, "Europe/Luxembourg", NOW)


def test_time_of_the_same_day_in_the_programs_zone() -> None:
    assert said(datetime(2026, 3, 10, 22, 45, tzinfo=UTC)) == "Next stamp possible at 11:45\u202fPM."


def test_time_of_another_day() -> None:
    assert said(datetime(2026, 3, 10, 23, 5, tzinfo=UTC)) == "Next stamp possible at 3/11/26, 12:05\u202fAM."
