"""The plugin's operations in the store's API."""

from __future__ import annotations

from pydantic import BaseModel, Field

from regulars.sdk.api import ApiWork, Operation, api
from regulars.sdk.web import Blueprint
from regulars_tiers import list_queries as lists
from regulars_tiers.settings import TierSettings

bp = Blueprint("tiers_store", __name__)


class TierLine(BaseModel):
    """A step of a ladder."""

    key: str = Field(description="Stable short name.")
    title: str = Field(description="Name that customers read.")
    min_points_required: int = Field(description="From when on: units, visits, or whole units of the currency.")
    multiplier_percent: int = Field(description="What purchases earn, 100 for the plain amount.")
    birthday_gift: int = Field(description="Units given on a birthday.")
    free_delivery: bool = Field(description="Whether deliveries are to be free.")
    rewards: list[str] = Field(description="Keys of rewards that lower tiers cannot have.")
    sort_order: int = Field(description="Place on the ladder, from 0.")
    members: int = Field(description="Cards that have this tier.")


class Ladder(BaseModel):
    """The ladder of a program."""

    program: str = Field(description="Name of the program.")
    basis: str = Field(description="What counts: earned, spend, visits or balance.")
    period: str = Field(description="In which time: lifetime, days or year.")
    tiers: list[TierLine]


class Ladders(BaseModel):
    """All ladders of the merchant."""

    programs: list[Ladder]


@bp.get("/ladders")
@api(Operation(door="store", permission="programs.view", answers={200: Ladders}, tag="Tiers"))
async def ladders(work: ApiWork) -> Ladders:
    """The tiers of each program, with their benefits and how many members have them."""
    found = []
    for one in await work.rules("tiers"):
        settings = one.settings
        assert isinstance(settings, TierSettings)
        crowds = await lists.crowds(work.session, one.program.id)
        tiers = [
            TierLine(
                key=tier.key,
                title=tier.title,
                min_points_required=tier.threshold,
                multiplier_percent=tier.multiplier,
                birthday_gift=tier.birthday_gift,
                free_delivery=tier.free_delivery,
                rewards=list(tier.rewards),
                sort_order=place,
                members=crowds[tier.key].members if tier.key in crowds else 0,
            )
            for place, tier in enumerate(settings.ladder)
        ]
        found.append(Ladder(program=one.program.name, basis=settings.basis, period=settings.period, tiers=tiers))
    return Ladders(programs=found)
