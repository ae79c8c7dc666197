"""Refunds as arithmetic: parts of a sale, and what is taken of what it gave."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Item, Purchase
from regulars.domain.refunds.parts import ALL_THAT_IS_LEFT, Part, RefundedLine, left_of, share_of
from regulars.domain.refunds.plan import Grant, in_proportion, to_take

SALE = Purchase(2, 1000, "EUR", (Item("a", "A", "x", 3, 700), Item("b", "B", "y", 1, 300)))
BASE, BIG, OTHER = ("p", "u", "base"), ("p", "u", "big"), ("q", "v", "visit")


def grant(number: int, key: tuple[str, str, str], amount: int, *, pending: bool = False) -> Grant:
    return Grant(UUID(int=number), key, amount, amount, is_pending=pending)


def test_what_is_left_of_a_sale() -> None:
    assert left_of(SALE, []) == SALE
    assert left_of(SALE, [ALL_THAT_IS_LEFT]) is None
    assert left_of(SALE, [Part(quantity=2)]) is None
    assert left_of(SALE, [Part(amount_minor=400), Part(amount_minor=600)]) is None
    by_line = left_of(SALE, [Part(lines=(RefundedLine(1, 1),))])
    assert by_line == Purchase(2, 766, "EUR", (Item("a", "A", "x", 2, 466), SALE.items[1]))
    by_amount = left_of(SALE, [Part(amount_minor=500)])
    assert by_amount == Purchase(2, 500, "EUR", (Item("a", "A", "x", 3, 350), Item("b", "B", "y", 1, 150)))
    assert share_of(SALE, by_line) == (766, 1000)
    assert share_of(Purchase(3), Purchase(1)) == (1, 3)


@pytest.mark.parametrize(
    ("purchase", "part", "field"),
    [
        (SALE, Part(amount_minor=1001), "amount_minor"),
        (Purchase(1), Part(amount_minor=1), "amount_minor"),
        (SALE, Part(quantity=3), "quantity"),
        (SALE, Part(lines=(RefundedLine(3, 1),)), "items"),
        (SALE, Part(lines=(RefundedLine(2, 2),)), "items"),
    ],
)
def test_more_than_there_was_is_refused(purchase: Purchase, part: Part, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        left_of(purchase, [part])
    assert list(refused.value.fields) == [field]


@given(st.integers(1, 10**9), st.lists(st.integers(1, 10**9), min_size=1, max_size=8))
def test_many_parts_are_one(amount: int, parts: list[int]) -> None:
    sale = Purchase(1, amount, "EUR", (Item(amount_minor=amount),))
    total = sum(parts)
    if total > amount:
        with pytest.raises(InvalidInput):
            left_of(sale, [Part(amount_minor=part) for part in parts])
    else:
        assert left_of(sale, [Part(amount_minor=part) for part in parts]) == left_of(sale, [Part(amount_minor=total)])


def test_a_rule_that_would_not_have_matched_gives_first() -> None:
    grants = [grant(1, BIG, 600), grant(2, OTHER, 5), grant(3, BASE, 10)]
    assert to_take(grants, {BASE: 200, OTHER: 5}) == {UUID(int=1): 410}
    assert to_take(grants, {BASE: 10, OTHER: 2}) == {UUID(int=1): 600, UUID(int=2): 3}
    assert to_take(grants, {BASE: 10_000, OTHER: 9}) == {}, "a refund never adds"


def test_what_waits_is_taken_first() -> None:
    grants = [grant(1, BASE, 10, pending=True), grant(2, BASE, 10), grant(3, BASE, 10)]
    assert to_take(grants, {BASE: 15}) == {UUID(int=1): 10, UUID(int=3): 5}


@given(
    st.lists(st.tuples(st.sampled_from([BASE, BIG, OTHER]), st.integers(0, 10**6), st.booleans()), max_size=6),
    st.dictionaries(st.sampled_from([BASE, BIG, OTHER]), st.integers(0, 10**6)),
    st.integers(0, 100),
)
def test_no_more_stays_than_is_deserved(
    given_: list[tuple[tuple[str, str, str], int, bool]], deserved: dict[tuple[str, str, str], int], percent: int
) -> None:
    grants = [grant(number, key, amount, pending=waits) for number, (key, amount, waits) in enumerate(given_)]
    for wanted in (deserved, in_proportion(grants, (percent, 100))):
        taken = to_take(grants, wanted)
        assert all(0 < taken[one.id] <= one.left for one in grants if one.id in taken)
        for unit in ("u", "v"):
            had = sum(one.left for one in grants if one.unit == unit)
            stays = had - sum(taken.get(one.id, 0) for one in grants if one.unit == unit)
            assert stays == min(had, sum(amount for key, amount in wanted.items() if key[1] == unit))
