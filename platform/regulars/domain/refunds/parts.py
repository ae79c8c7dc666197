"""Which part of a sale is refunded, and what is left of the sale after it: pure arithmetic, in whole minor units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Item, Purchase
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class RefundedLine:
    """Pieces of one line of a sale.

    Attributes:
        line: position in the sale, from 1.
        quantity: pieces that come back.
    """

    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sale; nothing given means all that is left of it.

    Attributes:
        amount_minor: money, beyond that of the lines.
        quantity: visits, stamps or items that the sale counted.
        lines: pieces of its lines.
    """

    amount_minor: int | None = None
    quantity: int | None = None
    lines: tuple[RefundedLine, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Read it from a refund's row."""
        lines = tuple(RefundedLine(one["line"], one["quantity"]) for one in stored["items"] or ())
        return cls(stored["amount_minor"], stored["quantity"], lines)

    @property
    def is_whole(self) -> bool:
        """Whether all that is left of the sale is meant."""
        return self.amount_minor is None and self.quantity is None and not self.lines


ALL_THAT_IS_LEFT = Part()


def left_of(purchase: Purchase, parts: Iterable[Part]) -> Purchase | None:
    """What is left of a sale; the same however a refund is cut into parts.

    Lines keep their share of what is refunded by amount alone, rounded down.

    Args:
        purchase: the sale as it was.
        parts: of all its refunds.

    Returns:
        A smaller sale, `None` when nothing is left of it.

    Raises:
        InvalidInput: more was refunded than there was, or something that the sale has not.
    """
    parts = tuple(parts)
    if any(part.is_whole for part in parts):
        return None
    kept = kept_pieces(purchase.items, parts)
    items = [
        replace(item, quantity=pieces, amount_minor=item.amount_minor * pieces // item.quantity)
        for item, pieces in zip(purchase.items, kept, strict=True)
        if pieces
    ]
    gone_with_lines = sum(item.amount_minor for item in purchase.items) - sum(item.amount_minor for item in items)
    by_amount = sum(part.amount_minor or 0 for part in parts)
    amount = _less_money(purchase, gone_with_lines, by_amount)
    quantity = purchase.quantity - sum(part.quantity or 0 for part in parts)
    if quantity < 0:
        raise _too_much("quantity", _("This sale has fewer pieces left than that."))
    nothing_left = (
        quantity == 0 or (amount == 0 and bool(purchase.amount_minor)) or (amount is None and _all_gone(kept))
    )
    if nothing_left:
        return None
    if by_amount and amount is not None:
        before = amount + by_amount
        items = [replace(item, amount_minor=item.amount_minor * amount // before) for item in items]
    counts = _less_counted(purchase.counts, purchase.quantity - quantity)
    return replace(purchase, quantity=quantity, amount_minor=amount, items=tuple(items), counts=counts)


def share_of(purchase: Purchase, left: Purchase | None) -> tuple[int, int]:
    """How much of a sale is left, as numerator and denominator: by money, else by lines, else by number."""
    if left is None:
        return 0, 1
    if purchase.amount_minor and left.amount_minor is not None:
        return left.amount_minor, purchase.amount_minor
    if purchase.items and left.items != purchase.items:
        return _pieces(left.items), _pieces(purchase.items)
    return left.quantity, purchase.quantity


def kept_pieces(items: Sequence[Item], parts: Iterable[Part]) -> list[int]:
    """Pieces left of each line of a sale.

    Args:
        items: the lines as they were.
        parts: of all its refunds.

    Raises:
        InvalidInput: more was refunded than there was, or a line that the sale has not.
    """
    kept = [item.quantity for item in items]
    for line in (line for part in parts for line in part.lines):
        if not 1 <= line.line <= len(kept):
            raise _too_much("items", _("This sale has no line %(line)s.", line=line.line))
        kept[line.line - 1] -= line.quantity
        if kept[line.line - 1] < 0:
            raise _too_much("items", _("Line %(line)s of this sale has fewer pieces left than that.", line=line.line))
    return kept


def _less_money(purchase: Purchase, gone_with_lines: int, by_amount: int) -> int | None:
    if purchase.amount_minor is None:
        if by_amount:
            raise _too_much("amount_minor", _("This sale has no amount. Refund it by number, by line or as a whole."))
        return None
    left = max(0, purchase.amount_minor - gone_with_lines)  # lines may cost more than the whole, before a discount
    if by_amount > left:
        raise _too_much("amount_minor", _("More than what is left of this sale cannot be refunded."))
    return left - by_amount


def _less_counted(counts: Mapping[str, int] | None, gone: int) -> Mapping[str, int] | None:
    """What is left of what staff counted for several units: it goes from the last one first."""
    if not counts or not gone:
        return counts
    left = {}
    for unit, count in reversed(list(counts.items())):
        less = min(count, gone)
        left[unit], gone = count - less, gone - less
    return left


def _all_gone(kept: Sequence[int]) -> bool:
    return bool(kept) and not any(kept)


def _pieces(items: Iterable[Item]) -> int:
    return sum(item.quantity for item in items)


def _too_much(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={name: sentence})
