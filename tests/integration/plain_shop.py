"""A loyalty program a second time, as plainly as possible: what sales, refunds and rewards do to a card.

Shares no code with the product. Time is whole days at noon, and microseconds that say what came first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count

from plain_rules import (
    HOLD,
    MOST_MUGS,
    REWARDS,
    STAMPS_OWED,
    UNDO,
    UNITS,
    Given,
    Moment,
    PlainRules,
    Told,
    end_of_life,
    give,
    rank,
    tier_of,
)

from regulars.testing.plain_ledger import PlainBrought, PlainCard, PlainEntry

_numbers = count()


@dataclass
class Grant:
    """What a sale gave by one rule, on no card while it waits; `asked` is what was asked back."""

    given: Given
    entry: PlainEntry | None
    expires: datetime | None
    due: datetime
    asked: int = 0
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def left(self) -> int:
        return self.given[3] - self.asked


@dataclass
class PlainSale:
    """A sale with what it gave, and what was given back of it."""

    created: datetime
    amount: int
    counts: Mapping[str, int]
    at: Moment
    result: list[Given]
    grants: list[Grant]
    carry: Fraction
    refunded: int = 0
    is_over: bool = False
    is_undone: bool = False
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


@dataclass
class PlainMember:
    """A card with its accounts, sales and rewards, and what a merge has brought from it to another one."""

    accounts: dict[str, PlainCard] = field(default_factory=lambda: {unit: PlainCard() for unit in UNITS})
    carried: Fraction = Fraction(0)
    tier: str = ""
    granted: str = ""
    uses: int = 0
    sales: dict[str, PlainSale] = field(default_factory=dict)
    redemptions: dict[str, PlainRedemption] = field(default_factory=dict)
    last: list[PlainSale | PlainRedemption] = field(default_factory=list)
    brought: dict[str, PlainBrought] = field(default_factory=dict)

    @property
    def points(self) -> PlainCard:
        return self.accounts["points"]

    def raise_tier(self) -> None:
        """Up, never down."""
        target = tier_of(self.points.lifetime, self.granted)
        if rank(target) > rank(self.tier):
            self.tier = target

    def sell(self, rules: PlainRules, now: datetime, name: str, amount: int, counts: Mapping[str, int]) -> Told:
        at = Moment(self.carried, self.tier, self.uses)
        given, carry = give(rules, at, amount, counts)
        grants = []
        for one in given:
            _plugin, unit, _rule, units = one
            expires = end_of_life(rules, now) if unit == "points" else None
            grants.append(Grant(one, None, expires, now + timedelta(days=rules.waits if unit == "points" else 0)))
            if grants[-1].due <= now:
                grants[-1].entry = self.accounts[unit].give("earn", [(units, expires, now)], counts=True)
        self.carried += carry
        has_bonus = any(rule == "promotion_bonus" for _plugin, _unit, rule, _units in given)
        self.uses += has_bonus
        sale = PlainSale(now, amount, counts, at, given, grants, carry, bonus_stands=has_bonus)
        self.sales[name] = sale
        self.last.append(sale)
        self.raise_tier()
        earned = sum(grant.given[3] for grant in grants if grant.entry and grant.given[1] == "points")
        return 200, earned, self.points.balance

    def refund(self, rules: PlainRules, name: str, amount: int | None, owner: PlainMember) -> Told:
        """Take back what the rest of a sale, which may be of a merged card, would not have given."""
        sale = owner.sales[name]
        if sale.is_undone:
            return 409, "refund.undone"
        if sale.is_over:
            return 409, "refund.nothing_left"
        rest = 0 if amount is None else sale.amount - sale.refunded - amount
        if rest < 0:
            return 422, "amount_minor"
        sale.refunded = sale.amount - rest
        sale.is_over = rest == 0
        grants = [one for one in sale.grants if one.entry is None or self.has(one.entry) or owner.has(one.entry)]
        takes = self._takes(grants, self._deserved(rules, sale, rest, grants))
        taken, asked = Counter[str](), Counter[str]()
        reversed_: list[tuple[Grant, int]] = []
        for grant, units in takes:
            grant.asked += units
            unit = grant.given[1]
            if grant.entry is None:
                back = units
            else:
                owed = rules.debt if unit == "points" else STAMPS_OWED
                back = self.accounts[unit].take_back(grant.entry, units, -owed)
                if unit in owner.brought and owner.has(grant.entry):
                    owner.brought[unit].lifetime -= back
            asked[unit] += units
            taken[unit] += back
            if back:
                reversed_.append((grant, back))
        self._settle(sale, reversed_)
        self.recheck()
        let_go = {unit: asked[unit] - taken[unit] for unit in asked if asked[unit] > taken[unit]}
        return 200, {unit: units for unit, units in taken.items() if units}, let_go

    def has(self, entry: PlainEntry) -> bool:
        return any(entry is own for account in self.accounts.values() for own in account.entries)

    def _deserved(
        self, rules: PlainRules, sale: PlainSale, rest: int, grants: list[Grant]
    ) -> Counter[tuple[str, str, str]]:
        """By the rules where they still give what the sale gave, else in proportion, rounded down."""
        deserved: Counter[tuple[str, str, str]] = Counter()
        if rest:
            known = give(rules, sale.at, sale.amount, sale.counts)[0] == sale.result
            there = [grant.given for grant in grants]
            given = give(rules, sale.at, rest, sale.counts)[0] if known else there
            for plugin, unit, rule, units in given:
                deserved[plugin, unit, rule] += units if known else units * rest // sale.amount
        return deserved

    @staticmethod
    def _takes(given: list[Grant], deserved: Counter[tuple[str, str, str]]) -> list[tuple[Grant, int]]:
        """What waits before what is there, the newest first."""
        found = []
        for unit in UNITS:
            grants = [grant for grant in reversed(given) if grant.given[1] == unit]
            grants.sort(key=lambda grant: grant.entry is not None)
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

    def recheck(self) -> None:
        self.tier = tier_of(self.points.lifetime, self.granted)

    def undo(self, now: datetime) -> Told:
        """Take back what was done last with this card itself."""
        standing = [one for one in self.last if is_undoable(one)]
        if not standing:
            return 409, "undo.nothing"
        last = standing[-1]
        if now - last.created > UNDO:
            return 409, "undo.too_late"
        if isinstance(last, PlainRedemption):
            last.state = "undone" if last.state == "captured" else "released"
            self.accounts[last.unit].give_back(last.entry, now)
            last.entry.back = 1
            return 200, True
        there = [(grant, grant.entry, grant.entry.lot) for grant in last.grants if grant.entry]
        if any(lot is None or lot.left < entry.amount for _grant, entry, lot in there):
            return 409, "undo.already_spent"
        for grant, entry, lot in reversed(there):
            assert lot is not None
            self.accounts[grant.given[1]].take("reverse", entry.amount, [lot], lifetime=-entry.amount)
        for grant in last.grants:
            grant.asked = grant.given[3]
        last.is_undone = True
        self.carried -= last.carry
        self.uses -= last.bonus_stands
        last.carry, last.bonus_stands = Fraction(0), False
        self.recheck()
        return 200, True

    def redeem(self, now: datetime, name: str, reward: str, others: list[PlainMember]) -> Told:
        """Have a reward; what `others`, who are the same person, have had counts."""
        unit, cost = REWARDS[reward]
        had = [one for member in (self, *others) for one in member.redemptions.values()]
        standing = [one for one in had if one.reward == reward and one.state in {"held", "captured"}]
        if reward == "mug" and len(standing) >= MOST_MUGS:
            return 409, "rewards.had_already"
        account = self.accounts[unit]
        if account.balance < cost:
            return 409, "reward.not_ready"
        entry = account.take("redeem", cost, account.in_order())
        state = "held" if reward == "ticket" else "captured"
        until = now + HOLD if state == "held" else None
        self.redemptions[name] = PlainRedemption(unit, reward, entry, state, now, until)
        self.last.append(self.redemptions[name])
        return 201, state

    def move(self, now: datetime, one: PlainRedemption, what: str, paused_since: datetime | None) -> Told:
        """What becomes of a reward that is put aside; its time stands still in a pause."""
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

    def release(self, now: datetime, others: list[PlainMember]) -> None:
        """Put on the card what has waited long enough, also what `others` have earned who lead here."""
        waiting = [grant for member in (self, *others) for sale in member.sales.values() for grant in sale.grants]
        for grant in sorted(waiting, key=lambda one: one.number):
            if grant.entry is None and grant.left and grant.due <= now:
                parts = [(grant.left, grant.expires, now)]
                grant.entry = self.accounts[grant.given[1]].give("earn", parts, counts=True)

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
        for sale in self.sales.values():
            for grant in sale.grants:
                if grant.entry is None and sale.created < ended:
                    by = ended - max(began, sale.created)
                    grant.due, grant.expires = grant.due + by, grant.expires and grant.expires + by


def is_undoable(one: PlainSale | PlainRedemption) -> bool:
    if isinstance(one, PlainSale):
        return not (one.is_undone or one.refunded or one.is_over)
    return one.state in {"held", "captured"}


def transfer(source: PlainMember, target: PlainMember, units: int) -> Told:
    if source.points.balance < units:
        return 409, "adjust.not_enough"
    gone = source.points.take("adjust", units, source.points.in_order())
    target.points.give("adjust", [(part, lot.expires, lot.created) for lot, part in gone.taken])
    return 201, source.points.balance, target.points.balance
