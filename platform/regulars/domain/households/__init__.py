"""Households: members of a program who share what is on their cards."""
