"""Finding what belongs to a member by what people type: a part of the name or address, or the card's number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, and_, bindparam, cast, func, or_

from regulars.domain.cards.models import Card
from regulars.domain.cards.numbers import digits_of
from regulars.domain.members.models import Member
from regulars.kernel.text import like_patterns

MIN_DIGITS = 4
SOUGHT: ColumnElement[str] = bindparam("sought", type_=Text)
"""What was typed, for further columns that a list is searched by."""
_DIGITS = bindparam("digits", type_=Text)
_PATTERNS = cast(bindparam("patterns", type_=ARRAY(Text)), ARRAY(Text))
OF_MEMBER = or_(
    and_(SOUGHT != "", Member.search.like(func.all(_PATTERNS))), and_(_DIGITS != "", Card.number.startswith(_DIGITS))
)
"""Whether the joined member or card is what is sought; not when nothing is."""


def sought(text: str) -> Mapping[str, Any]:
    """Parameters of a search.

    Args:
        text: as it was typed.
    """
    digits = digits_of(text)
    return {
        "sought": text.strip(),
        "patterns": like_patterns(text),
        "digits": digits if len(digits) >= MIN_DIGITS else "",
    }
