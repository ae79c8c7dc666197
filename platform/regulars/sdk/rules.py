"""Conditions that rules share: one model for the form, one test of what a rule misses, and one for many at once."""

from regulars.contracts.conditions import DAYS, Conditions, Days, first_miss, matching_amount, matching_items
from regulars.contracts.matching import Matcher, Matches, by_identity

__all__ = [
    "DAYS",
    "Conditions",
    "Days",
    "Matcher",
    "Matches",
    "by_identity",
    "first_miss",
    "matching_amount",
    "matching_items",
]
