"""Payloads of the plugin's events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True)

    card_id: UUID
    member_id: UUID
    tier: str
    before: str


class TierReached(_Change):
    """A card has come to a higher tier; keys of the ladder, `before` is empty for none."""


class TierLost(_Change):
    """A card has come to a lower tier, empty for none."""


class TierEnding(BaseModel):
    """A card keeps its tier until then, unless it earns what is missing."""

    model_config = ConfigDict(frozen=True)

    card_id: UUID
    member_id: UUID
    tier: str
    keep_until: datetime
