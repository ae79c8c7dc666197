"""Queries of transfers."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, select

from regulars.domain.cards.models import Card

_OF_TENANT = Card.tenant_id == bindparam("tenant", type_=Uuid)
CARD_BY = {
    "id": select(Card.id).where(_OF_TENANT, Card.id == bindparam("value", type_=Uuid)),
    "number": select(Card.id).where(_OF_TENANT, Card.number == bindparam("value", type_=Text)),
    "token": select(Card.id).where(_OF_TENANT, Card.token == bindparam("value", type_=Text)),
}
