"""After which events a pass may show something else."""

from __future__ import annotations

from regulars.contracts.events import (
    EntryPosted,
    HouseholdJoined,
    HouseholdLeft,
    MemberMerged,
    MemberUnmerged,
    RedemptionMoved,
)

CARD_EVENTS: tuple[str, ...] = tuple(
    event.name for event in (EntryPosted, RedemptionMoved, MemberMerged, MemberUnmerged, HouseholdJoined, HouseholdLeft)
)
"""Each names the card in its payload as `card_id`; a wallet's plugin subscribes its job to all of them."""
