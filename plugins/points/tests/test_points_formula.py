"""Formulas: what they give, where they are wrong, and that nothing gets out of bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.sdk import BadValue
from regulars_points.formula import BOUND, VARIABLES, Result, evaluate, parse

VALUES = dict.fromkeys(VARIABLES, 0) | {"amount": 25, "cents": 2599, "weekday": 6, "hour": 14, "items": 3}


def give(text, **values):
    return evaluate(parse(text), VALUES | values)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("7 / 2", 3),
        ("-7 / 2", -4),
        ("7 % 4", 3),
        ("2 * -3", -6),
        ("- - 4", 4),
        ("amount * 2 + items", 53),
        ("cents / 100", 25),
        ("max(0, amount - 10) * 2", 30),
        ("min(5, 3, 9)", 3),
        ("if(weekday == 6, 50, 0)", 50),
        ("if(hour >= 12 and hour < 14, 5, 1)", 1),
        ("1 < 2 == 1", 1),
        ("0 or 3", 1),
        ("5 != 5 or 2 > 1 and 0", 0),
    ],
)
def test_what_formulas_give(text, value):
    assert give(text) == Result(value)


@pytest.mark.parametrize("text", ["5 / 0", "5 % 0", "amount / (items - 3)"])
def test_divided_by_nothing_is_nothing_and_said(text):
    assert give(text) == Result(0, divided_by_zero=True)


def test_the_branch_that_is_not_taken_is_not_computed():
    assert give("if(items == 0, amount / 0, 7)") == Result(7)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The formula ends too early."),
        ("1 +", "The formula ends too early."),
        ("(1", "The formula ends too early."),
        ("1 2", "“2” at character 3 is not understood."),
        ("amount $ 2", "“$” at character 8 is not understood."),
        ("  price * 2", "“price” at character 3 is not understood."),
        ("2.5 * amount", "“.” at character 2 is not understood."),
        ("1e3", "“e3” at character 2 is not understood."),
        ("__import__(1)", "“__import__” at character 1 is not understood."),
        ("amount.real", "“.” at character 7 is not understood."),
        ("2 ** 9", "“*” at character 4 is not understood."),
        ("min(1)", "“min” takes 2 values."),
        ("if(1, 2)", "“if” takes 3 values."),
        ("min 1", "“1” at character 5 is not understood."),
        ("١ + 1", "“١” at character 1 is not understood."),
        ("1" * 401, "This formula is too long."),
        ("1" + "+1" * 100, "This formula has too many parts."),
        ("(" * 30 + "1" + ")" * 30, "This formula has too many parts."),
        ("-" * 200 + "1", "This formula has too many parts."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, sentence):
    with pytest.raises(BadValue) as raised:
        parse(text)
    assert str(raised.value) == sentence


def test_results_have_bounds():
    assert give("*".join(["999999999999999"] * 20)).value == BOUND
    assert give("-" + "*".join(["999999999999999"] * 20)).value == -BOUND
    assert give("balance + 1", balance=10**30).value == BOUND


@given(st.text(alphabet="0123456789+-*/%()<>=!, abinmxf", max_size=80))
def test_whatever_is_typed_is_a_number_or_a_sentence(text):
    try:
        node = parse(text)
    except BadValue:
        return
    assert -BOUND <= evaluate(node, VALUES).value <= BOUND
