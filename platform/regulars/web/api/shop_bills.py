"""One customer's sales at several shops in one call."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Purchase
from regulars.domain.bills.shops import MOST, ShopBillCommand, ShopPart
from regulars.domain.ledger.commands import Answer, Attempt, CardRef
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import BenefitAnswer, Problem, SaleSent, Sent, Units
from regulars.web.api.prices import priced
from regulars.web.api.till import PROBLEMS, TAG, staff_and_shop
from regulars.web.api.toolkit import ApiWork, Operation, api

ShortText = Annotated[str, StringConstraints(max_length=60)]


class ShopPartSent(SaleSent):
    """What was bought at one shop."""

    shop: ShortText = Field(description="Where; each shop once. A key that belongs to one shop may name no other.")
    quantity: int = Field(default=1, ge=1, le=100, description="Visits, stamps or items that count.")


class ShopBillSent(Sent):
    """What a customer bought at several shops."""

    card: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Id, number, first eight digits, or text of the QR code."
    )
    parts: list[ShopPartSent] = Field(min_length=1, max_length=MOST)
    all_or_nothing: bool = Field(
        default=True, description="A refusal of one is one of all; `false`: each by itself, the others are recorded."
    )
    staff: ShortText | None = Field(default=None, description="Who does it; needed where the program wants a PIN.")
    pin: Annotated[str, StringConstraints(max_length=20)] | None = Field(default=None, description="That person's PIN.")


class ShopPartAnswer(BaseModel):
    """What became of the sale at one shop."""

    shop: str
    external_ref: str | None
    sale: str | None = Field(description="Id of the sale; nothing when it was refused.")
    earned: Units = Field(description="Unit → units that this sale gave at once.")
    benefits: list[BenefitAnswer]
    refusal: Problem | None = Field(description="Why it was refused, when it was; its `part` says which, from 1.")


class ShopBillAnswer(BaseModel):
    """Sales at several shops; at least one of them was recorded."""

    bill: str = Field(description="Id of the bill: that of its first sale. By it all of it is refunded at once.")
    card: str
    parts: list[ShopPartAnswer] = Field(description="In the order in which they were sent.")
    balances: Units = Field(description="Unit → what is on the card now.")


def add_routes(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/sales/several", "record_sales", record_several, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="sales.record",
        body=ShopBillSent,
        answers={200: ShopBillAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def record_several(work: ApiWork, body: ShopBillSent) -> Answer:
    """Record what one customer bought at several shops: one visit, each part a sale of its own shop.

    All of it or nothing, or each by itself. PIN and cooldown are asked once, limits of the day hold for all parts.
    When none could be recorded, the answer is the refusal of the first.
    """
    staff_id, _shop = staff_and_shop(body.staff, None)
    attempt = Attempt(work.required_claim(), CardRef.parse(body.card), staff_id, body.pin)
    parts = _parts(body.parts, work.ctx.tenant.currency)
    command = ShopBillCommand(attempt, parts, body.all_or_nothing)
    return await work.services.shop_bills.record(work.session, work.ctx, command)


def _parts(sent: list[ShopPartSent], currency: str) -> list[ShopPart]:
    """The parts as they are recorded.

    Raises:
        InvalidInput: an amount or a shop's id is wrong; the fields say in which part, from 0.
    """
    parts, faults = [], {}
    for place, one in enumerate(sent):
        shop_id = ids.read(ids.SHOP, one.shop)
        if shop_id is None:
            faults[f"parts.{place}.shop"] = _("This is no id of a shop.")
            continue
        try:
            purchase = priced(None, Purchase(one.quantity), one, currency)
        except InvalidInput as error:
            faults |= {f"parts.{place}.{name}": sentence for name, sentence in error.fields.items()}
            continue
        parts.append(ShopPart(shop_id, purchase, one.external_ref, one.occurred_at))
    if faults:
        raise InvalidInput(" ".join(dict.fromkeys(faults.values())), fields=faults)
    return parts
