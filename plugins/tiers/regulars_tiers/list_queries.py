"""The merchant's lists: members by tier, and the history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, select

from regulars.sdk import ids
from regulars.sdk.db import Card, Member, TenantSession
from regulars.sdk.paging import Listing, Paged, PageRequest
from regulars_tiers.models import MemberTier, TierChange
from regulars_tiers.repository import NOW

ACTIVE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many have a tier.

    Attributes:
        active: who has come within the last 90 days.
    """

    members: int = 0
    active: int = 0


@dataclass(frozen=True, slots=True)
class TierMember:
    """A card in the list; `tier` is a key, empty for none."""

    card_id: UUID
    member_id: UUID
    number: str
    name: str
    email: str
    tier: str
    granted: str
    since: datetime | None
    keep_until: datetime | None

    @property
    def card(self) -> str:
        """The card's public id."""
        return ids.show(ids.CARD, self.card_id)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the history; name and e-mail are empty once the member is erased."""

    card_id: UUID
    number: str
    name: str
    email: str
    before: str
    tier: str
    reason: str
    at: datetime

    @property
    def card(self) -> str:
        """The card's public id."""
        return ids.show(ids.CARD, self.card_id)


_COLUMNS = (
    Card.id.label("card_id"),
    Card.member_id,
    Card.number,
    Member.name,
    Member.email,
    func.coalesce(MemberTier.tier, "").label("tier"),
    func.coalesce(MemberTier.granted, "").label("granted"),
    MemberTier.since,
    MemberTier.keep_until,
)


async def crowds(session: TenantSession, program_id: UUID) -> Mapping[str, Crowd]:
    """Tier → how many have it."""
    recent = Member.last_activity_at >= NOW - literal_column(f"interval '{ACTIVE_DAYS} days'")
    tier = func.coalesce(MemberTier.tier, "")
    active = func.count(case((recent, 1)))
    statement = _members(tier.label("tier"), func.count().label("members"), active.label("active"))
    rows = await session.rows(statement.where(*_of(session, program_id)).group_by(tier))
    return {row.tier: Crowd(row.members, row.active) for row in rows}


async def members(
    session: TenantSession, program_id: UUID, tier: str, query: str, wanted: PageRequest
) -> Paged[TierMember]:
    """Cards of a program, those that have had their tier longest first.

    Args:
        session: of the tenant.
        program_id: whose cards.
        tier: key, empty for all.
        query: words of name, e-mail or phone, or digits of the card's number.
        wanted: which page of the list.
    """
    where = _wanted(session, program_id, tier, query)
    total = await session.scalar(_members(func.count()).where(*where))
    page = _members(*_COLUMNS).where(*where).order_by(MemberTier.since.asc().nulls_last(), Card.id)
    rows = await session.rows(page.limit(wanted.size).offset(wanted.offset))
    return Paged([TierMember(**row._mapping) for row in rows], total, wanted)


async def all_members(session: TenantSession, program_id: UUID, tier: str, query: str) -> AsyncIterator[TierMember]:
    """All of them for a file, in an order in which nothing moves meanwhile: the latest card first."""
    found = _members(*_COLUMNS, Card.id).where(*_wanted(session, program_id, tier, query))
    async for row in Listing(found, Card.id).rows(lambda: nullcontext(session), {}):
        yield TierMember(**{name: value for name, value in row._mapping.items() if name != "id"})


async def changes(
    session: TenantSession, program_id: UUID, query: str, wanted: PageRequest, card_id: UUID | None = None
) -> Paged[Change]:
    """The history of a program, or of one card, newest first; arguments as for `members`."""
    where = [TierChange.tenant_id == session.tenant_id, Card.program_id == program_id, *_sought(query)]
    if card_id is not None:
        where.append(TierChange.card_id == card_id)
    gone = Member.status == "erased"
    columns = (
        TierChange.card_id,
        Card.number,
        case((gone, ""), else_=Member.name).label("name"),
        case((gone, ""), else_=Member.email).label("email"),
        TierChange.before,
        TierChange.tier,
        TierChange.reason,
        TierChange.at,
    )
    total = await session.scalar(_changes(func.count()).where(*where))
    page = _changes(*columns).where(*where).order_by(TierChange.at.desc(), TierChange.id.desc())
    rows = await session.rows(page.limit(wanted.size).offset(wanted.offset))
    return Paged([Change(**row._mapping) for row in rows], total, wanted)


def _wanted(session: TenantSession, program_id: UUID, tier: str, query: str) -> list[ColumnElement[bool]]:
    where = [*_of(session, program_id), *_sought(query)]
    return [*where, MemberTier.tier == tier] if tier else where


def _members(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Card)
        .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
        .outerjoin(MemberTier, and_(MemberTier.tenant_id == Card.tenant_id, MemberTier.card_id == Card.id))
    )


def _changes(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(TierChange)
        .join(Card, and_(Card.tenant_id == TierChange.tenant_id, Card.id == TierChange.card_id))
        .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    )


def _of(session: TenantSession, program_id: UUID) -> list[ColumnElement[bool]]:
    return [
        Card.tenant_id == session.tenant_id,
        Card.program_id == program_id,
        Card.status != "closed",
        Card.merged_into.is_(None),
        Member.status != "erased",
    ]


def _sought(query: str) -> list[ColumnElement[bool]]:
    digits = "".join(letter for letter in query if letter.isdigit())
    found = []
    for word in query.casefold().split():
        matches = Member.search.contains(word, autoescape=True)
        found.append(or_(matches, Card.number.startswith(digits)) if digits else matches)
    return found


async def member(session: TenantSession, program_id: UUID, card_id: UUID) -> TierMember | None:
    """One card of a program, `None` when it has no such card."""
    rows = await session.rows(_members(*_COLUMNS).where(*_of(session, program_id), Card.id == card_id))
    return TierMember(**rows[0]._mapping) if rows else None
