"""The rules of tiers, as functions: what a count reaches, and what becomes of a card's tier.

Up at once; down only by a review, after the grace; what a reversal takes back is gone at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from babel.numbers import get_currency_precision

from regulars_tiers.settings import Tier, TierSettings


@dataclass(frozen=True, slots=True)
class Standing:
    """A card's tier as it is stored.

    Attributes:
        tier: key, empty for none.
        since: when it was reached.
        keep_until: until when it is kept though it is not reached any more.
        told_at: when the member was told so.
        granted: key of the tier that was given by hand, the lowest that the card has.
    """

    tier: str = ""
    since: datetime | None = None
    keep_until: datetime | None = None
    told_at: datetime | None = None
    granted: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Standing:
        """Read it from JSON, `None` for a card without."""
        if stored is None:
            return cls()
        times = {name: _time(stored[name]) for name in ("since", "keep_until", "told_at")}
        return cls(tier=stored["tier"], granted=stored["granted"], **times)


@dataclass(frozen=True, slots=True)
class Count:
    """What counts for a card.

    Attributes:
        value: in the present period; minor units for money.
        previous: in the calendar year before, 0 for other periods.
    """

    value: int = 0
    previous: int = 0

    @property
    def best(self) -> int:
        """What the tier goes by: a year's tier holds through the next year."""
        return max(self.value, self.previous)


def whole(settings: TierSettings, amount: int, currency: str) -> int:
    """A count as thresholds are stated: money in whole units of the currency, the rest is no matter."""
    return amount // 10 ** get_currency_precision(currency) if settings.basis == "spend" else amount


def reached(settings: TierSettings, amount: int, granted: str = "") -> Tier | None:
    """The highest tier of an amount, in the thresholds' measure, not below what was given by hand."""
    found = [tier for tier in settings.ladder if tier.threshold <= amount or tier.key == granted]
    return found[-1] if found else None


def next_tier(settings: TierSettings, amount: int, above: str) -> Tier | None:
    """The first tier that is neither reached nor held."""
    rank = settings.rank(above)
    return next((tier for at, tier in enumerate(settings.ladder) if tier.threshold > amount and at > rank), None)


def after_gain(settings: TierSettings, standing: Standing, amount: int, now: datetime) -> Standing:
    """After earning: up, or safe again; never down."""
    target = reached(settings, amount, standing.granted)
    if target is None or settings.rank(target.key) < settings.rank(standing.tier):
        return standing
    if target.key == standing.tier:
        return replace(standing, keep_until=None, told_at=None)
    return replace(standing, tier=target.key, since=now, keep_until=None, told_at=None)


def after_reversal(settings: TierSettings, standing: Standing, amount: int, then: int, now: datetime) -> Standing:
    """After something was taken back: what it had brought is gone at once.

    Who keeps a tier though it is not reached any more (in grace, or for ever) keeps it only as long as it had been
    reached rightly.

    Args:
        settings, standing: of the card.
        amount: what counts now.
        then: what had counted when the tier was reached, without what was taken back since.
        now: the moment.
    """
    target = reached(settings, amount, standing.granted)
    key = target.key if target else ""
    if settings.rank(key) >= settings.rank(standing.tier):
        return after_gain(settings, standing, amount, now)
    had = reached(settings, then, standing.granted)
    is_kept = standing.keep_until is not None or settings.keep_forever
    if is_kept and had is not None and settings.rank(had.key) >= settings.rank(standing.tier):
        return standing
    return replace(standing, tier=key, since=now, keep_until=None, told_at=None)


def at_review(settings: TierSettings, standing: Standing, amount: int, now: datetime) -> Standing:
    """As time goes by: grace begins, the member is told, the tier ends; nobody falls who was not told before."""
    target = reached(settings, amount, standing.granted)
    key = target.key if target else ""
    known = settings.find(standing.tier) is not None or not standing.tier
    if not known:  # the merchant has taken the tier out of the ladder
        return replace(standing, tier=key, since=now, keep_until=None, told_at=None)
    if settings.rank(key) >= settings.rank(standing.tier):
        return after_gain(settings, standing, amount, now)
    if settings.keep_forever:
        return replace(standing, keep_until=None, told_at=None)
    keep_until = standing.keep_until or now + timedelta(days=settings.grace_days)
    if standing.told_at is None and now >= keep_until - timedelta(days=settings.notice_days):
        least = now + timedelta(days=min(settings.notice_days, settings.grace_days))
        return replace(standing, keep_until=max(keep_until, least), told_at=now)
    if standing.told_at is not None and now >= keep_until:
        return replace(standing, tier=key, since=now, keep_until=None, told_at=None)
    return replace(standing, keep_until=keep_until)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
