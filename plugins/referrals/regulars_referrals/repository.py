"""All SQL of the plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, and_, case, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from regulars.sdk.db import SALE_STANDS, Card, Consent, Member, Sale, TenantSession, new_id
from regulars.sdk.paging import Listing, Paged, PageRequest
from regulars_referrals.models import Invitation
from regulars_referrals.rules import Person

NOW: ColumnElement[datetime] = func.core.now(type_=DateTime(timezone=True))
_TAKEN = (Invitation.id, Invitation.card_id, Invitation.friend_card_id, Invitation.status, Invitation.sale_id)
_DEEP = 10
"""How far back a ring is looked for."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A card and whose it is."""

    card_id: UUID
    program_id: UUID
    person: Person


@dataclass(frozen=True, slots=True)
class Row:
    """An invitation in the merchant's list; names and addresses are empty once the member is erased.

    Attributes:
        is_same: both were merged since: nobody invites oneself.
    """

    id: UUID
    status: str
    reason: str
    limited: bool
    is_same: bool
    created_at: datetime
    member: str
    member_email: str
    friend: str
    friend_email: str


async def now_of(session: TenantSession) -> datetime:
    """The rules' clock."""
    found: datetime = await session.scalar(select(NOW))
    return found


async def holder(session: TenantSession, card_id: UUID) -> Holder | None:
    """Whose card it is since the last merge, `None` for an unknown or closed one."""
    named = aliased(Card)
    face = (
        select(func.coalesce(named.merged_into, named.id))
        .where(named.tenant_id == session.tenant_id, named.id == card_id)
        .scalar_subquery()
    )
    ip = (
        select(Consent.ip)
        .where(Consent.tenant_id == Member.tenant_id, Consent.member_id == Member.id)
        .order_by(Consent.created_at, Consent.id)
        .limit(1)
        .correlate(Member)
        .scalar_subquery()
    )
    statement = (
        select(
            Card.id.label("card_id"),
            Card.program_id,
            Member.id,
            Member.email,
            Member.phone,
            Member.enrolled_at,
            ip.label("ip"),
        )
        .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
        .where(Card.tenant_id == session.tenant_id, Card.id == face, Card.status == "active")
    )
    row = await session.one_or_none(statement)
    if row is None:
        return None
    person = Person(row.id, row.email, row.phone, row.ip or "", row.enrolled_at)
    return Holder(row.card_id, row.program_id, person)


async def program_of(session: TenantSession, card_id: UUID) -> UUID:
    """The program of a card that there is, closed or not."""
    statement = select(Card.program_id).where(Card.tenant_id == session.tenant_id, Card.id == card_id)
    found: UUID = await session.scalar(statement)
    return found


async def line_of(session: TenantSession, first: Holder) -> Sequence[Person]:
    """A member, who had invited that member, and so on."""
    found, card_id = [first.person], first.card_id
    for _step in range(_DEEP):
        statement = (
            select(Invitation.card_id)
            .where(Invitation.tenant_id == session.tenant_id, Invitation.friend_card_id.in_(_faces(session, card_id)))
            .order_by(Invitation.created_at, Invitation.id)
            .limit(1)
        )
        above = await session.scalar(statement)
        one = await holder(session, above) if above is not None else None
        if one is None:
            break
        found.append(one.person)
        card_id = one.card_id
    return found


async def add(session: TenantSession, card_id: UUID, friend_card_id: UUID, reason: str, now: datetime) -> None:
    """Note that somebody has come by a member's link; `reason` says why it will not be rewarded."""
    status = "refused" if reason else "waiting"
    await session.execute(
        insert(Invitation).values(
            tenant_id=session.tenant_id,
            id=new_id(),
            card_id=card_id,
            friend_card_id=friend_card_id,
            status=status,
            reason=reason,
            limited=False,
            created_at=now,
            decided_at=now if reason else None,
        )
    )


async def find(session: TenantSession, invitation_id: UUID) -> Any:
    """An invitation; `None` when there is none."""
    statement = select(*_TAKEN).where(Invitation.tenant_id == session.tenant_id, Invitation.id == invitation_id)
    return await session.one_or_none(statement)


async def take_of_friend(session: TenantSession, card_id: UUID) -> Sequence[Any]:
    """Lock the invitations by which a card's person has come, the first one first: after a merge there may be two."""
    statement = (
        select(*_TAKEN)
        .where(Invitation.tenant_id == session.tenant_id, Invitation.friend_card_id.in_(_faces(session, card_id)))
        .order_by(Invitation.created_at, Invitation.id)
        .with_for_update()
    )
    return await session.rows(statement)


def _faces(session: TenantSession, card_id: UUID) -> Select[UUID]:
    """A card and all that stand for the same person since a merge."""
    face, named = aliased(Card), aliased(Card)
    root = select(func.coalesce(named.merged_into, named.id)).where(
        named.tenant_id == session.tenant_id, named.id == card_id
    )
    of_person = or_(face.id == root.scalar_subquery(), face.merged_into == root.scalar_subquery())
    return select(face.id).where(face.tenant_id == session.tenant_id, of_person)


async def lock_member(session: TenantSession, card_id: UUID) -> None:
    """Let rewards of one member be decided one after the other, or two would both be the last."""
    await session.execute(
        select(Card.id).where(Card.tenant_id == session.tenant_id, Card.id == card_id).with_for_update(key_share=True)
    )


async def change(session: TenantSession, invitation_id: UUID, **values: Any) -> None:
    """Set columns of an invitation."""
    statement = update(Invitation).where(Invitation.tenant_id == session.tenant_id, Invitation.id == invitation_id)
    await session.execute(statement.values(**values))


async def rewarded(session: TenantSession, card_id: UUID, since: datetime) -> int:
    """How many friends a member, or whoever was merged with them, was rewarded for since a moment."""
    count: int = await session.scalar(
        select(func.count())
        .select_from(Invitation)
        .where(
            Invitation.tenant_id == session.tenant_id,
            Invitation.card_id.in_(_faces(session, card_id)),
            Invitation.status == "rewarded",
            Invitation.limited.is_(False),
            Invitation.decided_at >= since,
        )
    )
    return count


async def sale_stands(session: TenantSession, sale_id: UUID, least: int | None) -> bool:
    """Whether what is left of a sale is large enough."""
    left = func.coalesce(Sale.amount_minor, 0) - Sale.refunded_minor
    statement = select(left.label("left")).where(Sale.tenant_id == session.tenant_id, Sale.id == sale_id, SALE_STANDS)
    row = await session.one_or_none(statement)
    return row is not None and (least is None or row.left >= least)


async def of_card(session: TenantSession, card_id: UUID) -> Mapping[str, int]:
    """Status → how many friends of a member."""
    statement = (
        select(Invitation.status, func.count().label("number"))
        .where(Invitation.tenant_id == session.tenant_id, Invitation.card_id.in_(_faces(session, card_id)))
        .group_by(Invitation.status)
    )
    return {row.status: row.number for row in await session.rows(statement)}


async def first_card(session: TenantSession, member_id: UUID) -> UUID | None:
    """A member's oldest card that is not closed."""
    found: UUID | None = await session.scalar(
        select(Card.id)
        .where(Card.tenant_id == session.tenant_id, Card.member_id == member_id, Card.status != "closed")
        .order_by(Card.created_at, Card.id)
        .limit(1)
    )
    return found


async def invitations(session: TenantSession, status: str, query: str, wanted: PageRequest) -> Paged[Row]:
    """A page of the invitations, newest first.

    Args:
        session: of the tenant.
        status: only those, empty for all.
        query: words of name, e-mail or phone of either side.
        wanted: which page of the list.
    """
    found = _invitations(session.tenant_id, status, query)
    return await found.page(session, {}, wanted, lambda row: Row(**row._mapping))


async def all_invitations(session: TenantSession, status: str, query: str) -> AsyncIterator[Row]:
    """All of them for a file; arguments as above."""
    async for row in _invitations(session.tenant_id, status, query).rows(lambda: nullcontext(session), {}):
        yield Row(**row._mapping)


def _invitations(tenant_id: UUID, status: str, query: str) -> Listing:
    brought, came = aliased(Card), aliased(Card)
    member, friend = aliased(Member), aliased(Member)
    where: list[ColumnElement[bool]] = [Invitation.tenant_id == tenant_id]
    if status:
        where.append(Invitation.status == status)
    words = query.casefold().split()
    where += [or_(*(one.search.contains(word, autoescape=True) for one in (member, friend))) for word in words]
    columns: list[Any] = [
        Invitation.id,
        Invitation.status,
        Invitation.reason,
        Invitation.limited,
        Invitation.created_at,
        (func.coalesce(brought.merged_into, brought.id) == func.coalesce(came.merged_into, came.id)).label("is_same"),
    ]
    for name, person in (("member", member), ("friend", friend)):
        gone = person.status == "erased"
        columns.append(case((gone, ""), else_=person.name).label(name))
        columns.append(case((gone, ""), else_=person.email).label(f"{name}_email"))
    found = (
        select(*columns)
        .select_from(Invitation)
        .join(brought, and_(brought.tenant_id == tenant_id, brought.id == Invitation.card_id))
        .join(came, and_(came.tenant_id == tenant_id, came.id == Invitation.friend_card_id))
        .join(member, and_(member.tenant_id == tenant_id, member.id == brought.member_id))
        .join(friend, and_(friend.tenant_id == tenant_id, friend.id == came.member_id))
    )
    return Listing(found.where(*where), Invitation.created_at, Invitation.id)


def before(now: datetime, days: int) -> datetime:
    """So many days ago."""
    return now - timedelta(days=days)
