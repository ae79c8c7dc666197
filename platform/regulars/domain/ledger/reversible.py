"""Entries that can be taken back, as a card transaction reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.contracts.ledger import PostedEntry
from regulars.domain.ledger.engine import open_lot
from regulars.domain.ledger.posting import LotUse, Posted


def read_posted(value: Mapping[str, Any]) -> Posted:
    """An entry with its lot and what it took from lots, from its JSON form."""
    entry = PostedEntry(
        id=UUID(value["id"]),
        unit=value["unit"],
        kind=value["kind"],
        amount=value["amount"],
        balance_after=value["balance_after"],
        lifetime_after=value["lifetime_after"],
        rule=value["rule"],
        plugin=value["plugin"],
        at=datetime.fromisoformat(value["created_at"]),
    )
    return Posted(
        entry=entry,
        counts_for_limits=value["counts_for_limits"],
        lot=open_lot(value["lot"]) if value["lot"] else None,
        uses=[
            LotUse(UUID(use["lot_id"]), use["amount"], use["amount_left"], read_moment(use["expires_at"]))
            for use in value["uses"] or ()
        ],
    )


def read_moment(text: str | None) -> datetime | None:
    """A moment from its JSON form."""
    return datetime.fromisoformat(text) if text else None
