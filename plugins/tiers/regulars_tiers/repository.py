"""Reading and writing tiers outside of a sale: jobs and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, DateTime, Select, and_, any_, case, func, insert, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from regulars.sdk import CardInfo, ProgramInfo
from regulars.sdk.db import Card, TenantSession
from regulars_tiers.count_queries import CARD, TENANT, count_of, count_then, count_values
from regulars_tiers.models import MemberTier, TierChange
from regulars_tiers.queries import STORED, stored_as_json
from regulars_tiers.settings import TierSettings
from regulars_tiers.standing import Count, Standing

NOW: ColumnElement[datetime] = func.core.now(type_=DateTime(timezone=True))
_face = aliased(Card)
_faces = select(_face.id).where(
    _face.tenant_id == Card.tenant_id, or_(_face.id == Card.id, _face.merged_into == Card.id)
)
_PAST: ColumnElement[Any] = case(
    (Card.has_merged, func.array(_faces.correlate(Card).scalar_subquery())), else_=array([Card.id])
)
"""The card, and those that lead to it since a merge."""
CLOCK: Select[Any] = select(NOW.label("now"))
_ALL = select(_face.id).where(_face.tenant_id == TENANT, or_(_face.id == CARD, _face.merged_into == CARD))
_COUNT_THEN = select(count_then(any_(func.array(_ALL.scalar_subquery()))))


@dataclass(frozen=True, slots=True)
class Found:
    """A card, its tier as it is stored, and what counts for it now."""

    card: CardInfo
    standing: Standing
    count: Count


async def now_of(session: TenantSession) -> datetime:
    """The rules' clock."""
    found: datetime = await session.scalar(CLOCK)
    return found


async def lock(session: TenantSession, card_id: UUID) -> None:
    """Wait until no sale has the card; it is this transaction's until its end."""
    await session.execute(
        select(Card.id).where(Card.tenant_id == session.tenant_id, Card.id == card_id).with_for_update(key_share=True)
    )


async def cards(
    session: TenantSession,
    program: ProgramInfo,
    settings: TierSettings,
    now: datetime,
    *,
    after: UUID | None = None,
    only: UUID | None = None,
    size: int = 500,
) -> Sequence[Found]:
    """Cards of a program that are not closed, in the order of their ids.

    Args:
        session: of the tenant.
        program: whose cards.
        settings: of the plugin in this program.
        now: the rules' clock.
        after: only cards with a higher id.
        only: just this card.
        size: how many at most.
    """
    statement = card_statement(session.tenant_id, program.id, after=after, only=only, size=size)
    rows = await session.rows(statement, parameters_for(session.tenant_id, program, settings, now))
    return [found_of(row) for row in rows]


def card_statement(
    tenant_id: UUID, program_id: UUID, *, after: UUID | None = None, only: UUID | None = None, size: int = 1
) -> Select[Any]:
    """The query of `cards`; its parameters are those of `parameters_for`."""
    columns = (Card.id, Card.number, Card.status, Card.member_id, Card.program_id, Card.created_at)
    statement: Select[Any] = (
        select(
            *columns,
            count_of(Card.id, any_(_PAST)).label("count"),
            stored_as_json().label("standing"),
            MemberTier.card_id.is_not(None).label("has_standing"),
        )
        .outerjoin(MemberTier, and_(MemberTier.tenant_id == Card.tenant_id, MemberTier.card_id == Card.id))
        .where(
            Card.tenant_id == tenant_id,
            Card.program_id == program_id,
            Card.status != "closed",
            Card.merged_into.is_(None),
        )
        .order_by(Card.id)
        .limit(size)
    )
    if after is not None:
        statement = statement.where(Card.id > after)
    return statement if only is None else statement.where(Card.id == only)


def parameters_for(tenant_id: UUID, program: ProgramInfo, settings: TierSettings, now: datetime) -> Mapping[str, Any]:
    """All parameters of the counting expression but the card."""
    local = now.astimezone(ZoneInfo(program.timezone))
    day_start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
    own = {"tenant_id": tenant_id, "day_start": day_start, "time_zone": program.timezone}
    return {**own, **count_values(settings)}


async def count_at(
    session: TenantSession, program: ProgramInfo, settings: TierSettings, card_id: UUID, moment: datetime
) -> Count:
    """What had counted for a card at a moment, without what was taken back since.

    Args:
        session, program, settings: as for `cards`.
        card_id: which card.
        moment: of the past.
    """
    parameters = {**parameters_for(session.tenant_id, program, settings, moment), "moment": moment, "card_id": card_id}
    return Count(**await session.scalar(_COUNT_THEN, parameters))


async def standing_of(session: TenantSession, card_id: UUID) -> Standing:
    """A card's tier as it is stored."""
    statement = select(stored_as_json()).where(MemberTier.tenant_id == session.tenant_id, MemberTier.card_id == card_id)
    return Standing.of(await session.scalar(statement))


async def save(session: TenantSession, card_id: UUID, standing: Standing) -> None:
    """Store a card's tier."""
    values = {name: getattr(standing, name) for name in STORED}
    statement = upsert(MemberTier).values(tenant_id=session.tenant_id, card_id=card_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "card_id"], set_=values))


async def add_change(session: TenantSession, card_id: UUID, change: Mapping[str, Any]) -> None:
    """Add a line to the history."""
    values = {**change, "id": UUID(change["id"]), "at": datetime.fromisoformat(change["at"])}
    await session.execute(insert(TierChange).values(tenant_id=session.tenant_id, card_id=card_id, **values))


def found_of(row: Any) -> Found:
    """A row of `card_statement`."""
    names = ("id", "number", "status", "member_id", "program_id", "created_at")
    stored = row.standing if row.has_standing else None
    return Found(CardInfo(**{name: row._mapping[name] for name in names}), Standing.of(stored), Count(**row.count))


async def program_of(session: TenantSession, card_id: UUID) -> UUID | None:
    """The program of a card, `None` for an unknown card."""
    found: UUID | None = await session.scalar(
        select(Card.program_id).where(Card.tenant_id == session.tenant_id, Card.id == card_id)
    )
    return found
