"""Bills that several members pay together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.ledger import Purchase
from regulars.domain.bills.service import BillCommand
from regulars.domain.bills.shares import MOST, Pieces, Wanted
from regulars.domain.ledger.commands import Answer, CardRef
from regulars.kernel import ids
from regulars.web.api.models import Amount, BenefitAnswer, MinorUnits, Sent, SoldItem, Units
from regulars.web.api.prices import priced
from regulars.web.api.refunds import RefundAnswer
from regulars.web.api.till import PROBLEMS, staff_and_shop
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Till"
ShortText = Annotated[str, StringConstraints(max_length=60)]


class PiecesSent(Sent):
    """Pieces of a line of the bill."""

    line: int = Field(ge=1, le=200, description="Position in the bill, from 1.")
    quantity: int = Field(default=1, ge=1, le=100_000)


class ShareSent(Sent):
    """What one member pays."""

    card: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Id, number, or text of the QR code."
    )
    amount_minor: MinorUnits | None = Field(default=None, description="Minor units; nothing for an equal share.")
    items: list[PiecesSent] = Field(default=[], max_length=200, description="Which pieces of which lines.")


class BillSent(Sent):
    """A bill, and who pays what of it."""

    shares: list[ShareSent] = Field(min_length=2, max_length=MOST)
    amount: Amount | None = Field(default=None, description='The whole bill, as a text: `"25.00"` or `"25,00"`.')
    amount_minor: MinorUnits | None = Field(
        default=None, description="The same in minor units; one of the two, or lines that make the bill."
    )
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] | None = Field(
        default=None, description="ISO 4217 code; the shop's by default."
    )
    items: list[SoldItem] = Field(default=[], max_length=200, description="The lines of the bill.")
    channel: Literal["store", "online"] = "store"
    staff: ShortText | None = Field(default=None, description="Who does it; needed where the program wants a PIN.")
    pin: Annotated[str, StringConstraints(max_length=20)] | None = Field(default=None, description="That person's PIN.")
    shop: ShortText | None = Field(default=None, description="Where; the key's own shop by default.")
    external_ref: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="The bill's name in the system it comes from; counted once for ever. It names the first share.",
    )


class BillRefundSent(Sent):
    """Why a bill is refunded."""

    reason: Annotated[str, StringConstraints(max_length=200)] = ""


class ShareAnswer(BaseModel):
    """A share, which is a sale of its own."""

    sale: str
    card: str
    amount_minor: int
    earned: Units = Field(description="Unit → units that this share gave at once.")
    balances: Units = Field(description="Unit → what is on the card now.")
    benefits: list[BenefitAnswer]


class BillAnswer(BaseModel):
    """A bill that was recorded; the shares are exactly its amount."""

    bill: str = Field(description="Id of the bill: that of its first sale.")
    amount_minor: int
    currency: str | None
    shares: list[ShareAnswer]


class BillRefundAnswer(BaseModel):
    """What each share gave back."""

    bill: str
    refunds: list[RefundAnswer]


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of bills."""
    blueprint.add_url_rule("/bills", "bill", record_bill, methods=["POST"])
    blueprint.add_url_rule("/bills/<bill_id>/refund", "refund_bill", refund_bill, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="sales.record",
        body=BillSent,
        answers={200: BillAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def record_bill(work: ApiWork, body: BillSent) -> Answer:
    """Record one bill that several members pay: all of it or nothing.

    Equally, by amounts, or by pieces of its lines. Shares that do not come out even differ by one minor unit at most,
    and are together exactly the bill. Each share is a sale of its own.
    """
    staff_id, shop_id = staff_and_shop(body.staff, body.shop)
    shares = [
        (CardRef.parse(one.card), Wanted(one.amount_minor, tuple(Pieces(x.line, x.quantity) for x in one.items)))
        for one in body.shares
    ]
    bill = priced(None, Purchase(), body, work.ctx.tenant.currency)
    command = BillCommand(work.required_claim(), bill, shares, staff_id, body.pin, shop_id, body.external_ref)
    return await work.services.bills.record(work.session, work.ctx, command)


@api(
    Operation(
        door="store",
        permission="sales.refund",
        body=BillRefundSent,
        answers={200: BillRefundAnswer},
        problems=PROBLEMS,
        idempotent=True,
        tag=TAG,
    )
)
async def refund_bill(work: ApiWork, bill_id: str, body: BillRefundSent) -> Answer:
    """Refund all that is left of a bill: each share gives back what it got. One share alone is refunded as a sale."""
    sale_id = read_id(ids.SALE, bill_id)
    return await work.services.bills.refund(work.session, work.ctx, work.required_claim(), sale_id, body.reason)
