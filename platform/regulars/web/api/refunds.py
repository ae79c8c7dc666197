"""Refunds of sales, whole or in part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.ledger import MAX_AMOUNT
from regulars.domain.ledger.commands import Answer
from regulars.domain.refunds import results
from regulars.domain.refunds.parts import Part, RefundedLine
from regulars.domain.refunds.results import Refunded, content_of
from regulars.domain.refunds.service import RefundCommand
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import FollowingPage, Sent, Text, Units
from regulars.web.api.till import PROBLEMS
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Refunds"
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class LineSent(Sent):
    """Pieces of one line of the sale."""

    line: int = Field(ge=1, le=1000, description="Position in the sale, from 1.")
    quantity: int = Field(ge=1, le=1_000_000, description="Pieces that come back.")


class RefundSent(Sent):
    """A refund; without amount, quantity and items it is all that is left of the sale."""

    sale: Annotated[str, StringConstraints(max_length=60)] | None = Field(default=None, description="Id of the sale.")
    sale_ref: Reference | None = Field(
        default=None, description="The sale's `external_ref`, instead of its id; the refund may come first."
    )
    amount_minor: int | None = Field(default=None, ge=1, le=MAX_AMOUNT, description="Money, beyond that of the items.")
    quantity: int | None = Field(default=None, ge=1, le=1_000_000, description="Visits, stamps or pieces.")
    items: list[LineSent] = Field(default=[], max_length=200, description="Pieces of the sale's lines.")
    redemptions: list[Annotated[str, StringConstraints(max_length=60)]] = Field(
        default=[], max_length=20, description="Rewards that come back; those of the sale do with the whole of it."
    )
    external_ref: Reference | None = Field(
        default=None, description="The refund's name in the system it comes from; counted once for ever."
    )
    reason: Text = Field(default="", description="Why, for people.")


class LineAnswer(BaseModel):
    """Pieces of one line of the sale."""

    line: int
    quantity: int


class RefundAnswer(BaseModel):
    """A refund and what it came to."""

    id: str
    status: Literal["waiting", "done"] = Field(description="Waiting for its sale, or booked.")
    sale: str | None
    sale_ref: str | None
    card: str | None
    external_ref: str | None
    amount_minor: int | None
    quantity: int | None
    items: list[LineAnswer]
    reason: str
    is_whole: bool = Field(description="Nothing of the sale is left.")
    taken: Units = Field(description="Unit → units taken back.")
    let_go: Units = Field(description="Unit → units that had been spent and are not asked for.")
    given_back: Units = Field(description="Unit → units of rewards that came back.")
    created_at: datetime


class RefundList(BaseModel):
    """A page of refunds."""

    items: list[RefundAnswer]
    total: int
    page: int
    size: int
    pages: int


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of refunds."""
    blueprint.add_url_rule("/refunds", "refund", refund, methods=["POST"])
    blueprint.add_url_rule("/refunds", "refunds", list_refunds, methods=["GET"])
    blueprint.add_url_rule("/refunds/<refund_id>", "one_refund", get_refund, methods=["GET"])


@api(
    Operation(
        door="store",
        permission="sales.refund",
        body=RefundSent,
        answers={200: RefundAnswer, 202: RefundAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def refund(work: ApiWork, body: RefundSent) -> Answer:
    """Refund a sale or a part of it.

    What the rest of the sale would not have given is taken back. A refund that comes before its sale
    waits for it (202).
    """
    return await work.services.refunds.refund(work.session, work.ctx, _command(work, body))


@api(Operation(door="store", permission="sales.refund", query=FollowingPage, answers={200: RefundList}, tag=TAG))
async def list_refunds(work: ApiWork, query: FollowingPage) -> RefundList:
    """All refunds, the latest first."""
    paged = await results.page_of(work.session, work.ctx, query.request(ids.REFUND))
    return RefundList(
        items=[_shown(one) for one in paged.items],
        total=paged.total,
        page=query.page,
        size=query.size,
        pages=paged.pages,
    )


@api(Operation(door="store", permission="sales.refund", answers={200: RefundAnswer}, problems=(NotFound,), tag=TAG))
async def get_refund(work: ApiWork, refund_id: str) -> RefundAnswer:
    """One refund."""
    return _shown(await results.get(work.session, work.ctx, read_id(ids.REFUND, refund_id)))


def _shown(one: Refunded) -> RefundAnswer:
    return RefundAnswer(**content_of(one))


def _command(work: ApiWork, sent: RefundSent) -> RefundCommand:
    """What somebody sent, as the service reads it.

    Raises:
        InvalidInput: there is not one sale, or something cannot be an id.
    """
    faults: dict[str, str] = {}
    if (sent.sale is None) == (sent.sale_ref is None):
        faults["sale"] = _("Name the sale, either by its id or by its external_ref.")
    sale_id = ids.read(ids.SALE, sent.sale) if sent.sale is not None else None
    if sent.sale is not None and sale_id is None:
        faults.setdefault("sale", _("This is no id of a sale."))
    redemptions = [ids.read(ids.REDEMPTION, text) for text in sent.redemptions]
    if None in redemptions:
        faults["redemptions"] = _("This is no id of a redemption.")
    _refuse(faults)
    lines = tuple(RefundedLine(one.line, one.quantity) for one in sent.items)
    return RefundCommand(
        work.required_claim(),
        sale_id,
        sent.sale_ref,
        Part(sent.amount_minor, sent.quantity, lines),
        tuple(one for one in redemptions if one is not None),
        sent.external_ref,
        sent.reason.strip(),
    )


def _refuse(faults: Mapping[str, str]) -> None:
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
