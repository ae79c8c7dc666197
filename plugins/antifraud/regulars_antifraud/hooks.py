"""The two limits, in the order of the brief: cooldown, then daily limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.sdk import N_, Clearance, LedgerContext, Occasion, Purchase, Refusal, Verdict, hookimpl
from regulars_antifraud.settings import AntifraudSettings


class Hooks:
    """What the plugin says to a sale."""

    @hookimpl
    def check_earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Verdict:
        """Refuse a sale that comes too soon or exceeds the day's limit; gifts such as the welcome stamp pass."""
        if not isinstance(occasion, Purchase):
            return None
        settings = ctx.settings
        assert isinstance(settings, AntifraudSettings)
        tomorrow = next_day_start(ctx.day_start, ctx.program.timezone)
        too_soon = None if ctx.continues else check_cooldown(settings, ctx.now, facts["last_earned_at"])
        return too_soon or check_daily_limit(settings, ctx.now, tomorrow, facts["earned_today"], most_counted(occasion))


def most_counted(purchase: Purchase) -> int:
    """The most that staff have counted for one unit: the limit is one for each card."""
    return purchase.quantity if purchase.counts is None else max(purchase.counts.values(), default=0)


def check_cooldown(settings: AntifraudSettings, now: datetime, last_earned_at: datetime | None) -> Refusal | None:
    """Refuse when the last sale is less than the cooldown ago.

    Args:
        settings: of the program.
        now: the database's clock.
        last_earned_at: time of the card's last sale that counts, `None` when there was none.
    """
    if last_earned_at is None or settings.cooldown_minutes == 0:
        return None
    possible_at = last_earned_at + timedelta(minutes=settings.cooldown_minutes)
    if now >= possible_at:
        return None
    return Refusal(
        "antifraud.cooldown",
        N_("It is too soon after the last stamp. Next stamp possible at {time}."),
        {"time": possible_at},
        retry_at=possible_at,
    )


def check_daily_limit(
    settings: AntifraudSettings, now: datetime, tomorrow: datetime, earned_today: int, quantity: int
) -> Refusal | Clearance:
    """Refuse what goes beyond the day's limit, else say when the next one is possible.

    Args:
        settings: of the program.
        now: the database's clock.
        tomorrow: start of the next calendar day in the program's zone.
        earned_today: stamps that tills gave to the card today.
        quantity: stamps that this sale would add.
    """
    limit = settings.max_daily_stamps
    left = max(0, limit - earned_today)
    if quantity <= left:
        cooled = now + timedelta(minutes=settings.cooldown_minutes)
        if quantity == left:
            return Clearance(max(cooled, tomorrow))
        return Clearance(cooled if settings.cooldown_minutes else None)
    retry_at = tomorrow if quantity <= limit else None
    if left == 0 and retry_at:
        message = N_("All {limit} stamps of today are on the card. Next stamp possible at {time}.")
        return Refusal("antifraud.daily_limit", message, {"limit": limit, "time": retry_at}, retry_at=retry_at)
    message = N_("At most {limit} stamps a day: {left} more possible today, not {quantity}.")
    values = {"limit": limit, "left": left, "quantity": quantity}
    return Refusal("antifraud.daily_limit", message, values, retry_at=retry_at)


def next_day_start(day_start: datetime, timezone: str) -> datetime:
    """Start of the calendar day after one, in a time zone.

    Args:
        day_start: start of a day, in any zone.
        timezone: IANA name of the program's zone; its days may have 23 or 25 hours.
    """
    zone = ZoneInfo(timezone)
    following = day_start.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(following, time(), tzinfo=zone).astimezone(day_start.tzinfo)
