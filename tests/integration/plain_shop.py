"""A loyalty program a second time, as plainly as possible: what sales, refunds and rewards do to a card.

Shares no code with the product. Points go by fractions, tiers by lifetime points, one promotion gives a bonus and
another one more points; stamps come by number. Time is whole days at noon, and microseconds that say what came first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from regulars.testing.plain_ledger import PlainCard, PlainEntry

ZONE = ZoneInfo("Europe/Luxembourg")
LADDER = (("bronze", 0, 100), ("silver", 40, 150), ("gold", 120, 200))
MUG, TICKET, COFFEE = 20, 12, 4
REWARDS = {"mug": ("points", MUG), "ticket": ("points", TICKET), "coffee": ("stamps", COFFEE)}
MOST_MUGS = 2
HOLD = timedelta(hours=30)
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


@dataclass(frozen=True)
class Moment:
    """What the rules look at on a card: parts of points carried over, tier, uses of the bonus."""

    carried: Fraction
    tier: str
    uses: int


@dataclass
class Grant:
    """What a sale gave by one rule; `asked` is what refunds have asked back."""

    given: Given
    entry: PlainEntry
    asked: int = 0

    @property
    def left(self) -> int:
        return self.given[3] - self.asked


@dataclass
class PlainSale:
    """A sale with what it gave, and what was given back of it."""

    amount: int
    quantity: int
    at: Moment
    result: list[Given]
    grants: list[Grant]
    carry: Fraction
    refunded: int = 0
    is_over: bool = False
    bonus_stands: bool = False
    bonus_returned: int = 0


@dataclass
class PlainRedemption:
    """A reward on its way; `until` is when a hold is over."""

    unit: str
    reward: str
    entry: PlainEntry
    state: str
    created: datetime
    until: datetime | None


def tier_of(amount: int, granted: str = "") -> str:
    reached = [key for key, threshold, _factor in LADDER if threshold <= amount or key == granted]
    return reached[-1] if reached else ""


def rank(tier: str) -> int:
    return next((number for number, one in enumerate(LADDER) if one[0] == tier), -1)


def give(rules: PlainRules, at: Moment, amount: int, quantity: int) -> tuple[list[Given], Fraction]:
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
        ("stamps", "stamps", "visit", quantity),
        ("promotions", "points", "promotion_bonus", bonus),
        ("promotions", "points", "promotion_more", more),
    ]
    return [one for one in given if one[3]], carry


@dataclass
class PlainMember:
    """A card with its accounts, sales and rewards."""

    accounts: dict[str, PlainCard] = field(default_factory=lambda: {"points": PlainCard(), "stamps": PlainCard()})
    carried: Fraction = Fraction(0)
    tier: str = ""
    granted: str = ""
    uses: int = 0
    sales: dict[str, PlainSale] = field(default_factory=dict)
    redemptions: dict[str, PlainRedemption] = field(default_factory=dict)

    @property
    def points(self) -> PlainCard:
        return self.accounts["points"]

    def raise_tier(self) -> None:
        """Up, never down."""
        target = tier_of(self.points.lifetime, self.granted)
        if rank(target) > rank(self.tier):
            self.tier = target

    def sell(self, rules: PlainRules, now: datetime, name: str, amount: int, quantity: int) -> Told:
        at = Moment(self.carried, self.tier, self.uses)
        given, carry = give(rules, at, amount, quantity)
        grants = []
        for one in given:
            _plugin, unit, _rule, units = one
            expires = end_of_life(rules, now) if unit == "points" else None
            grants.append(Grant(one, self.accounts[unit].give("earn", [(units, expires, now)], counts=True)))
        self.carried += carry
        has_bonus = any(rule == "promotion_bonus" for _plugin, _unit, rule, _units in given)
        self.uses += has_bonus
        self.sales[name] = PlainSale(amount, quantity, at, given, grants, carry, bonus_stands=has_bonus)
        self.raise_tier()
        return 200, sum(one[3] for one in given if one[1] == "points"), self.points.balance

    def refund(self, rules: PlainRules, name: str, amount: int | None) -> Told:
        """Take back what the rest of a sale would not have given."""
        sale = self.sales[name]
        if sale.is_over:
            return 409, "refund.nothing_left"
        rest = 0 if amount is None else sale.amount - sale.refunded - amount
        if rest < 0:
            return 422, "amount_minor"
        sale.refunded = sale.amount - rest
        sale.is_over = rest == 0
        takes = self._takes(sale, self._deserved(rules, sale, rest))
        taken, asked = Counter[str](), Counter[str]()
        reversed_: list[tuple[Grant, int]] = []
        for grant, units in takes:
            grant.asked += units
            unit = grant.given[1]
            back = self.accounts[unit].take_back(grant.entry, units, -(rules.debt if unit == "points" else STAMPS_OWED))
            asked[unit] += units
            taken[unit] += back
            if back:
                reversed_.append((grant, back))
        self._settle(sale, reversed_)
        self._recheck()
        let_go = {unit: asked[unit] - taken[unit] for unit in asked if asked[unit] > taken[unit]}
        return 200, {unit: units for unit, units in taken.items() if units}, let_go

    def _deserved(self, rules: PlainRules, sale: PlainSale, rest: int) -> Counter[tuple[str, str, str]]:
        """By the rules where they still give what the sale gave, else in proportion, rounded down."""
        deserved: Counter[tuple[str, str, str]] = Counter()
        if rest:
            known = give(rules, sale.at, sale.amount, sale.quantity)[0] == sale.result
            given = give(rules, sale.at, rest, sale.quantity)[0] if known else sale.result
            for plugin, unit, rule, units in given:
                deserved[plugin, unit, rule] += units if known else units * rest // sale.amount
        return deserved

    @staticmethod
    def _takes(sale: PlainSale, deserved: Counter[tuple[str, str, str]]) -> list[tuple[Grant, int]]:
        found = []
        for unit in ("points", "stamps"):
            grants = [grant for grant in reversed(sale.grants) if grant.given[1] == unit]
            too_much = sum(grant.left for grant in grants) - sum(
                units for key, units in deserved.items() if key[1] == unit
            )
            takes: dict[int, int] = defaultdict(int)
            for of_its_own in (True, False):
                for grant in grants:
                    most = grant.left - takes[id(grant)]
                    if of_its_own:
                        most = min(most, grant.left - deserved[grant.given[:3]])
                    part = max(0, min(most, too_much))
                    too_much -= part
                    takes[id(grant)] += part
            found += [(grant, takes[id(grant)]) for grant in grants if takes[id(grant)]]
        return found

    def _settle(self, sale: PlainSale, reversed_: list[tuple[Grant, int]]) -> None:
        """All parts of points that the sale had added go back with any part; those it had used only with the whole."""
        if sale.carry > 0 or sale.is_over:
            self.carried -= sale.carry
            sale.carry = Fraction(0)
        bonus = next((back for grant, back in reversed_ if grant.given[2] == "promotion_bonus"), 0)
        sale.bonus_returned += bonus
        units = next((one[3] for one in sale.result if one[2] == "promotion_bonus"), 0)
        if sale.bonus_stands and sale.bonus_returned >= units:
            sale.bonus_stands = False
            self.uses -= 1

    def _recheck(self) -> None:
        if self.tier or self.points.lifetime:
            self.tier = tier_of(self.points.lifetime, self.granted)

    def redeem(self, now: datetime, name: str, reward: str) -> Told:
        unit, cost = REWARDS[reward]
        standing = [
            one for one in self.redemptions.values() if one.reward == reward and one.state in {"held", "captured"}
        ]
        if reward == "mug" and len(standing) >= MOST_MUGS:
            return 409, "rewards.had_already"
        account = self.accounts[unit]
        if account.balance < cost:
            return 409, "reward.not_ready"
        entry = account.take("redeem", cost, account.in_order())
        state = "held" if reward == "ticket" else "captured"
        until = now + HOLD if state == "held" else None
        self.redemptions[name] = PlainRedemption(unit, reward, entry, state, now, until)
        return 201, state

    def move(self, now: datetime, name: str, what: str, paused_since: datetime | None) -> Told:
        """What becomes of a reward that is put aside; its time stands still in a pause."""
        one = self.redemptions[name]
        over = one.state == "held" and one.until is not None and one.until <= (paused_since or now)
        if what == "capture" and over:
            return 409, "redemption.too_late"
        if what == "expire" and one.state == "held" and not over:
            return 409, "redemption.too_early"
        if one.state != "held":
            return 409, "redemption.not_possible"
        one.state = {"capture": "captured", "release": "released", "expire": "expired"}[what]
        if what != "capture":
            self.accounts[one.unit].give_back(one.entry, now)
            one.entry.back = 1
        return 200, one.state

    def adjust(self, rules: PlainRules, now: datetime, units: int) -> Told:
        if units < 0 and self.points.balance + units < 0:
            return 409, "adjust.not_enough"
        if units > 0:
            self.points.give("adjust", [(units, end_of_life(rules, now), now)])
        else:
            self.points.take("adjust", -units, self.points.in_order())
        return 201, "done"

    def grant(self, tier: str) -> Told:
        self.granted = tier
        self.tier = tier_of(self.points.lifetime, tier)
        return (self.tier,)

    def expire(self, until: datetime) -> Told:
        written = 0
        for account in self.accounts.values():
            gone = [lot for lot in account.in_order() if lot.expires is not None and lot.expires <= until]
            if gone:
                account.take("expire", sum(lot.left for lot in gone), gone)
                written += 1
        return (written,)

    def shift(self, began: datetime, ended: datetime) -> None:
        """After a pause: what had not run out lives on for as long as it stood still."""
        for account in self.accounts.values():
            for lot in account.lots:
                if lot.left and lot.expires is not None and lot.expires > began and lot.created < ended:
                    lot.expires += ended - max(began, lot.created)
        for one in self.redemptions.values():
            if one.state == "held" and one.until is not None and one.until > began and one.created < ended:
                one.until += ended - max(began, one.created)


def transfer(source: PlainMember, target: PlainMember, units: int) -> Told:
    if source.points.balance < units:
        return 409, "adjust.not_enough"
    gone = source.points.take("adjust", units, source.points.in_order())
    target.points.give("adjust", [(part, lot.expires, lot.created) for lot, part in gone.taken])
    return 201, source.points.balance, target.points.balance


def end_of_life(rules: PlainRules, now: datetime) -> datetime | None:
    """Midnight after so many days."""
    if rules.lives is None:
        return None
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=rules.lives + 1), time.min, ZONE)


STAMPS_OWED = 1000
BASIC = PlainRules("1.5", 5, 2000, None, 9, 10, 7, 1, 100)
OTHER = PlainRules("2", 0, 0, 60, None, 0, 0, 0, 150)
CAPPED = replace(BASIC, rate="0.33", most=9, debt=0, percent=120)
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
            "refund_policy": "debt" if rules.debt else "clip",
            "max_debt": rules.debt or 1,
        },
        "promotions": {"promotions": promotions},
    }


FIXED_SETTINGS: dict[str, dict[str, Any]] = {
    "stamps": {"target": COFFEE, "max_per_sale": 10, "milestones": []},
    "tiers": {"ladder": [{"title": key.title(), "threshold": at, "multiplier": x} for key, at, x in LADDER]},
    "rewards": {
        "rewards": [
            {"key": "mug", "title": "Mug", "cost": MUG, "most_per_member": MOST_MUGS},
            {"key": "ticket", "title": "Ticket", "cost": TICKET, "handing": "code", "hold_hours": 30},
        ]
    },
}
