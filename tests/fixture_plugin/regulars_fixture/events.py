"""Payloads of the plugin's events."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel


class Taken(BaseModel):
    """A sample was taken."""

    card_id: UUID
    member_id: UUID
    amount: int
