"""Moving units from one card to another."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.ledger import MAX_AMOUNT
from regulars.domain.ledger.commands import Answer, CardRef
from regulars.domain.transfers.service import MAX_REASON, TransferCommand
from regulars.web.api.models import Sent
from regulars.web.api.till import PROBLEMS
from regulars.web.api.toolkit import ApiWork, Operation, api

Named = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class TransferSent(Sent):
    """Units to move."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    source: Named = Field(alias="from", description="Id, number, or text of the QR code.")
    target: Named = Field(alias="to", description="Id, number, or text of the QR code.")
    unit: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(description="Which units.")
    amount: int = Field(ge=1, le=MAX_AMOUNT, description="How many.")
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON)] = Field(description="Why, for people; needed.")


class TransferAnswer(BaseModel):
    """Units that were moved."""

    unit: str
    amount: int
    source: str = Field(alias="from")
    source_balance: int = Field(alias="from_balance")
    target: str = Field(alias="to")
    target_balance: int = Field(alias="to_balance")


def add_routes(blueprint: Blueprint) -> None:
    """Add the route of transfers."""
    blueprint.add_url_rule("/transfers", "transfer", transfer, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="members.adjust",
        body=TransferSent,
        answers={201: TransferAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag="Corrections",
    )
)
async def transfer(work: ApiWork, body: TransferSent) -> Answer:
    """Move units from one card to another of the same program; they keep the dates on which they expire."""
    command = TransferCommand(
        work.required_claim(),
        CardRef.parse(body.source),
        CardRef.parse(body.target),
        body.unit,
        body.amount,
        body.reason,
    )
    return await work.services.transfers.transfer(work.session, work.ctx, command)
