"""SQL of enrolment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.cards.models import Card
from regulars.domain.members.models import Consent, Member
from regulars.domain.programs.models import Program
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession

ADD_MEMBER = (
    insert(Member)
    .values(
        tenant_id=bindparam("tenant_id"),
        id=bindparam("id"),
        email=bindparam("email"),
        name=bindparam("name"),
        phone=bindparam("phone"),
        search=bindparam("search"),
        locale=bindparam("locale"),
        birthday=bindparam("birthday"),
    )
    .on_conflict_do_nothing(index_elements=["tenant_id", "email"])
    .returning(Member.id)
)
MEMBER_BY_EMAIL = select(func.coalesce(Member.merged_into, Member.id)).where(
    Member.tenant_id == bindparam("tenant_id"), Member.email == bindparam("email")
)
ADD_CONSENT = insert(Consent)
_WANTED = bindparam("wanted", type_=Uuid)
PROGRAM_TO_JOIN = (
    select(Program.id)
    .where(
        Program.tenant_id == bindparam("tenant_id"),
        Program.status == "active",
        or_(_WANTED.is_(None), Program.id == _WANTED),
    )
    .order_by(Program.created_at, Program.id)
    .limit(1)
)
CARD_OF = select(Card.id, Card.number, Card.token).where(
    Card.tenant_id == bindparam("tenant_id"),
    Card.member_id == bindparam("member_id"),
    Card.program_id == bindparam("program_id"),
)
ADD_CARD = (
    insert(Card)
    .on_conflict_do_nothing()
    .returning(Card.id, Card.number, Card.token, Card.member_id, Card.program_id, Card.created_at)
)


async def program_to_join(session: TenantSession, wanted: UUID | None) -> UUID | None:
    """The wanted program, or the oldest where none is named; `None` when it is not active."""
    found: UUID | None = await session.scalar(PROGRAM_TO_JOIN, {"tenant_id": session.tenant_id, "wanted": wanted})
    return found


async def add_member(session: TenantSession, **values: Any) -> bool:
    """Insert a member unless the e-mail is known; returns whether it was inserted."""
    return (await session.scalar(ADD_MEMBER, {"tenant_id": session.tenant_id, **values})) is not None


async def member_by_email(session: TenantSession, email: str) -> UUID:
    """Id of the member with that normalised e-mail, or of whom that one was merged into."""
    found: UUID = await session.scalar(MEMBER_BY_EMAIL, {"tenant_id": session.tenant_id, "email": email})
    return found


async def add_consent(session: TenantSession, member_id: UUID, **values: Any) -> None:
    """Write down one consent."""
    row = {"tenant_id": session.tenant_id, "id": new_id(), "member_id": member_id, **values}
    await session.execute(ADD_CONSENT, row)


async def card_of(session: TenantSession, member_id: UUID, program_id: UUID) -> Row[Any] | None:
    """The member's card in a program."""
    values = {"tenant_id": session.tenant_id, "member_id": member_id, "program_id": program_id}
    return await session.one_or_none(CARD_OF, values)


async def add_card(
    session: TenantSession, member_id: UUID, program_id: UUID, number: str, token: str
) -> Row[Any] | None:
    """Insert a card; `None` when the number is taken, or somebody has just given the member a card of the program."""
    row = {
        "tenant_id": session.tenant_id,
        "id": new_id(),
        "member_id": member_id,
        "program_id": program_id,
        "number": number,
        "token": token,
        "status": "active",
    }
    return await session.one_or_none(ADD_CARD, row)
