"""How a bill is divided: pure arithmetic in whole minor units; the shares are exactly the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Purchase
from regulars.kernel.i18n import gettext as _

MOST = 20
"""Shares of one bill."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of one line of the bill.

    Attributes:
        line: position in the bill, from 1.
        quantity: how many, at least 1.
    """

    line: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one member pays: an amount, or pieces of lines; nothing said for an equal share."""

    amount_minor: int | None = None
    pieces: tuple[Pieces, ...] = ()


def divide(bill: Purchase, shares: Sequence[Wanted]) -> list[Purchase]:
    """The shares as purchases of their own, in order.

    Equal shares that do not come out even differ by one minor unit, the first ones pay it. A line whose pieces are
    divided goes by pieces, with the same rounding. What the bill has beyond its lines (a tip, a discount) goes in
    proportion to the lines.

    Args:
        bill: with its whole amount, or with lines whose amounts make it.
        shares: 2 to `MOST`, all of one kind.

    Raises:
        InvalidInput: they are not exactly the bill, one of them is nothing, or they are of different kinds.
    """
    if not 2 <= len(shares) <= MOST:
        raise _wrong(_("A bill is divided among 2 to %(most)s cards.", most=MOST))
    parts = _by_pieces(bill, shares) if any(one.pieces for one in shares) else _by_amount(bill, shares)
    if not all(one.amount_minor for one in parts):
        raise _wrong(_("Each share must be more than nothing."))
    return parts


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """A total in proportion to weights, in whole units that sum to it: the largest remainders get what is left over.

    Args:
        total: 0 or more.
        weights: 0 or more each, not all 0.
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def _by_amount(bill: Purchase, shares: Sequence[Wanted]) -> list[Purchase]:
    if bill.amount_minor is None:
        raise InvalidInput(fields={"amount": _("The amount of the bill is needed.")})
    amounts = [one.amount_minor for one in shares if one.amount_minor is not None]
    if not amounts:
        amounts = apportion(bill.amount_minor, [1] * len(shares))
    if len(amounts) < len(shares):
        raise _wrong(_("Say an amount for each card, or for none."))
    if sum(amounts) != bill.amount_minor:
        raise _wrong(_("The shares must be exactly the bill."))
    return [replace(bill, amount_minor=amount, items=()) for amount in amounts]


def _by_pieces(bill: Purchase, shares: Sequence[Wanted]) -> list[Purchase]:
    if any(one.amount_minor is not None or not one.pieces for one in shares):
        raise _wrong(_("Say for each card which pieces it pays."))
    taken = [[0] * len(shares) for _line in bill.items]
    for place, share in enumerate(shares):
        for one in share.pieces:
            if not 1 <= one.line <= len(bill.items):
                raise _wrong(_("The bill has no line %(line)s.", line=one.line))
            taken[one.line - 1][place] += one.quantity
    for number, (item, pieces) in enumerate(zip(bill.items, taken, strict=True), 1):
        if sum(pieces) != item.quantity:
            message = _("Line %(line)s has %(count)s pieces: divide all of them.", line=number, count=item.quantity)
            raise _wrong(message)
    amounts = [apportion(item.amount_minor, pieces) for item, pieces in zip(bill.items, taken, strict=True)]
    sums = [sum(line[place] for line in amounts) for place in range(len(shares))]
    if bill.amount_minor is not None:
        sums = apportion(bill.amount_minor, sums if any(sums) else [1] * len(shares))
    return [
        replace(
            bill,
            amount_minor=sums[place],
            items=tuple(
                replace(item, quantity=pieces[place], amount_minor=line[place])
                for item, pieces, line in zip(bill.items, taken, amounts, strict=True)
                if pieces[place]
            ),
        )
        for place in range(len(shares))
    ]


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"shares": sentence})
