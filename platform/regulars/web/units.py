"""Units in words, as their providers say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regulars.domain.ledger.history import words_of
from regulars.kernel.i18n import format_number
from regulars.web.work import Work


def unit_title(work: Work, unit: str) -> str:
    """What a unit is called as a heading."""
    words = words_of(work.services.plugins, unit)
    return words.title() if words else unit.capitalize()


def unit_amount(work: Work, unit: str, number: int) -> str:
    """A number of units, in words."""
    words = words_of(work.services.plugins, unit)
    return words.amount(number) if words else format_number(number)


def unit_amounts(work: Work, balances: Mapping[str, int]) -> Sequence[str]:
    """Several numbers of units, in words and in the order of the units' names; those of nothing are left out."""
    return [unit_amount(work, unit, number) for unit, number in sorted(balances.items()) if number]
