"""Corrections of balances by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.ledger import MAX_AMOUNT
from regulars.domain.adjustments import service as adjustments
from regulars.domain.adjustments.flags import Flag
from regulars.domain.adjustments.service import MAX_REASON, AdjustCommand, Adjusted
from regulars.domain.ledger.commands import Answer, CardRef
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import FollowingPage, Sent
from regulars.web.api.till import PROBLEMS
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Corrections"
Status = Literal["waiting", "done", "refused"]


class AdjustmentSent(Sent):
    """A correction."""

    card: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Id, number, first eight digits, or text of the QR code."
    )
    unit: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(description="Which units.")
    amount: int = Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT, description="Units to give, or below zero to take.")
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON)] = Field(description="Why, for people; needed.")


class DecisionSent(Sent):
    """Nothing besides the address."""


class AdjustmentQuery(FollowingPage):
    """Which corrections."""

    status: Literal["", "waiting", "done", "refused", "flagged"] = ""


class AdjustmentAnswer(BaseModel):
    """A correction."""

    id: str
    status: Status = Field(description="Waiting for another person, booked, or refused by that person.")
    card: str
    unit: str
    amount: int
    reason: str
    flags: list[Flag] = Field(description="What is unusual about giving this: to whom, when, how often.")
    entry: str | None = Field(description="The movement that it became.")
    created_at: datetime


class AdjustmentList(BaseModel):
    """A page of corrections."""

    items: list[AdjustmentAnswer]
    total: int
    page: int
    size: int
    pages: int


class LimitSent(Sent):
    """Up to which amount one person may correct alone."""

    program: Annotated[str, StringConstraints(max_length=60)] = Field(description="Whose cards.")
    adjust_limit: int | None = Field(ge=0, le=MAX_AMOUNT, description="Units; null for any amount.")


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of corrections."""
    blueprint.add_url_rule("/adjustments", "adjust", adjust, methods=["POST"])
    blueprint.add_url_rule("/adjustments", "adjustments", list_adjustments, methods=["GET"])
    blueprint.add_url_rule("/adjustments/limit", "adjust_limit", set_limit, methods=["PUT"])
    blueprint.add_url_rule("/adjustments/<adjustment_id>", "one_adjustment", get_adjustment, methods=["GET"])
    blueprint.add_url_rule("/adjustments/<adjustment_id>/approve", "approve", approve, methods=["POST"])
    blueprint.add_url_rule("/adjustments/<adjustment_id>/refuse", "refuse", refuse, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="members.adjust",
        body=AdjustmentSent,
        answers={201: AdjustmentAnswer, 202: AdjustmentAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def adjust(work: ApiWork, body: AdjustmentSent) -> Answer:
    """Correct a balance.

    Above the program's limit it waits until another person agrees (202).
    """
    claim, card = work.required_claim(), CardRef.parse(body.card)
    command = AdjustCommand(claim, card, body.unit, body.amount, body.reason)
    return await work.services.adjustments.adjust(work.session, work.ctx, command)


@api(
    Operation(door="store", permission="members.adjust", query=AdjustmentQuery, answers={200: AdjustmentList}, tag=TAG)
)
async def list_adjustments(work: ApiWork, query: AdjustmentQuery) -> AdjustmentList:
    """Corrections, the latest first."""
    page = query.request(ids.ADJUSTMENT)
    paged = await adjustments.page_of(work.session, work.ctx, page, status=query.status)
    return AdjustmentList(
        items=[_shown(one) for one in paged.items],
        total=paged.total,
        page=query.page,
        size=query.size,
        pages=paged.pages,
    )


@api(
    Operation(door="store", permission="members.adjust", answers={200: AdjustmentAnswer}, problems=(NotFound,), tag=TAG)
)
async def get_adjustment(work: ApiWork, adjustment_id: str) -> AdjustmentAnswer:
    """One correction."""
    return _shown(await adjustments.get(work.session, work.ctx, read_id(ids.ADJUSTMENT, adjustment_id)))


DECISION = Operation(
    door="store",
    permission="members.adjust",
    body=DecisionSent,
    answers={201: AdjustmentAnswer},
    problems=PROBLEMS,
    refusals=True,
    idempotent=True,
    tag=TAG,
)


@api(DECISION)
async def approve(work: ApiWork, body: DecisionSent, adjustment_id: str) -> Answer:
    """Book a correction that waits; for another person than the one who asked, so never for a key."""
    return await _decide(work, adjustment_id, agrees=True)


@api(DECISION)
async def refuse(work: ApiWork, body: DecisionSent, adjustment_id: str) -> Answer:
    """Refuse a correction that waits; for another person than the one who asked, so never for a key."""
    return await _decide(work, adjustment_id, agrees=False)


@api(
    Operation(
        door="store", permission="programs.manage", body=LimitSent, answers={204: None}, problems=(NotFound,), tag=TAG
    )
)
async def set_limit(work: ApiWork, body: LimitSent) -> None:
    """Say up to which amount one person may correct alone."""
    program_id = ids.read(ids.PROGRAM, body.program)
    if program_id is None:
        sentence = _("This is no id of a program.")
        raise InvalidInput(sentence, fields={"program": sentence})
    await work.services.adjustments.set_limit(work.session, work.ctx, program_id, body.adjust_limit)


async def _decide(work: ApiWork, adjustment_id: str, *, agrees: bool) -> Answer:
    found, claim = read_id(ids.ADJUSTMENT, adjustment_id), work.required_claim()
    return await work.services.adjustments.decide(work.session, work.ctx, claim, found, agrees=agrees)


def _shown(one: Adjusted) -> AdjustmentAnswer:
    return AdjustmentAnswer.model_validate(
        {
            "id": ids.show(ids.ADJUSTMENT, one.id),
            "status": one.status,
            "card": ids.show(ids.CARD, one.card_id),
            "unit": one.unit,
            "amount": one.amount,
            "reason": one.reason,
            "flags": list(one.flags),
            "entry": ids.show(ids.ENTRY, one.entry_id) if one.entry_id else None,
            "created_at": one.created_at,
        }
    )
