"""What the plugin reads and writes: a fact and two write statements of the sale, and queries of jobs and pages."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import TenantSession, delete_rows, insert_rows
from regulars_stamps.models import Milestone

_REACHED = select(Milestone.threshold).where(
    Milestone.tenant_id == bindparam("tenant_id", type_=Uuid(), required=True),
    Milestone.card_id == bindparam("card_id", type_=Uuid(), required=True),
)
FACTS = (Fact("milestones", select(func.array(_REACHED.scalar_subquery())).scalar_subquery()),)
WRITES = (
    WriteStatement("reached", insert_rows(Milestone, "threshold", "bonus", "reached_at", bind="stamps_reached")),
    WriteStatement("undone", delete_rows(Milestone, match=("threshold",), bind="stamps_undone")),
)


async def is_reached(session: TenantSession, card_id: UUID, threshold: int) -> bool:
    """Whether a card has reached a milestone and the sale was not undone since."""
    statement = select(Milestone.threshold).where(
        Milestone.tenant_id == session.tenant_id, Milestone.card_id == card_id, Milestone.threshold == threshold
    )
    return await session.scalar(statement) is not None
