"""Changes of a program's rules that have a date: what is planned, planning one, withdrawing one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.programs import changes
from regulars.domain.programs import service as programs
from regulars.domain.programs.changes import MAX_DAYS, MAX_NOTE, Change
from regulars.kernel import ids
from regulars.web.api.models import Sent
from regulars.web.api.program import TAG, settings_of
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

_FIELDS = {"date": "effective_from", "days": "announce_days"}
"""What the form of the page calls its fields → the request's."""


class NewChange(Sent):
    """Rules that are to hold from a moment on."""

    settings: dict[str, dict[str, Any]] = Field(
        min_length=1, description="Plugin → settings to change; what is left out stays as it is then."
    )
    effective_from: AwareDatetime = Field(
        description="When they begin to hold, with its zone; at most a year from now."
    )
    note: Annotated[str, StringConstraints(max_length=MAX_NOTE)] = Field(
        default="", description="What customers read of it."
    )
    announce_days: int | None = Field(
        default=None,
        ge=0,
        le=MAX_DAYS,
        description="So many days before members are told by mail; not at all by default.",
    )


class ChangeAnswer(BaseModel):
    """A change that is planned, or could not be applied."""

    id: str
    status: Literal["planned", "failed"]
    settings: Mapping[str, Mapping[str, Any]] = Field(description="Plugin → what is set.")
    effective_from: datetime
    note: str
    announce_at: datetime | None = Field(description="When members are told by mail, nothing for never.")
    announced_at: datetime | None
    planned_by: str
    error: str = Field(description="Why it could not be applied; empty for one that is planned.")


class ChangeList(BaseModel):
    """What is planned, the next one first, and what could not be applied in the last 30 days."""

    items: list[ChangeAnswer]


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of planned changes."""
    blueprint.add_url_rule("/program/changes", "program_changes", list_changes, methods=["GET"])
    blueprint.add_url_rule("/program/changes", "plan_change", plan_change, methods=["POST"])
    blueprint.add_url_rule("/program/changes/<change_id>", "withdraw_change", withdraw_change, methods=["DELETE"])


@api(Operation(door="store", permission="programs.view", answers={200: ChangeList}, problems=(NotFound,), tag=TAG))
async def list_changes(work: ApiWork) -> ChangeList:
    """The planned changes of the shop's program."""
    program = (await programs.list_programs(work.session)).default
    return ChangeList(items=[_answer(one) for one in await changes.list_planned(work.session, program.id)])


@api(
    Operation(
        door="store",
        permission="programs.manage",
        body=NewChange,
        answers={201: ChangeAnswer},
        problems=(NotFound, Conflict),
        tag=TAG,
    )
)
async def plan_change(work: ApiWork, body: NewChange) -> ChangeAnswer:
    """Plan new rules for a moment; what is on a card stays. They are tried now, and again when they come."""
    program = (await programs.list_programs(work.session)).default
    values, (session, ctx, parts) = {}, (work.session, work.ctx, work.services)
    for plugin, given in body.settings.items():
        with settings_of(work, plugin):
            model = await parts.settings.try_out(session, ctx.tenant, plugin, program.id, given)
        values[plugin] = model.model_dump(mode="json", include=set(given))
    try:
        change_id = await changes.plan(
            session,
            ctx,
            parts.plugins,
            parts.settings,
            program.id,
            values,
            note=body.note,
            effective_from=body.effective_from,
            announce_days=body.announce_days,
        )
    except InvalidInput as error:
        fields = {_FIELDS.get(name, name): text for name, text in error.fields.items()}
        raise InvalidInput(error.detail, fields=fields) from None
    return _answer(await changes.get(work.session, change_id))


@api(Operation(door="store", permission="programs.manage", answers={204: None}, problems=(NotFound,), tag=TAG))
async def withdraw_change(work: ApiWork, change_id: str) -> None:
    """Take a planned change back; the rules stay as they are."""
    await changes.withdraw(work.session, work.ctx, read_id(ids.CHANGE, change_id))


def _answer(change: Change) -> ChangeAnswer:
    return ChangeAnswer(
        id=ids.show(ids.CHANGE, change.id),
        status="failed" if change.status == "failed" else "planned",
        settings=change.values,
        effective_from=change.effective_from,
        note=change.note,
        announce_at=change.announce_at,
        announced_at=change.announced_at,
        planned_by=change.actor_name,
        error=change.error,
    )
