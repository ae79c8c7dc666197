"""Queries of transfers."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, func, select

from regulars.domain.cards.models import Card

_OF_TENANT = Card.tenant_id == bindparam("tenant", type_=Uuid)
_ITS_ID = func.coalesce(Card.merged_into, Card.id)
CARD_BY = {
    "id": select(_ITS_ID).where(_OF_TENANT, Card.id == bindparam("value", type_=Uuid)),
    "number": select(_ITS_ID).where(_OF_TENANT, Card.number == bindparam("value", type_=Text)),
    "token": select(_ITS_ID).where(_OF_TENANT, Card.token == bindparam("value", type_=Text)),
}
"""A card that was merged stands for the one to which it leads."""
