"""A purchase is missing: the member claims a receipt by its number and amount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from json import loads
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.cards.view import cards_of_member
from regulars.domain.ledger.commands import Attempt, CardRef, Claim, principal_of
from regulars.domain.receipts.service import ClaimCommand
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.kernel.ratelimit import Limit
from regulars.web.again import TryAgain, faults_of
from regulars.web.lists import url_of
from regulars.web.money import typed_amount
from regulars.web.portal.blueprint import blueprint, member_page
from regulars.web.portal.card import chosen_card, member_of
from regulars.web.portal.navigation import CARD, RECEIPTS
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amounts
from regulars.web.work import Work

TRIES = Limit("receipt_claims", count=10, window=3600, fails="closed")
"""Receipts that one member may name in an hour: more than anybody mistypes."""


class ReceiptForm(BaseModel):
    """A receipt.

    Attributes:
        card: public id of the reader's card, empty for the first one.
        number, amount: as they stand on it.
        key: idempotency key.
    """

    card: str = Field(default="", max_length=80)
    number: str = Field(default="", max_length=200)
    amount: str = Field(default="", max_length=40)
    key: str = Field(default="", max_length=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPage(PageContext):
    """Asks for number and amount.

    Attributes:
        card: public id of the reader's card.
        days: for how many days purchases count.
        number, amount: what was typed.
        key: fresh idempotency key.
        errors: field → sentence.
    """

    template: ClassVar[str] = "portal/missing.html"
    card: str
    days: int
    key: str
    number: str = ""
    amount: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/receipts")
@member_page
async def missing(work: Work) -> Result:
    """Ask which purchase is missing."""
    query = work.query(ReceiptForm)
    card_id, days = await counting_card(work, query.card)
    return _page(card_id, days, query)


@blueprint.post("/receipts")
@member_page
async def claim_missing(work: Work) -> Result:
    """Claim it."""
    form = await work.form(ReceiptForm)
    typed = form.data or ReceiptForm()
    card_id, days = await counting_card(work, typed.card)
    try:
        wanted = form.require()
        number, amount = _number(wanted.number), typed_amount(wanted.amount, work.ctx.tenant.currency)
    except InvalidInput as error:
        raise TryAgain(work, _page(card_id, days, typed, faults_of(error))) from error
    await work.services.limiter.check(TRIES, work.ctx.tenant.id, member_of(work).hex)
    body = f"receipt {card_id.hex} {number} {amount}".encode("utf-8", "surrogatepass")
    claim = Claim(principal_of(work.ctx), wanted.key or new_token(), body)
    command = ClaimCommand(Attempt(claim, CardRef("id", card_id)), number, amount)
    answer = await work.services.receipts.claim(work.session, work.ctx, command)
    said, card = loads(answer.body), ids.show(ids.CARD, card_id)
    if answer.refused:
        work.flash(said["detail"], "warning")
        return Redirect(url_of(RECEIPTS, {"card": card, "number": number, "amount": wanted.amount}))
    given = ", ".join(unit_amounts(work, said["earned"]))
    work.flash(_("Added: %(units)s.", units=given) if given else _("Your purchase is counted."))
    return Redirect(url_of(CARD, {"card": card}))


async def counting_card(work: Work, name: str) -> tuple[UUID, int]:
    """The reader's card that is meant, and for how many days its program counts earlier purchases.

    Raises:
        NotFound: it does not, or there is no such card.
    """
    owned = await cards_of_member(work.session, member_of(work))
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    if not name:
        owned = [one for one in owned if programs.get(one.program_id).claim_days]
    card_id = chosen_card(owned, name)
    days = next(programs.get(one.program_id).claim_days for one in owned if one.id == card_id)
    if not days:
        raise NotFound
    return card_id, days


def _number(text: str) -> str:
    number = text.strip()
    if not number:
        raise InvalidInput(fields={"number": _("Enter the number that stands on the receipt.")})
    return number


def _page(card_id: UUID, days: int, typed: ReceiptForm, errors: Mapping[str, str] | None = None) -> MissingPage:
    return MissingPage(
        card=ids.show(ids.CARD, card_id),
        days=days,
        key=new_token(),
        number=typed.number,
        amount=typed.amount,
        errors=errors or {},
    )
