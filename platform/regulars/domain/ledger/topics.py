"""What open pages can be told of: names of things that change with the ledger."""

from __future__ import annotations

from uuid import UUID

ACTIVITY = "activity"
"""Anything that stands in the merchant's feed."""


def card_topic(card_id: UUID) -> str:
    """What is on a card."""
    return f"card/{card_id}"


def shop_topic(shop_id: UUID) -> str:
    """What happens in a shop."""
    return f"shop/{shop_id}"
