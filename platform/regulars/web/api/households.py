"""Households: cards of a program that share what is on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.cards.numbers import format_number
from regulars.domain.households import lists, service
from regulars.domain.households.views import HouseholdRow, HouseholdView
from regulars.domain.ledger.commands import CardRef
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.domain.transfers.service import card_id_of
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import FollowingPage, Sent, Units
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Households"
Named = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class SharingSent(Sent):
    """Two cards that are to share."""

    card: Named = Field(description="Id, number, or text of the QR code; in a household, or the head of a new one.")
    joins: Named = Field(description="The card that joins, named likewise.")


class LeavingSent(Sent):
    """A card that shares no more."""

    card: Named = Field(description="Id, number, or text of the QR code.")


class SizeSent(Sent):
    """How many may share."""

    program: Annotated[str, StringConstraints(max_length=60)] = Field(description="Whose cards.")
    household_size: int = Field(ge=0, le=service.SIZES[-1], description="Cards in a household, from 2; 0 for none.")


class HouseholdQuery(FollowingPage):
    """Which households."""

    q: str = Field(default="", max_length=200, description="Parts of a name or address, or the start of a number.")


class SharerAnswer(BaseModel):
    """A card in a household."""

    card: str
    number: str
    member: str
    name: str
    since: datetime
    balances: Units = Field(description="On this card.")
    earned: Units = Field(description="This month, in the program's zone.")


class HouseholdSummary(BaseModel):
    """A household in a list."""

    id: str
    program: str = Field(description="Its name.")
    head: str = Field(description="Id of the member who asks others in.")
    name: str = Field(description="Of that member.")
    size: int
    balances: Units = Field(description="What all have together.")
    since: datetime


class HouseholdList(BaseModel):
    """A page of households."""

    items: list[HouseholdSummary]
    total: int
    page: int
    size: int
    pages: int


class HouseholdAnswer(BaseModel):
    """A household with all who are in it."""

    id: str
    program: str = Field(description="Id of the program.")
    head: str = Field(description="Id of the card whose member asks others in.")
    most: int = Field(description="How many cards there may be.")
    balances: Units = Field(description="What all have together.")
    cards: list[SharerAnswer]


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of households."""
    blueprint.add_url_rule("/households", "households", list_households, methods=["GET"])
    blueprint.add_url_rule("/households", "share", share, methods=["POST"])
    blueprint.add_url_rule("/households/size", "household_size", set_size, methods=["PUT"])
    blueprint.add_url_rule("/households/<household_id>", "household", get_household, methods=["GET"])
    blueprint.add_url_rule("/households/<household_id>/leave", "leave_household", leave, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="members.view",
        feature=HOUSEHOLDS,
        query=HouseholdQuery,
        answers={200: HouseholdList},
        tag=TAG,
    )
)
async def list_households(work: ApiWork, query: HouseholdQuery) -> HouseholdList:
    """Households that stand, the latest first."""
    paged = await lists.list_households(work.session, work.ctx, query.request(ids.HOUSEHOLD), query=query.q)
    return HouseholdList(
        items=[_summary(row) for row in paged.items],
        total=paged.total,
        page=query.page,
        size=query.size,
        pages=paged.pages,
    )


@api(
    Operation(
        door="store",
        permission="members.view",
        feature=HOUSEHOLDS,
        answers={200: HouseholdAnswer},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def get_household(work: ApiWork, household_id: str) -> HouseholdAnswer:
    """Who shares, and what they have together."""
    return _shown(await lists.get(work.session, work.ctx, read_id(ids.HOUSEHOLD, household_id)))


@api(
    Operation(
        door="store",
        permission="members.manage",
        feature=HOUSEHOLDS,
        body=SharingSent,
        answers={200: HouseholdAnswer},
        problems=(NotFound, Conflict),
        tag=TAG,
    )
)
async def share(work: ApiWork, body: SharingSent) -> HouseholdAnswer:
    """Let a card share with another one; where that one is in no household yet, they found one.

    A second call changes nothing, so it is safe to try again.
    """
    card_id = await card_id_of(work.session, CardRef.parse(body.card))
    other_id = await card_id_of(work.session, CardRef.parse(body.joins))
    household_id = await service.add(work.session, work.ctx, card_id, other_id)
    return _shown(await lists.get(work.session, work.ctx, household_id))


@api(
    Operation(
        door="store",
        permission="members.manage",
        feature=HOUSEHOLDS,
        body=LeavingSent,
        answers={204: None},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def leave(work: ApiWork, household_id: str, body: LeavingSent) -> None:
    """Take a card out of its household; what is on it goes with it."""
    card_id = await card_id_of(work.session, CardRef.parse(body.card))
    await service.leave(work.session, work.ctx, read_id(ids.HOUSEHOLD, household_id), card_id)


@api(
    Operation(
        door="store",
        permission="programs.manage",
        feature=HOUSEHOLDS,
        body=SizeSent,
        answers={204: None},
        problems=(NotFound,),
        tag=TAG,
    )
)
async def set_size(work: ApiWork, body: SizeSent) -> None:
    """Say how many cards of a program may share."""
    program_id = ids.read(ids.PROGRAM, body.program)
    if program_id is None:
        sentence = _("This is no id of a program.")
        raise InvalidInput(sentence, fields={"program": sentence})
    await service.set_size(work.session, work.ctx, program_id, body.household_size)


def _summary(row: HouseholdRow) -> HouseholdSummary:
    return HouseholdSummary(
        id=ids.show(ids.HOUSEHOLD, row.id),
        program=row.program,
        head=ids.show(ids.MEMBER, row.member_id),
        name=row.name,
        size=row.size,
        balances=row.balances,
        since=row.created_at,
    )


def _shown(found: HouseholdView) -> HouseholdAnswer:
    return HouseholdAnswer(
        id=ids.show(ids.HOUSEHOLD, found.id),
        program=ids.show(ids.PROGRAM, found.program_id),
        head=ids.show(ids.CARD, found.head_id),
        most=found.most,
        balances=found.balances,
        cards=[
            SharerAnswer(
                card=ids.show(ids.CARD, one.card_id),
                number=format_number(one.number),
                member=ids.show(ids.MEMBER, one.member_id),
                name=one.name,
                since=one.joined_at,
                balances=one.balances,
                earned=one.earned,
            )
            for one in found.sharers
        ],
    )
