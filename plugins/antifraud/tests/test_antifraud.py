"""Cooldown and daily limit, by example and against a small oracle."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.sdk import Clearance, Enrolment, Purchase, Refusal
from regulars.testing.contexts import NOON, ledger_context
from regulars_antifraud.hooks import Hooks, next_day_start
from regulars_antifraud.settings import AntifraudSettings

ZONE = "Europe/Luxembourg"
TOMORROW = datetime(2026, 3, 10, 23, tzinfo=UTC)


def check(last=None, today=0, quantity=1, now=NOON, occasion=None, **settings):
    ctx = ledger_context(AntifraudSettings(**settings), now=now)
    facts = {"last_earned_at": last, "earned_today": today}
    return Hooks().check_earn(ctx, occasion or Purchase(quantity), facts)


def test_the_defaults_are_those_of_the_brief():
    assert AntifraudSettings() == AntifraudSettings(cooldown_minutes=15, max_daily_stamps=5)


def test_the_first_sale_passes_and_says_when_the_next_is_possible():
    assert check() == Clearance(NOON + timedelta(minutes=15))
    assert check(cooldown_minutes=0) == Clearance(None)


def test_the_cooldown_ends_at_the_minute():
    last = NOON - timedelta(minutes=15)
    assert check(last=last, today=1) == Clearance(NOON + timedelta(minutes=15))
    too_soon = check(last=last + timedelta(microseconds=1), today=1)
    assert too_soon == Refusal(
        "antifraud.cooldown",
        "It is too soon after the last stamp. Next stamp possible at {time}.",
        {"time": NOON + timedelta(microseconds=1)},
        409,
        NOON + timedelta(microseconds=1),
    )


def test_no_cooldown_when_it_is_zero():
    assert check(last=NOON, today=1, cooldown_minutes=0) == Clearance(None)


def test_the_limit_of_the_day():
    assert check(today=4) == Clearance(TOMORROW)
    assert check(today=5) == Refusal(
        "antifraud.daily_limit",
        "All {limit} stamps of today are on the card. Next stamp possible at {time}.",
        {"limit": 5, "time": TOMORROW},
        409,
        TOMORROW,
    )


def test_the_limit_counts_stamps_not_sales():
    assert check(today=3, quantity=2) == Clearance(TOMORROW)
    assert check(today=3, quantity=3) == Refusal(
        "antifraud.daily_limit",
        "At most {limit} stamps a day: {left} more possible today, not {quantity}.",
        {"limit": 5, "left": 2, "quantity": 3},
        409,
        TOMORROW,
    )


def test_time_does_not_heal_more_than_a_day_allows():
    assert check(quantity=6).retry_at is None
    assert check(today=5, quantity=6).retry_at is None


def test_the_cooldown_is_told_before_the_limit():
    assert check(last=NOON, today=5).code == "antifraud.cooldown"


def test_late_in_the_evening_the_cooldown_outlasts_the_day():
    now = TOMORROW - timedelta(minutes=5)
    assert check(now=now, today=4) == Clearance(now + timedelta(minutes=15))


def test_gifts_are_not_limited():
    assert check(last=NOON, today=5, occasion=Enrolment()) is None


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-10", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2028-02-29", 24)]
)
def test_days_are_calendar_days(day, hours):
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    assert next_day_start(start, ZONE) - start == timedelta(hours=hours)


@dataclass(frozen=True)
class Sale:
    wait: int  # minutes since the try before
    quantity: int


sales = st.lists(st.builds(Sale, st.integers(0, 400), st.integers(1, 4)), max_size=40)
minutes_of_two_years = st.integers(0, 2 * 365 * 24 * 60)
starts = minutes_of_two_years.map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


def play(start, tries, settings):
    """Run tries through the hook with facts as the queries would give them; the accepted ones and every verdict."""
    now, accepted, verdicts = start, [], []
    for sale in tries:
        now += timedelta(minutes=sale.wait)
        today = sum(
            quantity for at, quantity in accepted if at >= ledger_context(AntifraudSettings(), now=now).day_start
        )
        last = accepted[-1][0] if accepted else None
        verdict = check(last, today, sale.quantity, now, None, **settings.model_dump())
        verdicts.append((now, verdict))
        if isinstance(verdict, Clearance):
            accepted.append((now, sale.quantity))
    return accepted, verdicts


settings_strategy = st.builds(
    AntifraudSettings, cooldown_minutes=st.integers(0, 120), max_daily_stamps=st.integers(1, 9)
)


@given(starts, sales, settings_strategy)
def test_no_window_holds_more_than_one_sale_and_no_day_more_than_the_limit(start, tries, settings):
    accepted, _ = play(start, tries, settings)
    cooldown = timedelta(minutes=settings.cooldown_minutes)
    for (earlier, _), (later, _) in pairwise(accepted):
        assert later - earlier >= cooldown
    per_day = {}
    for at, quantity in accepted:
        day = at.astimezone(ZoneInfo(ZONE)).date()
        per_day[day] = per_day.get(day, 0) + quantity
    assert all(total <= settings.max_daily_stamps for total in per_day.values())


@given(starts, sales, settings_strategy)
def test_a_refusal_has_a_reason(start, tries, settings):
    """The oracle: refused exactly when the sale would break a limit."""
    accepted, verdicts = [], play(start, tries, settings)[1]
    for sale, (now, verdict) in zip(tries, verdicts, strict=True):
        too_soon = accepted and now - accepted[-1][0] < timedelta(minutes=settings.cooldown_minutes)
        zone = ZoneInfo(ZONE)
        same_day = [q for at, q in accepted if at.astimezone(zone).date() == now.astimezone(zone).date()]
        too_many = sum(same_day) + sale.quantity > settings.max_daily_stamps
        expected = "antifraud.cooldown" if too_soon else "antifraud.daily_limit" if too_many else None
        assert (verdict.code if isinstance(verdict, Refusal) else None) == expected
        if expected is None:
            accepted.append((now, sale.quantity))


@given(starts, sales, settings_strategy)
def test_what_is_promised_is_kept(start, tries, settings):
    """One stamp is possible at the promised time, and not a microsecond before."""
    accepted, verdicts = play(start, tries, settings)
    for now, verdict in verdicts:
        at = verdict.retry_at if isinstance(verdict, Refusal) else verdict.next_at
        history = [(when, quantity) for when, quantity in accepted if when <= now]
        if at is None or not history:
            continue

        def outcome(moment, history=history):
            today = sum(
                quantity
                for when, quantity in history
                if when >= ledger_context(AntifraudSettings(), now=moment).day_start
            )
            return check(history[-1][0], today, 1, moment, None, **settings.model_dump())

        if isinstance(verdict, Clearance) or verdict.code == "antifraud.cooldown":
            assert isinstance(outcome(at - timedelta(microseconds=1)), Refusal)
        if isinstance(verdict, Clearance):
            assert isinstance(outcome(at), Clearance)
        else:
            assert getattr(outcome(at), "code", "") != verdict.code
