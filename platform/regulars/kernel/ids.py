"""Identifiers as the outside sees them: a prefix that says what it is, and the UUID in hexadecimal."""

from __future__ import annotations

from uuid import UUID

CARD, MEMBER, STAFF, SHOP, PROGRAM = "card", "mem", "staff", "shop", "prog"
SALE, REDEMPTION, ENTRY, API_KEY, TENANT = "sale", "red", "txn", "key", "ten"
CHANGE, BACK_TEST = "chg", "trial"
REFUND, ADJUSTMENT, MERGE, HOUSEHOLD, RECEIPT = "ref", "adj", "mrg", "hh", "rcp"


def show(prefix: str, value: UUID) -> str:
    """A public id.

    Args:
        prefix: one of this module's constants.
        value: the row's key.

    Returns:
        For example `card_0190c3…`.
    """
    return f"{prefix}_{value.hex}"


def read(prefix: str, text: str) -> UUID | None:
    """The key in a public id.

    Returns:
        The UUID, or `None` when the text is not an id of that kind; an unknown id and no id look the same to callers.
    """
    head, separator, tail = text.partition("_")
    if head != prefix or not separator or len(tail) != 32:
        return None
    try:
        return UUID(hex=tail)
    except ValueError:
        return None
