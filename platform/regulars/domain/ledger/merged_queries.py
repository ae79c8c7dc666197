"""What is asked of a card's past, where the past of other cards has become its own.

When members are merged, balances move by entries, but what was written stays where it was: sales, entries,
redemptions, awards and what is pending are still those of the card on which they happened. A question about the past
of the card that is left is therefore asked of all the cards that lead to it too. Only such a card's statements are
built like this.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Alias, BinaryExpression, BindParameter, ColumnElement, or_, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import operators
from sqlalchemy.sql.visitors import replacement_traverse

from regulars.domain.awards.models import Award
from regulars.domain.cards.models import Card
from regulars.domain.ledger.extra_statements import CARD_ID, TENANT
from regulars.domain.ledger.models import LedgerEntry, LedgerPending
from regulars.domain.redemptions.models import Redemption
from regulars.domain.sales.models import Sale

PAST = frozenset({"award", "occasion", "refund", "upkeep", "redemption"})
"""Kinds of transactions that go on with what another card has begun; undo at the till is for the card's own."""
_HISTORY: tuple[Any, ...] = (Award, LedgerEntry, LedgerPending, Redemption, Sale)


def across_cards(query: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same question, asked of the card and of all that lead to it.

    Args:
        query: a fact or another read by `card_id`. What it compares of the host's sales, entries, redemptions, awards
            and pending earnings is widened; balances, lots and tables of plugins are moved when cards are merged.
    """
    face = aliased(Card, name="face")
    faces = select(face.id).where(face.tenant_id == TENANT, or_(face.id == CARD_ID, face.merged_into == CARD_ID))

    def widen(element: object, **_: object) -> object | None:
        if isinstance(element, BinaryExpression) and element.operator is operators.eq:
            other = element.right
            if isinstance(other, BindParameter) and other.key == CARD_ID.key and _is_history(element.left):
                return element.left.in_(faces.correlate(None))
        return None

    widened: ColumnElement[Any] = replacement_traverse(query, {}, widen)
    return widened


def _is_history(column: Any) -> bool:
    table = getattr(column, "table", None)
    while isinstance(table, Alias):
        table = table.element
    return getattr(table, "key", None) in {model.__table__.key for model in _HISTORY}
