"""Splitting a bill at the till: this customer and others, equally or by amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.ledger import Purchase
from regulars.domain.bills.service import BillCommand
from regulars.domain.bills.shares import Wanted
from regulars.domain.cards.view import CardView
from regulars.domain.ledger.commands import Answer, Attempt, CardRef
from regulars.kernel.i18n import format_money, parse_amount
from regulars.kernel.i18n import gettext as _
from regulars.web.work import Work

OTHERS = 5
"""Other cards of one bill that the form has room for."""
FIELDS = ("bill", "own", *(f"{name}{number}" for number in range(1, OTHERS + 1) for name in ("card", "amount")))


@dataclass(frozen=True, slots=True)
class Split:
    """Record one bill on several cards.

    Attributes:
        bill: the whole.
        shares: who pays what, this customer first.
        known: what was typed, for sending it again.
    """

    bill: Purchase
    shares: tuple[tuple[CardRef, Wanted], ...]
    known: Mapping[str, str]
    name: str = "split"

    @property
    def fields(self) -> Mapping[str, str]:
        """What was typed."""
        return self.known

    def title(self, view: CardView) -> str:
        """`Split €60.00 among 3`."""
        amount = format_money(self.bill.amount_minor or 0, view.program.currency)
        return _("Split %(amount)s among %(count)s", amount=amount, count=len(self.shares))

    def staff_id(self, view: CardView) -> UUID | None:
        """Everybody may."""
        del view
        return None

    async def carry_out(self, work: Work, ctx: Context, attempt: Attempt) -> Answer:
        """Record the bill."""
        command = BillCommand(attempt.claim, self.bill, self.shares, attempt.staff_id, attempt.pin, attempt.shop_id)
        return await work.services.bills.record(work.session, ctx, command)


def split_of(view: CardView, sent: Mapping[str, str]) -> Split:
    """What a form wants to split.

    Args:
        view: the customer's card.
        sent: `bill`, perhaps `own`, and pairs of `card1` and perhaps `amount1`.

    Raises:
        InvalidInput: no bill, nobody else, or something that cannot be read.
    """
    known = {name: sent[name].strip() for name in FIELDS if sent.get(name, "").strip()}
    currency = view.program.currency
    if "bill" not in known:
        raise InvalidInput(_("Enter the amount of the bill first."))
    bill = Purchase(amount_minor=_money(known["bill"], currency), currency=currency)
    shares = [(CardRef("id", view.card.id), _wanted(known.get("own", ""), currency))]
    shares += [
        (_card(known[f"card{number}"]), _wanted(known.get(f"amount{number}", ""), currency))
        for number in range(1, OTHERS + 1)
        if f"card{number}" in known
    ]
    if len(shares) == 1:
        raise InvalidInput(_("Enter or scan the card of somebody else, too."))
    return Split(bill, tuple(shares), known)


def _card(text: str) -> CardRef:
    try:
        return CardRef.parse(text)
    except NotFound:
        raise InvalidInput(_("“%(text)s” is no card number.", text=text)) from None


def _wanted(text: str, currency: str) -> Wanted:
    return Wanted(_money(text, currency)) if text else Wanted()


def _money(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        raise InvalidInput(_(str(error))) from None
