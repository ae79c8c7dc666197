"""Units in words, as their providers say them."""

from __future__ import annotations

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
