"""What happens in a shop over six months: a list of steps in the order of time, made from dice alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from regulars.contracts.ledger import Item, Purchase

Kind = Literal["enrol", "sale", "double_scan", "wrong_pin", "undo"]
PERSONAS = ((0.22, 3), (0.38, 6), (0.28, 15), (0.12, 400))
"""(share, days between visits): daily people, weekly people, now-and-then, once."""


@dataclass(frozen=True, slots=True)
class Business:
    """How a merchant's days look.

    Attributes:
        members, sales: how many by the end.
        opens, closes: hours.
        rush: hours with more visits.
        weekdays: weight of Monday to Sunday, 0 for closed.
        most: stamps a visit, at most.
        goods: what is sold, the favourites first; none where the till sends no amounts.
    """

    members: int
    sales: int
    opens: int
    closes: int
    rush: tuple[int, ...]
    weekdays: tuple[int, ...]
    most: int
    goods: tuple[Item, ...] = ()


BREADS = (
    Item("b01", "Country bread", "bread", 1, 420),
    Item("v01", "Croissant", "pastry", 1, 160),
    Item("c01", "Coffee", "coffee", 1, 280),
    Item("b02", "Baguette", "bread", 1, 170),
    Item("v02", "Fruit tart", "pastry", 1, 390),
    Item("b03", "Rye bread", "bread", 1, 480),
    Item("s01", "Sandwich", "lunch", 1, 550),
    Item("t01", "Birthday cake", "pastry", 1, 3200),
)
PIZZAS = (
    Item("p01", "Margherita", "pizza", 1, 1150),
    Item("p02", "Diavola", "pizza", 1, 1390),
    Item("d01", "Water", "drinks", 1, 390),
    Item("p03", "Quattro stagioni", "pizza", 1, 1450),
    Item("d02", "House wine", "drinks", 1, 620),
    Item("x01", "Tiramisù", "dessert", 1, 680),
)
BUSINESSES = {
    "cafe": Business(320, 4000, 7, 19, (7, 8, 12, 13), (10, 10, 10, 10, 12, 9, 4), 2),
    "boulangerie": Business(260, 2600, 6, 18, (6, 7, 8, 16, 17), (9, 9, 9, 9, 11, 14, 8), 1, BREADS),
    "pizza": Business(260, 2600, 11, 23, (12, 13, 19, 20), (0, 8, 9, 10, 14, 15, 12), 3, PIZZAS),
}


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One thing that happens.

    Attributes:
        member: number of the member.
        quantity: stamps.
        goods: lines of the bill.
        staff, shop: dice for whoever is there, 0 to 1.
    """

    at: datetime
    member: int
    kind: Kind
    quantity: int = 1
    staff: float = 0.0
    shop: float = 0.0
    goods: tuple[Item, ...] = field(default=(), compare=False)

    @property
    def purchase(self) -> Purchase:
        """What is bought."""
        if not self.goods:
            return Purchase(self.quantity)
        return Purchase(self.quantity, sum(item.amount_minor for item in self.goods), "EUR", self.goods)


def plan(business: Business, dice: random.Random, until: datetime, days: int, zone: ZoneInfo) -> list[Step]:
    """All steps of a merchant, oldest first.

    Args:
        business: how its days look.
        dice: seeded.
        until: the end; nothing happens later.
        days: length of the history.
        zone: of the shop.
    """
    first = until.astimezone(zone).date() - timedelta(days=days)
    enrolments = [_joins(business, dice, first, days, zone, number) for number in range(business.members)]
    visits = [visit for step in enrolments for visit in _visits(business, dice, step, until, zone)]
    visits = sorted(dice.sample(visits, min(business.sales, len(visits))))
    steps = [*enrolments, *visits, *_mishaps(dice, visits)]
    return sorted(step for step in steps if step.at <= until)


def _joins(business: Business, dice: random.Random, first: date, days: int, zone: ZoneInfo, number: int) -> Step:
    share = dice.random() * 0.25 if dice.random() < 0.4 else dice.random()
    day = _open_day(business, dice, first + timedelta(days=int(share * (days - 1))))
    return Step(_moment(business, dice, day, zone), number, "enrol", staff=dice.random(), shop=dice.random())


def _visits(business: Business, dice: random.Random, joined: Step, until: datetime, zone: ZoneInfo) -> Iterator[Step]:
    gap = dice.choices([days for _, days in PERSONAS], [share for share, _ in PERSONAS])[0]
    home = dice.random()
    at = joined.at + timedelta(minutes=1)
    day = joined.at.astimezone(zone).date()
    while at <= until:
        shop = home if dice.random() < 0.85 else dice.random()
        quantity = dice.choices(range(1, business.most + 1), [12, 3, 1][: business.most])[0]
        yield Step(at, joined.member, "sale", quantity, dice.random(), shop, _basket(business, dice))
        day = _open_day(business, dice, day + timedelta(days=max(1, round(dice.expovariate(1 / gap)))))
        at = _moment(business, dice, day, zone)


def _mishaps(dice: random.Random, visits: Sequence[Step]) -> Iterator[Step]:
    """Scanned twice, a wrong PIN before, taken back after."""
    for step in visits:
        fate = dice.random()
        kind: Kind | None = "double_scan" if fate < 0.012 else "wrong_pin" if fate < 0.016 else None
        kind = "undo" if 0.016 <= fate < 0.022 else kind
        if kind is not None:
            delay = timedelta(seconds=-20 if kind == "wrong_pin" else dice.randrange(20, 200))
            yield replace(step, at=step.at + delay, kind=kind)


def _basket(business: Business, dice: random.Random) -> tuple[Item, ...]:
    if not business.goods:
        return ()
    favour = range(len(business.goods), 0, -1)
    return tuple(dice.choices(business.goods, [place**2 for place in favour], k=dice.choice((1, 1, 2, 2, 3, 4))))


def _open_day(business: Business, dice: random.Random, day: date) -> date:
    most = max(business.weekdays)
    while dice.random() * most > business.weekdays[day.weekday()]:
        day += timedelta(days=1)
    return day


def _moment(business: Business, dice: random.Random, day: date, zone: ZoneInfo) -> datetime:
    hours = range(business.opens, business.closes)
    hour = dice.choices(hours, [4 if hour in business.rush else 1 for hour in hours])[0]
    local = datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), tzinfo=zone)
    return local.astimezone(ZoneInfo("UTC"))
