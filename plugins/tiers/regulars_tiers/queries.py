"""What the plugin reads and writes within a sale."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, literal_column, select

from regulars.sdk import Fact, WriteStatement
from regulars.sdk.db import insert_rows
from regulars_tiers.count_queries import CARD, TENANT, count_of, count_values
from regulars_tiers.models import MemberTier, TierChange

STORED = ("tier", "since", "keep_until", "told_at", "granted")


def stored_as_json() -> Any:
    """A card's row as the rules read it."""
    pairs: list[Any] = []
    for name in STORED:
        pairs += [literal_column(f"'{name}'"), getattr(MemberTier, name)]
    return func.jsonb_build_object(*pairs)


_STANDING = select(stored_as_json()).where(MemberTier.tenant_id == TENANT, MemberTier.card_id == CARD)
_insert = insert_rows(MemberTier, *STORED, bind="tiers_standing")
FACTS = (
    Fact("standing", _STANDING.scalar_subquery()),
    Fact("count", select(count_of(CARD)).scalar_subquery(), count_values),
)
WRITES = (
    WriteStatement(
        "standing",
        _insert.on_conflict_do_update(
            index_elements=["tenant_id", "card_id"], set_={name: _insert.excluded[name] for name in STORED}
        ),
    ),
    WriteStatement("change", insert_rows(TierChange, "id", "before", "tier", "reason", "at", bind="tiers_change")),
)
