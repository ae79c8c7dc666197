"""Conditions that rules share: one model for the form, one test that says which condition missed."""

from regulars.contracts.conditions import DAYS, Conditions, Days, first_miss, matching_amount, matching_items

__all__ = ["DAYS", "Conditions", "Days", "first_miss", "matching_amount", "matching_items"]
