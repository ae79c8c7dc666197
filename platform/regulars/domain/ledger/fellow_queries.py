"""What is asked about the other cards of a household."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import aliased

from regulars.domain.cards.models import Card
from regulars.domain.ledger.extra_statements import CARD_ID, TENANT, json_object
from regulars.domain.ledger.models import Account


def fellows() -> ScalarSelect[Any]:
    """The other cards that can be used, each with its balances."""
    other = aliased(Card, name="fellow")
    mine = (Account.tenant_id == TENANT, Account.card_id == other.id)
    balances = (
        select(func.jsonb_object_agg(Account.unit, Account.balance)).where(*mine).correlate(other).scalar_subquery()
    )
    entries = select(cast(func.sum(Account.seq), BigInteger)).where(*mine).correlate(other).scalar_subquery()
    return (
        select(func.jsonb_agg(json_object(card_id=other.id, balances=balances, entries=entries)))
        .where(
            other.tenant_id == TENANT,
            other.household_id == bindparam("household_id", type_=Uuid),
            other.id != CARD_ID,
            other.status == literal_column("'active'"),
        )
        .scalar_subquery()
    )
