"""Queries of members. A page of the list comes whole, with cards and balances, in one query."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, distinct_on
from sqlalchemy.orm import InstrumentedAttribute, aliased

from regulars.domain.cards.models import Card
from regulars.domain.cards.numbers import NUMBER_LENGTH
from regulars.domain.ledger.models import Account
from regulars.domain.members.models import Consent, Member
from regulars.kernel.db.expressions import NOW
from regulars.kernel.db.listing import Listing

Sort = Literal["last_visit", "name", "enrolled"]
ACTIVE_DAYS = 30

_TENANT_ID = bindparam("tenant", type_=Uuid)
_TENANT = Member.tenant_id == _TENANT_ID
_THIS = Member.id == bindparam("member", type_=Uuid)
_STANDS = and_(Member.status != "erased", Member.merged_into.is_(None))
"""Neither erased nor merged into another member."""
_DIGITS = bindparam("digits", type_=Text)
_PATTERNS = cast(bindparam("patterns", type_=ARRAY(Text)), ARRAY(Text))
ACTIVE_SINCE = select(NOW - func.make_interval(0, 0, 0, ACTIVE_DAYS)).scalar_subquery()
"""A subquery, so that the clock is read once and not for each row."""

_BALANCES = (
    select(func.coalesce(func.jsonb_object_agg(Account.unit, Account.balance), cast({}, JSONB)))
    .where(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id)
    .correlate(Card)
    .scalar_subquery()
)
_CARD = func.jsonb_build_object(
    "id", Card.id, "number", Card.number, "status", Card.status, "program_id", Card.program_id, "balances", _BALANCES
)
_CARDS = (
    select(func.coalesce(func.jsonb_agg(aggregate_order_by(_CARD, Card.created_at, Card.id)), cast([], JSONB)))
    .where(Card.tenant_id == Member.tenant_id, Card.member_id == Member.id)
    .correlate(Member)
    .scalar_subquery()
)
_COLUMNS = (
    Member.id,
    Member.name,
    Member.email,
    Member.phone,
    Member.locale,
    Member.birthday,
    Member.status,
    Member.enrolled_at,
    Member.last_activity_at,
    _CARDS.label("cards"),
)


def _ready() -> ColumnElement[bool]:
    """Whether the member has an active card with a balance from which a reward can be had.

    The parameter `gauges` is a JSON list of `{unit, program_id, ready_at}`.
    """
    gauge = (
        func.jsonb_to_recordset(bindparam("gauges", type_=JSONB))
        .table_valued(column("unit", Text), column("program_id", Uuid), column("ready_at", BigInteger))
        .render_derived(name="gauge", with_types=True)
    )
    return exists(
        select(1)
        .select_from(Card)
        .join(Account, and_(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id))
        .join(gauge, and_(gauge.c.unit == Account.unit, gauge.c.program_id == Card.program_id))
        .where(
            Card.tenant_id == Member.tenant_id,
            Card.member_id == Member.id,
            Card.status == "active",
            Account.balance >= gauge.c.ready_at,
        )
        .correlate(Member)
    )


_OF_NUMBER = select(Card.member_id).where(
    Card.tenant_id == _TENANT_ID,
    Card.number.between(func.rpad(_DIGITS, NUMBER_LENGTH, "0"), func.rpad(_DIGITS, NUMBER_LENGTH, "9")),
)
_WANTED = (
    _TENANT,
    _STANDS,
    or_(Member.search.like(func.all(_PATTERNS)), and_(_DIGITS != "", Member.id.in_(_OF_NUMBER))),
    or_(~bindparam("only_active", type_=Boolean), Member.last_activity_at >= ACTIVE_SINCE),
    or_(~bindparam("only_ready", type_=Boolean), _ready()),
)
"""An empty list of patterns matches everybody."""

COUNT = select(func.count()).select_from(Member).where(*_WANTED)


def _page(*order: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """A page: its keys are found first, so that cards are put together for its rows only."""
    place = func.row_number().over(order_by=[*order, Member.id]).label("place")
    keys = select(Member.id, place).where(*_WANTED).order_by(*order, Member.id)
    page = keys.limit(bindparam("size", type_=Integer)).offset(bindparam("offset", type_=BigInteger)).subquery()
    return select(*_COLUMNS).join(page, page.c.id == Member.id).where(_TENANT).order_by(page.c.place)


PAGES: dict[Sort, Select[Any]] = {
    "last_visit": _page(Member.last_activity_at.desc()),
    "name": _page(case((Member.name == "", 1), else_=0), func.lower(Member.name), Member.email),
    "enrolled": _page(Member.enrolled_at.desc(), Member.id.desc()),
}
ENROLLED = Listing(select(*_COLUMNS).where(*_WANTED), Member.enrolled_at, Member.id)
"""The last of these orders, in which a page can follow a member."""
_LATEST_MARKETING = (
    select(Consent.granted)
    .where(Consent.tenant_id == Member.tenant_id, Consent.member_id == Member.id, Consent.purpose == "marketing")
    .order_by(Consent.created_at.desc(), Consent.id.desc())
    .limit(1)
    .correlate(Member)
    .scalar_subquery()
)
EXPORT = (
    select(*_COLUMNS, func.coalesce(_LATEST_MARKETING, False).label("marketing"))
    .where(*_WANTED, Member.id > bindparam("after", type_=Uuid))
    .order_by(Member.id)
    .limit(bindparam("size", type_=Integer))
)
_NAMED = aliased(Member, name="named")
GET = select(*_COLUMNS).where(
    _TENANT,
    _STANDS,
    Member.id
    == select(func.coalesce(_NAMED.merged_into, _NAMED.id))
    .where(_NAMED.tenant_id == _TENANT_ID, _NAMED.id == bindparam("member", type_=Uuid))
    .scalar_subquery(),
)
"""The member, or whom that one was merged into."""
CONSENTS = (
    select(Consent.purpose, Consent.granted, Consent.text_version, Consent.created_at)
    .ext(distinct_on(Consent.purpose))
    .where(Consent.tenant_id == _TENANT_ID, Consent.member_id == bindparam("member", type_=Uuid))
    .order_by(Consent.purpose, Consent.created_at.desc(), Consent.id.desc())
)
"""The latest word on each purpose."""
LOCK = (
    select(Member.name, Member.email, Member.phone, Member.locale)
    .where(_TENANT, _THIS, _STANDS)
    .with_for_update(key_share=True)
)
SET_LANGUAGE = (
    update(Member)
    .where(_TENANT, _THIS, Member.locale.is_distinct_from(bindparam("new_locale", type_=Text)))
    .values(locale=bindparam("new_locale", type_=Text))
    .returning(Member.id)
)
CHANGE = (
    update(Member)
    .where(_TENANT, _THIS)
    .values(
        name=bindparam("new_name", type_=Text),
        phone=bindparam("new_phone", type_=Text),
        locale=bindparam("new_locale", type_=Text),
        search=bindparam("new_search", type_=Text),
    )
)
