"""Queries of programs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Text, Uuid, and_, bindparam, func, insert, select, update

from regulars.domain.cards.models import Card
from regulars.domain.ledger.models import Account
from regulars.domain.programs.models import Program
from regulars.domain.tenants.models import Tenant

_TENANT = Program.tenant_id == bindparam("tenant", type_=Uuid)
_THIS = Program.id == bindparam("program", type_=Uuid)
_COLUMNS = (
    Program.id,
    Program.name,
    Program.kind,
    Program.status,
    Program.timezone,
    Program.currency,
    Program.require_pin,
    Program.created_at,
    Program.household_size,
    Program.claim_days,
)

LIST = select(*_COLUMNS).where(_TENANT).order_by(Program.created_at, Program.id)
LIST_WITH_REVISION = (
    select(Tenant.revision, *_COLUMNS)
    .outerjoin(Program, Program.tenant_id == Tenant.id)
    .where(Tenant.id == bindparam("tenant", type_=Uuid))
    .order_by(Program.created_at, Program.id)
)
"""One row for each program, or one row of nulls; each with the tenant's revision as this transaction sees it."""
LOCK = select(*_COLUMNS).where(_TENANT, _THIS).with_for_update(key_share=True)
COUNT_OPEN = select(func.count()).where(_TENANT, Program.status != "inactive")
INSERT = insert(Program)
CHANGE = (
    update(Program)
    .where(_TENANT, _THIS)
    .values(
        name=bindparam("new_name", type_=Text),
        timezone=bindparam("new_timezone", type_=Text),
        currency=bindparam("new_currency", type_=Text),
        require_pin=bindparam("new_require_pin", type_=Boolean),
    )
)
SET_KIND = (
    update(Program).where(_TENANT, _THIS, Program.status == "setup").values(kind=bindparam("new_kind", type_=Text))
)
SET_STATUS = update(Program).where(_TENANT, _THIS).values(status=bindparam("new_status", type_=Text))

HOLDERS = (
    select(func.count())
    .select_from(Card)
    .join(Account, and_(Account.tenant_id == Card.tenant_id, Account.card_id == Card.id))
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.program_id == bindparam("program", type_=Uuid),
        Card.status != "closed",
        Account.unit == bindparam("unit", type_=Text),
        Account.balance != 0,
    )
)
"""How many cards have some of a unit."""
_BEFORE, _AFTER = bindparam("ready_before", type_=BigInteger), bindparam("ready_after", type_=BigInteger)
READY_CARDS = (
    select(
        func.count().label("in_use"),
        func.count().filter(Account.balance >= _BEFORE).label("ready_before"),
        func.count().filter(Account.balance >= _AFTER).label("ready_after"),
    )
    .select_from(Card)
    .outerjoin(
        Account,
        and_(
            Account.tenant_id == Card.tenant_id,
            Account.card_id == Card.id,
            Account.unit == bindparam("unit", type_=Text),
        ),
    )
    .where(
        Card.tenant_id == bindparam("tenant", type_=Uuid),
        Card.program_id == bindparam("program", type_=Uuid),
        Card.status == "active",
        Card.merged_into.is_(None),
    )
)
