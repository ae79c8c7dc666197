"""Refunding a sale by a form, at the till and at the merchant's desk: what was typed, what it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Item
from regulars.domain.ledger.commands import Claim, principal_of
from regulars.domain.refunds.parts import ALL_THAT_IS_LEFT, Part, RefundedLine, kept_pieces, left_of
from regulars.domain.refunds.service import RefundCommand
from regulars.domain.sales.lists import SaleRow
from regulars.kernel import ids
from regulars.kernel.i18n import format_money, ngettext, parse_amount
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.rehearsal import Accounts, balance_of
from regulars.web.units import unit_amount
from regulars.web.work import Work

LINE = "line."


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """A line of the receipt.

    Attributes:
        field: name of the field that says how many come back.
        price: of all its pieces, in words.
        left: pieces that no refund has asked back yet.
    """

    field: str
    item: Item
    price: str
    left: int


@dataclass(frozen=True, slots=True)
class Left:
    """What of a sale can still be refunded.

    Attributes:
        words: the amount or the number of pieces.
        amount_minor: money, `None` where the sale has no amount.
        quantity: pieces or visits.
    """

    words: str
    amount_minor: int | None
    quantity: int


class RefundForm(BaseModel):
    """What is typed of a refund; the lines' pieces come beside it."""

    part: Literal["", "whole", "some"] = ""
    amount: str = Field(default="", max_length=40)
    quantity: int | None = Field(default=None, ge=1, le=1_000_000)
    reward: list[str] = Field(default=[], max_length=20)
    reason: str = Field(default="", max_length=200)
    key: str = Field(default="", max_length=80)
    step: Literal["check", "confirmed"] = "check"


def part_of(form: RefundForm, sent: Mapping[str, str], row: SaleRow) -> Part:
    """Which part of the sale is meant.

    Raises:
        InvalidInput: something is no amount or number, or nothing was said.
    """
    if form.part != "some":
        return ALL_THAT_IS_LEFT
    faults: dict[str, str] = {}
    amount = None
    if form.amount.strip():
        try:
            amount = parse_amount(form.amount, row.currency or "")
        except ValueError as error:
            faults["amount"] = _(str(error))
    lines = []
    for number, _item in enumerate(row.purchase.items, start=1):
        text = sent.get(f"{LINE}{number}", "").strip()
        if text.isdecimal() and int(text[:9]) > 0:
            lines.append(RefundedLine(number, int(text[:9])))
        elif text and not text.isdecimal():
            faults[f"{LINE}{number}"] = _("Enter a number from 0.")
    if not faults and amount is None and form.quantity is None and not lines:
        faults["amount"] = _("Say which part: an amount or how many pieces.")
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return Part(amount, form.quantity, tuple(lines))


def command_of(
    work: Work, row: SaleRow, wanted: RefundForm, part: Part, *, staff_id: UUID | None = None, pin: str | None = None
) -> RefundCommand:
    """A form as the service reads it; the same form sent twice has the same claim, into which no PIN goes.

    Args:
        work: of the request.
        row: the sale.
        wanted: what was typed.
        part: `part_of` it.
        staff_id, pin: who confirms at a till.
    """
    redemptions = tuple(found for text in wanted.reward if (found := ids.read(ids.REDEMPTION, text)) is not None)
    body = f"refund {row.id.hex} {part} {redemptions} {wanted.reason} {staff_id}".encode("utf-8", "surrogatepass")
    return RefundCommand(
        Claim(principal_of(work.ctx), wanted.key or new_token(), body),
        sale_id=row.id,
        part=part,
        redemptions=redemptions,
        reason=wanted.reason.strip(),
        staff_id=staff_id,
        pin=pin,
    )


def notes_of(work: Work, said: Mapping[str, Any], before: Accounts, after: Accounts) -> Sequence[str]:
    """Sentences to know before a refund is booked.

    Args:
        work: of the request.
        said: the answer of the refund.
        before, after: `accounts_of` the card.
    """
    notes = []
    for unit, taken in said["taken"].items():
        given = said["given_back"].get(unit, 0)
        waiting = taken - given - (balance_of(before, unit) - balance_of(after, unit))
        if waiting > 0:
            notes.append(_("%(amount)s of it had not been released yet.", amount=unit_amount(work, unit, waiting)))
    notes += [
        _("%(amount)s were spent already. They are let go.", amount=unit_amount(work, unit, amount))
        for unit, amount in said["let_go"].items()
    ]
    notes += [
        _("%(amount)s for rewards that come back are on the card again.", amount=unit_amount(work, unit, amount))
        for unit, amount in said["given_back"].items()
    ]
    return [*notes, _("The money is not moved from here: give it back as you always do.")]


def part_words(part: Part, currency: str) -> str:
    """What of a sale is refunded."""
    if part.is_whole:
        return _("All that was left")
    said = [format_money(part.amount_minor, currency)] if part.amount_minor else []
    pieces = (part.quantity or 0) + sum(line.quantity for line in part.lines)
    if pieces:
        said.append(ngettext("%(num)s piece", "%(num)s pieces", pieces))
    return ", ".join(said)


def lines_of(row: SaleRow, parts: Sequence[Part]) -> Sequence[BoughtLine]:
    """The lines of a sale, and what is left of each after its refunds."""
    items = row.purchase.items
    kept = [0] * len(items) if any(part.is_whole for part in parts) else kept_pieces(items, parts)
    return [
        BoughtLine(f"{LINE}{number}", item, format_money(item.amount_minor, row.currency) if row.currency else "", left)
        for number, (item, left) in enumerate(zip(items, kept, strict=True), start=1)
    ]


def left_in_words(row: SaleRow, parts: Sequence[Part]) -> Left | None:
    """What of a sale can still be refunded after its refunds, `None` for nothing."""
    left = left_of(row.purchase, parts)
    if left is None:
        return None
    amount = left.amount_minor
    words = part_words(Part(amount, left.quantity if amount is None else None), row.currency or "")
    return Left(words, amount, left.quantity)
