"""How a bill is divided: whatever the bill and the shares, they are exactly the bill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Item, Purchase
from regulars.domain.bills.shares import Pieces, Wanted, apportion, divide

PIZZA, WATER = Item(title="Pizza", quantity=3, amount_minor=1000), Item(title="Water", amount_minor=250)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**12), min_size=1, max_size=20).filter(any))
def test_parts_sum_to_the_whole_and_are_off_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


def test_equal_shares_differ_by_a_cent_at_most() -> None:
    assert [one.amount_minor for one in divide(Purchase(amount_minor=1000), [Wanted()] * 3)] == [334, 333, 333]


def test_shares_by_amount_are_the_bill() -> None:
    bill = Purchase(amount_minor=1000, currency="EUR")
    assert divide(bill, [Wanted(700), Wanted(300)]) == [
        Purchase(amount_minor=700, currency="EUR"),
        Purchase(amount_minor=300, currency="EUR"),
    ]
    for shares in ([Wanted(700), Wanted(299)], [Wanted(700), Wanted()], [Wanted(1000)]):
        with pytest.raises(InvalidInput):
            divide(bill, shares)


def test_a_share_of_nothing_is_no_sale() -> None:
    gift = Item(title="Gift", quantity=1, amount_minor=0)
    for bill, shares in (
        (Purchase(amount_minor=1), [Wanted()] * 2),
        (Purchase(amount_minor=5), [Wanted(5), Wanted(0)]),
        (Purchase(items=(PIZZA, gift)), [Wanted(pieces=(Pieces(1, 3),)), Wanted(pieces=(Pieces(2, 1),))]),
    ):
        with pytest.raises(InvalidInput, match="more than nothing"):
            divide(bill, shares)


def test_shares_by_pieces_take_their_lines_and_their_part_of_the_tip() -> None:
    bill = Purchase(amount_minor=1500, items=(PIZZA, WATER))
    first, second = divide(bill, [Wanted(pieces=(Pieces(1, 2),)), Wanted(pieces=(Pieces(1, 1), Pieces(2, 1)))])
    assert first == Purchase(amount_minor=800, items=(Item(title="Pizza", quantity=2, amount_minor=667),))
    assert second == Purchase(
        amount_minor=700,
        items=(Item(title="Pizza", quantity=1, amount_minor=333), Item(title="Water", amount_minor=250)),
    )


@pytest.mark.parametrize("pieces", [(Pieces(1, 2),), (Pieces(1, 3), Pieces(3, 1)), (Pieces(1, 4),)])
def test_every_piece_is_divided_once(pieces: tuple[Pieces, ...]) -> None:
    with pytest.raises(InvalidInput):
        divide(Purchase(items=(PIZZA, WATER)), [Wanted(pieces=pieces), Wanted(pieces=(Pieces(2, 1),))])
