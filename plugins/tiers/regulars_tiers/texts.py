"""Sentences about tiers, in the reader's language."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import get_currency_precision

from regulars.sdk.i18n import _, format_date, format_money, format_number, ngettext
from regulars_tiers.settings import PLAIN, Tier, TierSettings
from regulars_tiers.standing import Standing, next_tier


def measure(settings: TierSettings, amount: int, currency: str) -> str:
    """An amount in the measure of the thresholds: `500 points`, `€500`, `10 visits`."""
    shown = format_number(amount)
    if settings.basis == "spend":
        return format_money(amount * 10 ** get_currency_precision(currency), currency)
    if settings.basis == "visits":
        return ngettext("%(num)s visit", "%(num)s visits", amount, num=shown)
    if settings.unit == "stamps":
        return ngettext("%(num)s stamp", "%(num)s stamps", amount, num=shown)
    return ngettext("%(num)s point", "%(num)s points", amount, num=shown)


def threshold(settings: TierSettings, tier: Tier, currency: str) -> str:
    """From when on somebody has a tier."""
    if tier.threshold == 0:
        return _("For everybody")
    return _("From %(amount)s", amount=measure(settings, tier.threshold, currency))


def benefits(settings: TierSettings, tier: Tier) -> list[str]:
    """What a tier brings."""
    found = []
    if tier.multiplier > PLAIN:
        found.append(_("×%(factor)s on every purchase", factor=format_number(Decimal(tier.factor))))
    if tier.birthday_gift:
        found.append(_("Birthday gift: %(number)s", number=format_number(tier.birthday_gift)))
    if tier.free_delivery:
        found.append(_("Free delivery"))
    if tier.rewards:
        found.append(_("Rewards of its own"))
    return found


def way(settings: TierSettings, standing: Standing, amount: int, currency: str) -> str:
    """How far it is: to keep what is about to end, else to the next tier; empty at the top."""
    held = settings.find(standing.tier)
    if standing.keep_until is not None and held is not None and amount < held.threshold:
        missing = measure(settings, held.threshold - amount, currency)
        day = format_date(standing.keep_until)
        return _("%(missing)s more by %(day)s, and you keep %(tier)s.", missing=missing, day=day, tier=held.title)
    following = next_tier(settings, amount, standing.tier)
    if following is None:
        return ""
    missing = measure(settings, following.threshold - amount, currency)
    return _("%(missing)s more to %(tier)s", missing=missing, tier=following.title)


def reason(name: str) -> str:
    """Why a tier has changed."""
    if name == "reached":
        return _("Reached")
    if name == "ended":
        return _("Not reached any more")
    return _("Sale taken back") if name == "taken_back" else _("By hand")
