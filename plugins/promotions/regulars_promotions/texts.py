"""Promotions in plain sentences, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Literal

from regulars.sdk import N_
from regulars.sdk.i18n import _, format_date, format_money, format_number, format_time, ngettext
from regulars.sdk.rules import DAYS
from regulars_promotions.settings import Promotion
from regulars_promotions.used import Left

Status = Literal["running", "scheduled", "used_up", "ended", "off"]
STATUS: dict[Status, str] = {
    "running": N_("Running"),
    "scheduled": N_("Scheduled"),
    "used_up": N_("Used up"),
    "ended": N_("Ended"),
    "off": N_("Switched off"),
}


def status_of(promotion: Promotion, left: Left, now: datetime) -> Status:
    """Where a promotion stands.

    Args:
        promotion: whose.
        left: what it still has.
        now: in the program's zone.
    """
    if not promotion.active:
        return "off"
    if promotion.ends_on is not None and now.date() > promotion.ends_on:
        return "ended"
    if left.is_gone:
        return "used_up"
    return "scheduled" if promotion.starts_on is not None and now.date() < promotion.starts_on else "running"


def gift(promotion: Promotion, currency: str) -> str:
    """What it gives: `Everything counts double`, `10 % off`, `Espresso for free`."""
    if promotion.kind == "bonus_points":
        return _("%(number)s extra with a purchase", number=format_number(promotion.units or 0))
    if promotion.kind == "multiplier":
        named = {200: _("Everything counts double"), 300: _("Everything counts three times")}
        return named.get(promotion.percent or 0) or _("Everything counts %(percent)s %%", percent=promotion.percent)
    if promotion.kind == "discount_percent":
        return _("%(percent)s %% off", percent=promotion.percent)
    if promotion.kind == "discount_fixed":
        return _("%(amount)s off", amount=format_money(promotion.amount_minor or 0, currency))
    return _("%(item)s for free", item=promotion.item)


def sentence(promotion: Promotion, currency: str) -> str:
    """What it gives and when: `10 % off, on bakery, Tuesdays, from 16:00 to 18:00`."""
    return ", ".join([gift(promotion, currency), *conditions(promotion, currency)])


def conditions(promotion: Promotion, currency: str) -> Iterator[str]:
    """What has to hold, as far as customers need to know."""
    goods = [*promotion.categories, *promotion.products]
    if goods:
        yield _("on %(goods)s", goods=", ".join(goods))
    if promotion.min_amount_minor:
        yield _("from %(amount)s", amount=format_money(promotion.min_amount_minor, currency))
    if promotion.max_amount_minor:
        yield _("up to %(amount)s", amount=format_money(promotion.max_amount_minor, currency))
    if promotion.days != "any":
        yield _(DAYS[promotion.days])
    if promotion.from_time or promotion.to_time:
        begin, end = (_clock(moment) for moment in (promotion.from_time or time(0), promotion.to_time or time(0)))
        yield _("from %(begin)s to %(end)s", begin=begin, end=end)
    if promotion.channel != "any":
        yield _("online") if promotion.channel == "online" else _("in the shop")
    if promotion.first_purchase:
        yield _("with the first purchase")
    if promotion.max_uses_per_member:
        yield ngettext("once per customer", "%(num)s times per customer", promotion.max_uses_per_member)


def period(promotion: Promotion) -> str:
    """`1 Mar – 31 Mar`, `until 31 Mar`; empty without dates."""
    begin = format_date(promotion.starts_on) if promotion.starts_on else ""
    end = format_date(promotion.ends_on) if promotion.ends_on else ""
    if begin and end:
        return _("%(begin)s to %(end)s", begin=begin, end=end)
    if begin:
        return _("from %(begin)s", begin=begin)
    return _("until %(end)s", end=end) if end else ""


def limits(promotion: Promotion, currency: str) -> Iterator[str]:
    """What all customers together get at most, for the merchant."""
    if promotion.budget_units:
        yield _("at most %(number)s points", number=format_number(promotion.budget_units))
    if promotion.budget_minor:
        yield _("at most %(amount)s", amount=format_money(promotion.budget_minor, currency))
    if promotion.max_uses:
        yield ngettext("at most once", "at most %(num)s times", promotion.max_uses)


def _clock(moment: time) -> str:
    return format_time(datetime.combine(date(2000, 1, 1), moment, UTC), timezone="UTC")
