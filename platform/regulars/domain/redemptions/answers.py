"""What callers are told about a redemption."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.domain.redemptions.life import Delivery, Status
from regulars.kernel import ids


class RedemptionAnswer(BaseModel):
    """A redemption."""

    id: str
    card: str
    reward: str = Field(description="`<kind>/<key>`, as it was asked for.")
    title: str
    unit: str
    cost: int
    status: Status = Field(
        description="`held`: put aside until it is captured or released. `captured`: handed out. Others: given back."
    )
    fulfilment: Literal["none", "ordered", "shipped", "delivered", "cancelled"]
    code: str = Field(description="What the customer shows or types; empty without one.")
    created_at: datetime
    expires_at: datetime | None = Field(description="Until when a held one must be captured.")
    captured_at: datetime | None


def redemption_answer(
    *,
    redemption_id: UUID,
    card_id: UUID,
    reward: tuple[str, str],
    title: str,
    unit: str,
    cost: int,
    state: tuple[Status, Delivery],
    code: str,
    created_at: datetime,
    expires_at: datetime | None,
    captured_at: datetime | None,
) -> RedemptionAnswer:
    """A redemption with its public names.

    Args:
        reward: kind and key.
        state: of `life.MOVES`.
        redemption_id, card_id, title, unit, cost, code, created_at, expires_at, captured_at: as they are stored.
    """
    kind, key = reward
    status, fulfilment = state
    return RedemptionAnswer(
        id=ids.show(ids.REDEMPTION, redemption_id),
        card=ids.show(ids.CARD, card_id),
        reward=f"{kind}/{key}" if key else kind,
        title=title,
        unit=unit,
        cost=cost,
        status=status,
        fulfilment=fulfilment or "none",
        code=code,
        created_at=created_at,
        expires_at=expires_at,
        captured_at=captured_at,
    )
