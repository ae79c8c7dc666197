"""Payloads of the plugin's events."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict


class MilestoneReached(BaseModel):
    """A card has collected so many stamps in all."""

    model_config = ConfigDict(frozen=True)

    card_id: UUID
    member_id: UUID
    unit: str = "stamps"
    threshold: int
    bonus: int
