"""Purchases without a card, and whose they turn out to be."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.ledger import Purchase
from regulars.domain.ledger.commands import Answer, Attempt, CardRef
from regulars.domain.receipts import lists
from regulars.domain.receipts.service import MOST_DAYS, ClaimCommand, NewReceipt
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import Amount, FollowingPage, MinorUnits, SaleSent, Sent, Text, Units
from regulars.web.api.prices import priced, read_money
from regulars.web.api.till import PROBLEMS, staff_and_shop
from regulars.web.api.toolkit import ApiWork, Operation, api

TAG = "Receipts"
Number = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ReceiptSent(SaleSent):
    """A purchase without a card."""

    external_ref: Number = Field(description="The number that stands on the receipt; kept once for ever.")
    quantity: int = Field(default=1, ge=1, le=100, description="Visits, stamps or items that count.")
    shop: Text | None = Field(default=None, description="Where; the key's own shop by default.")


class ClaimSent(Sent):
    """Whose a receipt is."""

    card: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Id, number, first eight digits, or text of the QR code."
    )
    number: Number = Field(description="As it stands on the receipt.")
    amount: Amount | None = Field(default=None, description="What was paid, as a text.")
    amount_minor: MinorUnits | None = Field(default=None, description="The same in minor units; one of the two.")


class DaysSent(Sent):
    """For how many days earlier purchases count."""

    program: Annotated[str, StringConstraints(max_length=60)] = Field(description="Which program.")
    claim_days: int = Field(ge=0, le=MOST_DAYS, description="Days; 0 for none.")


class ReceiptQuery(FollowingPage):
    """Which receipts."""

    q: str = Field(
        default="", max_length=200, description="A whole number, or a part of the claimer's name or address."
    )
    show: lists.Show = Field(default="", description="Only those in this state.")


class KeptAnswer(BaseModel):
    """A receipt that is kept."""

    id: str
    external_ref: str
    amount_minor: int
    currency: str
    occurred_at: datetime
    kept_until: datetime = Field(description="The last moment at which it can be claimed.")


class ReceiptAnswer(KeptAnswer):
    """A receipt, and who has claimed it."""

    shop: str
    state: lists.State = Field(description="`over`: nobody can claim it any more.")
    sale: str | None = Field(description="The sale that it became.")
    member: str | None
    claimed_at: datetime | None


class ReceiptList(BaseModel):
    """A page of receipts, the latest first."""

    items: list[ReceiptAnswer]
    total: int
    page: int
    size: int
    pages: int


class ClaimAnswer(BaseModel):
    """A receipt that is a sale now."""

    sale: str
    card: str
    amount_minor: int
    currency: str
    occurred_at: datetime
    earned: Units = Field(description="Unit → units that it gave at once.")
    balances: Units = Field(description="Unit → what is on the card now.")


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of receipts."""
    blueprint.add_url_rule("/receipts", "receipts", list_all, methods=["GET"])
    blueprint.add_url_rule("/receipts", "keep_receipt", keep, methods=["POST"])
    blueprint.add_url_rule("/receipts/claim", "claim_receipt", claim, methods=["POST"])
    blueprint.add_url_rule("/receipts/days", "receipt_days", set_days, methods=["PUT"])


@api(Operation(door="store", permission="members.adjust", query=ReceiptQuery, answers={200: ReceiptList}, tag=TAG))
async def list_all(work: ApiWork, query: ReceiptQuery) -> ReceiptList:
    """Receipts, the latest first."""
    found = await lists.list_receipts(
        work.session, work.ctx, query.request(ids.RECEIPT), query=query.q, show=query.show
    )
    return ReceiptList(
        items=[_shown(row) for row in found.items],
        total=found.total,
        page=query.page,
        size=query.size,
        pages=found.pages,
    )


@api(
    Operation(
        door="store",
        permission="sales.record",
        body=ReceiptSent,
        answers={201: KeptAnswer},
        problems=(Conflict,),
        tag=TAG,
    )
)
async def keep(work: ApiWork, body: ReceiptSent) -> KeptAnswer:
    """Keep a purchase without a card, so that the customer can claim it by number and amount, once.

    A refund that comes before the claim waits for it; what is sent twice is kept once.
    """
    _staff, shop_id = staff_and_shop(None, body.shop)
    purchase = priced(None, Purchase(body.quantity), body, work.ctx.tenant.currency)
    new = NewReceipt(purchase, body.external_ref, shop_id, body.occurred_at)
    kept = await work.services.receipts.keep(work.session, work.ctx, new)
    return KeptAnswer(
        id=ids.show(ids.RECEIPT, kept.id),
        external_ref=kept.external_ref,
        amount_minor=kept.amount_minor,
        currency=kept.currency,
        occurred_at=kept.occurred_at,
        kept_until=kept.kept_until,
    )


@api(
    Operation(
        door="store",
        permission="sales.record",
        body=ClaimSent,
        answers={200: ClaimAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def claim(work: ApiWork, body: ClaimSent) -> Answer:
    """Give a card what a receipt gives. It is a sale from then on, of its own shop and moment."""
    amount = read_money(body, work.ctx.tenant.currency)
    attempt = Attempt(work.required_claim(), CardRef.parse(body.card))
    command = ClaimCommand(attempt, body.number, amount)
    return await work.services.receipts.claim(work.session, work.ctx, command)


@api(
    Operation(
        door="store",
        permission="programs.manage",
        body=DaysSent,
        answers={204: None},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def set_days(work: ApiWork, body: DaysSent) -> None:
    """Say for how many days a program counts earlier purchases."""
    program_id = ids.read(ids.PROGRAM, body.program)
    if program_id is None:
        sentence = _("This is no id of a program.")
        raise InvalidInput(sentence, fields={"program": sentence})
    await work.services.receipts.set_days(work.session, work.ctx, program_id, body.claim_days)


def _shown(row: lists.ReceiptRow) -> ReceiptAnswer:
    return ReceiptAnswer(
        id=ids.show(ids.RECEIPT, row.id),
        external_ref=row.external_ref,
        amount_minor=row.amount_minor,
        currency=row.currency,
        occurred_at=row.occurred_at,
        kept_until=row.kept_until,
        shop=row.shop,
        state=row.state,
        sale=ids.show(ids.SALE, row.sale_id) if row.sale_id else None,
        member=ids.show(ids.MEMBER, row.member_id) if row.member_id else None,
        claimed_at=row.claimed_at,
    )
