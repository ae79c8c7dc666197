"""Moments as people say them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from regulars.kernel.i18n import current_locale, current_timezone, format_date, format_time
from regulars.kernel.i18n import gettext as _


def day_words(moment: datetime, now: datetime | None = None) -> str:
    """The day of a moment in the current time zone: `Today`, `Yesterday`, `12 Mar 2026`.

    Args:
        moment: aware.
        now: by default the present.
    """
    zone = ZoneInfo(current_timezone())
    day, today = moment.astimezone(zone).date(), (now or datetime.now(UTC)).astimezone(zone).date()
    if day == today:
        return _("Today")
    return _("Yesterday") if day == today - timedelta(days=1) else format_date(day)


def moment_words(moment: datetime, now: datetime | None = None) -> str:
    """Day and time of a moment: `Today, 14:32`. Arguments as for `day_words`."""
    return _("%(day)s, %(time)s", day=day_words(moment, now), time=format_time(moment))


def short_day(day: date) -> str:
    """A day without its year, for charts: `12 Mar`."""
    return format_skeleton("MMMd", datetime(day.year, day.month, day.day, tzinfo=UTC), locale=current_locale())


def visit_words(moment: datetime, now: datetime | None = None) -> str:
    """A visit: with its time when it was today, else only the day. Arguments as for `day_words`."""
    day = day_words(moment, now)
    return moment_words(moment, now) if day == _("Today") else day
