"""Conditions of rules: each one alone lets pass and holds back, and says which it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest
from pydantic import ValidationError

from regulars.contracts.conditions import Conditions, first_miss, matching_amount
from regulars.contracts.ledger import Item, Purchase
from regulars.testing.contexts import NOON, ledger_context

SHOP = UUID(int=7)
BREAD = Item("b1", "Bread", "Bakery", 1, 400)
MILK = Item("m1", "Milk", "dairy", 1, 600)
BOUGHT = Purchase(amount_minor=1000, items=(BREAD, MILK))


def miss(purchase: Purchase = BOUGHT, *, at: datetime = NOON, first: bool = False, **conditions: object) -> str | None:
    ctx = replace(ledger_context(Conditions(), now=at), shop_id=SHOP, segments=frozenset({"regulars"}))
    step = first_miss(Conditions(**conditions), "Rule", ctx, purchase, is_first=first)
    return step.message if step else None


@pytest.mark.parametrize(
    ("holds", "misses", "message"),
    [
        ({"min_amount_minor": 1000}, {"min_amount_minor": 1001}, "“{rule}” asks for a larger amount."),
        ({"max_amount_minor": 1000}, {"max_amount_minor": 999}, "“{rule}” asks for a smaller amount."),
        ({"categories": ("bakery",)}, {"categories": ("fish",)}, "Nothing of “{rule}” was bought."),
        ({"products": ("M1",)}, {"products": ("x",)}, "Nothing of “{rule}” was bought."),
        ({"channel": "store"}, {"channel": "online"}, "“{rule}” does not hold here."),
        ({"shops": (f"shop_{SHOP.hex}",)}, {"shops": ("shop_1",)}, "“{rule}” does not hold in this shop."),
        ({"days": "tue"}, {"days": "sat_sun"}, "“{rule}” does not hold on this day."),
        ({"days": "mon_fri"}, {"days": "wed"}, "“{rule}” does not hold on this day."),
        ({"from_time": time(12)}, {"from_time": time(12, 1)}, "“{rule}” does not hold at this hour."),
        ({"to_time": time(12, 1)}, {"to_time": time(12)}, "“{rule}” does not hold at this hour."),
        (
            {"from_time": time(22), "to_time": time(13)},
            {"from_time": time(22), "to_time": time(6)},
            "“{rule}” does not hold at this hour.",
        ),
        ({"starts_on": date(2026, 3, 10)}, {"starts_on": date(2026, 3, 11)}, "“{rule}” has not begun yet."),
        ({"ends_on": date(2026, 3, 10)}, {"ends_on": date(2026, 3, 9)}, "“{rule}” is over."),
        ({"segments": ("regulars",)}, {"segments": ("new",)}, "“{rule}” is for other customers."),
        ({}, {"first_purchase": True}, "“{rule}” is for the first purchase."),
    ],
)
def test_each_condition(holds: dict[str, object], misses: dict[str, object], message: str) -> None:
    assert (miss(**holds), miss(**misses)) == (None, message)


def test_a_first_purchase_is_one() -> None:
    assert miss(first=True, first_purchase=True) is None


def test_days_are_those_of_the_programs_zone() -> None:
    late = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # Wednesday already in Luxembourg
    assert (miss(at=late, days="tue"), miss(at=late, days="wed")) == ("“{rule}” does not hold on this day.", None)


@pytest.mark.parametrize(
    ("conditions", "amount"),
    [({}, 1000), ({"categories": ("BAKERY",)}, 400), ({"categories": ("bakery",), "products": ("m1",)}, 1000)],
)
def test_amount_of_what_a_rule_is_about(conditions: dict[str, object], amount: int) -> None:
    assert matching_amount(Conditions(**conditions), BOUGHT) == amount


def test_lines_never_count_for_more_than_the_sale() -> None:
    assert matching_amount(Conditions(categories=("dairy",)), replace(BOUGHT, amount_minor=500)) == 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_amount_minor": 2, "max_amount_minor": 1},
        {"starts_on": "2026-02-02", "ends_on": "2026-02-01"},
        {"categories": ("",)},
        {"min_amount_minor": 0},
        {"nonsense": 1},
    ],
)
def test_conditions_that_cannot_hold_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Conditions(**wrong)
