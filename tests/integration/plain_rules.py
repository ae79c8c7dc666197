"""The rules of a loyalty program as plainly as possible: what a sale gives, and the same as settings of the plugins.

Shares no code with the product. Points go by fractions, tiers by lifetime points, one promotion gives a bonus and
another one more points; stamps come by number, on two cards: what staff count for each, or the same for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Luxembourg")
LADDER = (("bronze", 0, 100), ("silver", 40, 150), ("gold", 120, 200))
MUG, TICKET, COFFEE, LUNCH = 20, 12, 4, 3
STAMPS = ("stamps", "stamps.lunch")
UNITS = ("points", *STAMPS)
REWARDS = {
    "mug": ("points", MUG),
    "ticket": ("points", TICKET),
    "coffee": ("stamps", COFFEE),
    "lunch": ("stamps.lunch", LUNCH),
}
MOST_MUGS = 2
HOLD = timedelta(hours=30)
UNDO = timedelta(minutes=10)
Given = tuple[str, str, str, int]
"""Plugin, unit, rule, amount."""
Told = tuple[Any, ...]


@dataclass(frozen=True)
class PlainRules:
    """What a merchant has set.

    Attributes:
        rate: points for a euro.
        extra: points on top of a sale of at least `extra_from` cents.
        most: points of one sale, before promotions.
        lives: days after which points expire.
        debt: how far below nothing a refund may go.
        bonus: points that a promotion adds, at most `bonus_uses` times for a member.
        percent: what another promotion makes of a sale's points; 100 when there is none.
        waits: days for which points wait outside of the balance; 0 for none.
    """

    rate: str
    extra: int
    extra_from: int
    most: int | None
    lives: int | None
    debt: int
    bonus: int
    bonus_uses: int
    percent: int
    waits: int = 0


@dataclass(frozen=True)
class Moment:
    """What the rules look at on a card: parts of points carried over, tier, uses of the bonus."""

    carried: Fraction
    tier: str
    uses: int


def tier_of(amount: int, granted: str = "") -> str:
    reached = [key for key, threshold, _factor in LADDER if threshold <= amount or key == granted]
    return reached[-1] if reached else ""


def rank(tier: str) -> int:
    return next((number for number, one in enumerate(LADDER) if one[0] == tier), -1)


def give(rules: PlainRules, at: Moment, amount: int, counts: Mapping[str, int]) -> tuple[list[Given], Fraction]:
    """What a sale gives in the order of its entries, and what it changes of what is carried over."""
    total = at.carried + Fraction(rules.rate) * amount / 100 + (rules.extra if amount >= rules.extra_from else 0)
    points = max(0, floor(total))
    carry = total - points - at.carried
    factor = next((factor for key, _threshold, factor in LADDER if key == at.tier), 100)
    shown = points * factor // 100
    more = shown * (rules.percent - 100) // 100
    bonus = rules.bonus if at.uses < rules.bonus_uses else 0
    kept = shown if rules.most is None else min(shown, rules.most)
    given = [
        ("points", "points", "purchase", kept),
        *(("stamps", card, "visit", counts.get(card, 0)) for card in STAMPS),
        ("promotions", "points", "promotion_bonus", bonus),
        ("promotions", "points", "promotion_more", more),
    ]
    return [one for one in given if one[3]], carry


def end_of_life(rules: PlainRules, now: datetime) -> datetime | None:
    """Midnight after so many days."""
    if rules.lives is None:
        return None
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=rules.lives + 1), time.min, ZONE)


STAMPS_OWED = 1000
BASIC = PlainRules("1.5", 5, 2000, None, 9, 10, 7, 1, 100)
OTHER = PlainRules("2", 0, 0, 60, None, 0, 0, 0, 150, waits=2)
CAPPED = replace(BASIC, rate="0.33", most=9, debt=0, percent=120, waits=1)
ALL_RULES = (BASIC, OTHER, CAPPED)


def settings_for(rules: PlainRules) -> dict[str, dict[str, Any]]:
    """The same as settings of the plugins."""
    extra = {"title": "Large", "type": "fixed", "value": rules.extra, "min_amount_minor": rules.extra_from}
    promotions = []
    if rules.bonus:
        bonus = {"key": "bonus", "title": "Bonus", "kind": "bonus_points", "unit": "points", "units": rules.bonus}
        promotions.append({**bonus, "max_uses_per_member": rules.bonus_uses})
    if rules.percent > 100:
        promotions.append(
            {"key": "more", "title": "More", "kind": "multiplier", "unit": "points", "percent": rules.percent}
        )
    return {
        "points": {
            "rate": rules.rate,
            "rules": [extra] if rules.extra else [],
            "max_per_sale": rules.most,
            "expiry": "never" if rules.lives is None else "age",
            "expiry_days": rules.lives or 365,
            "pending_days": rules.waits or None,
            "refund_policy": "debt" if rules.debt else "clip",
            "max_debt": rules.debt or 1,
        },
        "promotions": {"promotions": promotions},
    }


FIXED_SETTINGS: dict[str, dict[str, Any]] = {
    "stamps": {
        "target": COFFEE,
        "max_per_sale": 10,
        "milestones": [],
        "more": [{"key": "lunch", "title": "Lunch", "target": LUNCH, "max_per_sale": 10, "milestones": []}],
    },
    "tiers": {"ladder": [{"title": key.title(), "threshold": at, "multiplier": x} for key, at, x in LADDER]},
    "rewards": {
        "rewards": [
            {"key": "mug", "title": "Mug", "cost": MUG, "most_per_member": MOST_MUGS},
            {"key": "ticket", "title": "Ticket", "cost": TICKET, "handing": "code", "hold_hours": 30},
        ]
    },
}
