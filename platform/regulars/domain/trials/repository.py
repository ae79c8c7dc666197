"""Queries of back-tests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import SaleEvaluation
from regulars.domain.members.models import Member
from regulars.domain.sales.models import SALE_STANDS, Sale
from regulars.domain.trials.models import BackTest
from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.db.prepared import prepare

_TENANT, _ID = bindparam("tenant", type_=Uuid), bindparam("this", type_=Uuid)
_PROGRAM = bindparam("program", type_=Uuid)
_SINCE, _UNTIL = bindparam("since", type_=DateTime(timezone=True)), bindparam("until", type_=DateTime(timezone=True))
_THIS = and_(BackTest.tenant_id == _TENANT, BackTest.id == _ID)
_OPEN: ColumnElement[bool] = BackTest.status.in_((literal_column("'waiting'"), literal_column("'running'")))

NOW = select(CORE_NOW)
BEGIN = (
    insert(BackTest)
    .on_conflict_do_nothing(index_elements=["tenant_id", "program_id"], index_where=_OPEN)
    .returning(BackTest.id)
)
GIVE_UP = (
    update(BackTest)
    .where(
        BackTest.tenant_id == _TENANT,
        BackTest.program_id == _PROGRAM,
        _OPEN,
        BackTest.moved_at < func.now() - literal_column("interval '15 minutes'"),
    )
    .values(status="failed", problem="", ended_at=func.now())
)
"""What no worker has touched for so long will never end."""
GET = select(*BackTest.__table__.c).where(_THIS)
LATEST = (
    select(BackTest.id, BackTest.status, BackTest.since, BackTest.until, BackTest.actor_name, BackTest.created_at)
    .where(BackTest.tenant_id == _TENANT, BackTest.program_id == _PROGRAM)
    .order_by(BackTest.created_at.desc(), BackTest.id.desc())
    .limit(bindparam("most", type_=BigInteger))
)
START = (
    update(BackTest)
    .where(_THIS, _OPEN)
    .values(status="running", total=bindparam("of", type_=BigInteger), seen=0, moved_at=func.now())
    .returning(BackTest.id)
)
MOVE = (
    update(BackTest)
    .where(_THIS, BackTest.status == literal_column("'running'"))
    .values(seen=bindparam("so_far", type_=BigInteger), moved_at=func.now())
    .returning(BackTest.id)
)
FINISH = (
    update(BackTest)
    .where(_THIS, BackTest.status == literal_column("'running'"))
    .values(status="done", result=bindparam("found", type_=JSONB), ended_at=func.now())
    .returning(BackTest.id)
)
FAIL = (
    update(BackTest)
    .where(_THIS, _OPEN)
    .values(status="failed", problem=bindparam("why", type_=Text), ended_at=func.now())
)
CANCEL = update(BackTest).where(_THIS, _OPEN).values(status="cancelled", ended_at=func.now()).returning(BackTest.id)

_OF_PERIOD = (
    Sale.tenant_id == _TENANT,
    Card.program_id == _PROGRAM,
    SALE_STANDS,
    Sale.occurred_at >= _SINCE,
    Sale.occurred_at < _UNTIL,
)
_CARD = and_(Card.tenant_id == Sale.tenant_id, Card.id == Sale.card_id)
_KEPT = and_(SaleEvaluation.tenant_id == Sale.tenant_id, SaleEvaluation.sale_id == Sale.id)
COUNT = (
    select(func.count(SaleEvaluation.sale_id).label("judged"), func.count().label("total"))
    .select_from(Sale)
    .join(Card, _CARD)
    .outerjoin(SaleEvaluation, _KEPT)
    .where(*_OF_PERIOD)
)
_PLACE: ColumnElement[Any] = tuple_(Sale.card_id, Sale.occurred_at, Sale.id)
PAGE = prepare(
    select(
        Sale.id,
        Sale.card_id,
        Sale.occurred_at,
        Sale.shop_id,
        Sale.quantity,
        Sale.amount_minor,
        Sale.currency,
        Sale.items,
        Sale.channel,
        Sale.counts,
        Card.number,
        Card.member_id,
        Card.created_at.label("card_created_at"),
        SaleEvaluation.inputs,
        SaleEvaluation.result,
    )
    .join(Card, _CARD)
    .join(SaleEvaluation, _KEPT)
    .where(
        *_OF_PERIOD,
        tuple_(
            bindparam("after_card", type_=Uuid),
            bindparam("after_at", type_=DateTime(timezone=True)),
            bindparam("after_sale", type_=Uuid),
        )
        < _PLACE,
    )
    .order_by(Sale.card_id, Sale.occurred_at, Sale.id)
    .limit(bindparam("size", type_=BigInteger))
)
NAMES = (
    select(Card.id, Card.number, Card.member_id, Member.name, Member.email)
    .join(Member, and_(Member.tenant_id == Card.tenant_id, Member.id == Card.member_id))
    .where(Card.tenant_id == _TENANT, Card.id == func.any(bindparam("cards", type_=ARRAY(Uuid))))
)
