"""Queries of birthdays."""

from __future__ import annotations

from sqlalchemy import BigInteger, Date, Text, Uuid, and_, bindparam, cast, exists, extract, func, select

from regulars.domain.awards.models import Award
from regulars.domain.cards.models import Card
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program

BIRTHDAYS = (
    select(Card.id)
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .join(Program, and_(Program.tenant_id == Card.tenant_id, Program.id == Card.program_id))
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.program_id == bindparam("program", type_=Uuid),
        Card.status == "active",
        Member.status == "active",
        (extract("month", Member.birthday) * 100 + extract("day", Member.birthday)).in_(
            bindparam("days", type_=BigInteger, expanding=True)
        ),
        cast(func.timezone(Program.timezone, Card.created_at), Date) <= bindparam("day", type_=Date),
        Card.id > bindparam("after", type_=Uuid),
        ~exists().where(
            Award.tenant_id == Card.tenant_id,
            Award.card_id == Card.id,
            Award.occasion == "birthday",
            Award.name == "",
            Award.key == bindparam("year", type_=Text),
        ),
    )
    .order_by(Card.id)
    .limit(bindparam("size", type_=BigInteger))
)
"""Cards of a program whose members have their birthday on a day, and that got nothing for it in that year."""
