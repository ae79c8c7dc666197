"""Members who turn out to be one person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.domain.ledger.commands import Answer
from regulars.domain.merges import service as merges
from regulars.domain.merges.service import MAX_REASON, MergeCommand
from regulars.domain.merges.views import Merged
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import Sent
from regulars.web.api.till import PROBLEMS
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Members"
MemberId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class MergeSent(Sent):
    """Two members who are one person."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    source: MemberId = Field(alias="from", description="Id of the member whose cards lead to the other one's.")
    target: MemberId = Field(alias="into", description="Id of the member who stays.")
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON)] = Field(description="Why, for people; needed.")


class UnmergeSent(Sent):
    """Nothing needs to be said."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MergeAnswer(BaseModel):
    """A merge that was made or undone."""

    id: str
    member: str = Field(description="Id of the member who stays.")
    merged: str = Field(description="Id of the member who was merged.")
    status: Literal["merged", "undone"]


class MergeDetails(MergeAnswer):
    """A merge, with who did it and when."""

    reason: str
    merged_by: str
    merged_at: datetime
    undone_by: str
    undone_at: datetime | None


class MergeList(BaseModel):
    """All merges of a member, the latest first."""

    items: list[MergeDetails]


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of merges."""
    blueprint.add_url_rule("/members/merge", "merge_members", merge, methods=["POST"])
    blueprint.add_url_rule("/members/merges/<merge_id>/undo", "unmerge_members", unmerge, methods=["POST"])
    blueprint.add_url_rule("/members/<member_id>/merges", "merges", list_merges, methods=["GET"])


@api(
    Operation(
        door="store",
        permission="members.adjust",
        body=MergeSent,
        answers={201: MergeAnswer},
        problems=PROBLEMS,
        idempotent=True,
        tag=TAG,
    )
)
async def merge(work: ApiWork, body: MergeSent) -> Answer:
    """Merge a member into another one: all that the one has is the other's, and the one's cards lead there.

    Each of the one's cards needs a card of the other one in the same program.
    """
    source, target = _member(body.source, "from"), _member(body.target, "into")
    command = MergeCommand(work.required_claim(), source, target, body.reason)
    return await work.services.merges.merge(work.session, work.ctx, command)


@api(
    Operation(
        door="store",
        permission="members.adjust",
        body=UnmergeSent,
        answers={201: MergeAnswer},
        problems=PROBLEMS,
        idempotent=True,
        tag=TAG,
    )
)
async def unmerge(work: ApiWork, merge_id: str, body: UnmergeSent) -> Answer:
    """Undo a merge: each has what they had; what was spent of it since stays spent."""
    found = read_id(ids.MERGE, merge_id)
    return await work.services.merges.unmerge(work.session, work.ctx, work.required_claim(), found)


@api(Operation(door="store", permission="members.view", answers={200: MergeList}, problems=(NotFound,), tag=TAG))
async def list_merges(work: ApiWork, member_id: str) -> MergeList:
    """Who was merged into a member, and whether that was undone."""
    found = await merges.of_member(work.session, work.ctx, read_id(ids.MEMBER, member_id))
    return MergeList(items=[_shown(one) for one in found])


def _shown(one: Merged) -> MergeDetails:
    return MergeDetails(
        id=ids.show(ids.MERGE, one.id),
        member=ids.show(ids.MEMBER, one.target_id),
        merged=ids.show(ids.MEMBER, one.source_id),
        status="merged" if one.undone_at is None else "undone",
        reason=one.reason,
        merged_by=one.merged_by,
        merged_at=one.created_at,
        undone_by=one.undone_by,
        undone_at=one.undone_at,
    )


def _member(text: str, field: str) -> UUID:
    found = ids.read(ids.MEMBER, text)
    if found is None:
        sentence = _("This is no id of a member.")
        raise InvalidInput(sentence, fields={field: sentence})
    return found
