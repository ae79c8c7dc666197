"""When a card was last used, for what expires by idleness."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, SQLColumnExpression, func, literal_column, select

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import LedgerEntry
from regulars.domain.programs.models import ProgramPause
from regulars.domain.sales.models import Sale


def last_use(
    tenant_id: SQLColumnExpression[UUID], card_id: SQLColumnExpression[UUID], *outer: Any
) -> ColumnElement[datetime]:
    """When a card last moved, later by the pauses of its program since: no clock runs in a pause.

    Whatever is earned, spent or corrected is a movement, and a sale that gave nothing; that something expired is none.

    Args:
        tenant_id, card_id: columns or parameters.
        outer: tables of the query around that they are of.
    """
    entry = (
        select(func.max(LedgerEntry.created_at))
        .where(
            LedgerEntry.tenant_id == tenant_id,
            LedgerEntry.card_id == card_id,
            LedgerEntry.kind != literal_column("'expire'"),
        )
        .correlate(*outer)
        .scalar_subquery()
    )
    sale = (
        select(func.max(Sale.occurred_at))
        .where(Sale.tenant_id == tenant_id, Sale.card_id == card_id, Sale.undone_at.is_(None))
        .correlate(*outer)
        .scalar_subquery()
    )
    moved = (
        select(Card.program_id, func.greatest(Card.created_at, entry, sale).label("at"))
        .where(Card.tenant_id == tenant_id, Card.id == card_id)
        .correlate(*outer)
        .subquery("moved")
    )
    paused = (
        select(func.sum(ProgramPause.ended_at - func.greatest(ProgramPause.started_at, moved.c.at)))
        .where(
            ProgramPause.tenant_id == tenant_id,
            ProgramPause.program_id == moved.c.program_id,
            ProgramPause.ended_at > moved.c.at,
        )
        .correlate(moved, *outer)
        .scalar_subquery()
    )
    nothing: ColumnElement[Any] = literal_column("interval '0'")
    at = (moved.c.at + func.coalesce(paused, nothing)).label("at")
    return select(at).correlate(*outer).scalar_subquery().cast(DateTime(timezone=True))
