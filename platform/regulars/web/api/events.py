"""Events that a shop's own system reports, and that rules may give something for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.domain.awards.service import EventCommand
from regulars.domain.ledger.commands import Answer, Attempt, CardRef
from regulars.web.api.models import Sent, Units
from regulars.web.api.till import PROBLEMS
from regulars.web.api.toolkit import ApiWork, Operation, api


class EventSent(Sent):
    """Something that happened."""

    card: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Id, number, first eight digits, or text of the QR code."
    )
    event: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")] = Field(
        description="What happened, by the short name that the rules use."
    )
    reference: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")] = Field(
        description="Your own name of this very event; it counts once for ever."
    )


class EventAnswer(BaseModel):
    """What was given."""

    success: Literal[True]
    event: str
    given: Units = Field(description="Unit → units, those that wait included.")
    message: str = Field(description="The same in words.")


def add_routes(blueprint: Blueprint) -> None:
    """Add the route of events."""
    blueprint.add_url_rule("/events", "event", event, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="members.adjust",
        body=EventSent,
        answers={201: EventAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag="Events",
    )
)
async def event(work: ApiWork, body: EventSent) -> Answer:
    """Report an event besides sales, such as a review; rules say what it gives, once, a few times or each time."""
    attempt = Attempt(work.required_claim(), CardRef.parse(body.card))
    command = EventCommand(attempt, body.event, body.reference)
    return await work.services.awards.report(work.session, work.ctx, command)
