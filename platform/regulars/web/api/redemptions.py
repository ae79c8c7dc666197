"""Redemptions: put aside, handed out, sent, given back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints
from quart import Blueprint

from regulars.domain.ledger.commands import Answer, Attempt, CardRef
from regulars.domain.redemptions import lists
from regulars.domain.redemptions.answers import RedemptionAnswer
from regulars.domain.redemptions.life import Move, Status
from regulars.domain.redemptions.service import MAX_ADDRESS, MoveCommand, RedeemCommand
from regulars.domain.redemptions.several import MOST, RewardsAnswer
from regulars.kernel import ids
from regulars.web.api.models import FollowingPage, Sent, Text, TillSent
from regulars.web.api.till import PROBLEMS, attempt_of, staff_and_shop
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

TAG = "Redemptions"
Channel = Annotated[
    Literal["store", "online"],
    Field(description="`online`: a shop on the web acts, nobody at a till, so no PIN is asked for."),
]

RewardName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RedemptionQuery(FollowingPage):
    """Search and filter of the list."""

    q: str = Field(default="", max_length=200, description="A whole code, or a part of title, name or address.")
    status: Status | Literal[""] = Field(default="", description="Only those in this state.")
    fulfilment: Literal["", "ordered", "shipped", "delivered", "cancelled"] = ""
    card: str = Field(default="", max_length=60, description="Id of a card.")


class _RedeemSent(TillSent):
    """How rewards are taken."""

    hold: bool = Field(default=False, description="Put it aside under a code instead of handing it out now.")
    channel: Channel = "store"
    ship_to: Annotated[str, StringConstraints(max_length=MAX_ADDRESS)] = Field(
        default="", description="Where to send it, for what is sent."
    )


class NewRedemption(_RedeemSent):
    """A reward to take units for."""

    reward: RewardName = Field(description="Which reward, `<kind>` or `<kind>/<key>`.")


class NewRedemptions(_RedeemSent):
    """Rewards to take units for, together."""

    rewards: list[RewardName] = Field(
        min_length=1,
        max_length=MOST,
        description="Which rewards, `<kind>` or `<kind>/<key>`; one may come several times.",
    )


class RedemptionStep(Sent):
    """Who carries a redemption on."""

    staff: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None, description="Who does it; needed where the program wants a PIN."
    )
    pin: Annotated[str, StringConstraints(max_length=20)] | None = Field(default=None, description="That person's PIN.")
    shop: Text | None = Field(default=None, description="Where; the key's own shop by default.")
    channel: Channel = "store"


class FulfilmentStep(Sent):
    """Where a parcel is now."""

    status: Literal["shipped", "delivered", "cancelled"]


class RedemptionList(BaseModel):
    """A page of redemptions, the latest first."""

    items: list[RedemptionAnswer]
    total: int
    page: int
    size: int
    pages: int


_FULFILMENT: dict[str, Move] = {"shipped": "ship", "delivered": "deliver", "cancelled": "cancel"}


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes of redemptions."""
    one = "/redemptions/<redemption>"
    blueprint.add_url_rule("/redemptions", "redemptions", list_all, methods=["GET"])
    blueprint.add_url_rule("/redemptions", "redeem_reward", create, methods=["POST"])
    blueprint.add_url_rule("/redemptions/several", "redeem_rewards", create_several, methods=["POST"])
    blueprint.add_url_rule(one, "redemption", get, methods=["GET"])
    blueprint.add_url_rule(f"{one}/capture", "redemption_capture", capture, methods=["POST"])
    blueprint.add_url_rule(f"{one}/release", "redemption_release", release, methods=["POST"])
    blueprint.add_url_rule(f"{one}/fulfilment", "redemption_fulfilment", fulfilment, methods=["POST"])


@api(Operation(door="store", permission="rewards.view", query=RedemptionQuery, answers={200: RedemptionList}, tag=TAG))
async def list_all(work: ApiWork, query: RedemptionQuery) -> RedemptionList:
    """Redemptions, the latest first."""
    card_id = read_id(ids.CARD, query.card) if query.card else None
    wanted = lists.Wanted(query.q, query.status, query.fulfilment, card_id)
    found = await lists.list_redemptions(work.session, work.ctx, wanted, query.request(ids.REDEMPTION))
    return RedemptionList(
        items=[row.answer for row in found.items],
        total=found.total,
        page=query.page,
        size=query.size,
        pages=found.pages,
    )


@api(Operation(door="store", permission="rewards.view", answers={200: RedemptionAnswer}, tag=TAG))
async def get(work: ApiWork, redemption: str) -> RedemptionAnswer:
    """One redemption."""
    return (await lists.get_redemption(work.session, work.ctx, read_id(ids.REDEMPTION, redemption))).answer


@api(
    Operation(
        door="store",
        permission="sales.redeem",
        body=NewRedemption,
        answers={201: RedemptionAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def create(work: ApiWork, body: NewRedemption) -> Answer:
    """Take units for a reward, and hand it out, put it aside (`hold`), or order it to be sent.

    What a held reward costs is off the card at once, and comes back when it is released or not captured in time.
    """
    command = _command(attempt_of(work, body), body, body.reward)
    return await work.services.redemptions.redeem(work.session, work.ctx, command)


@api(
    Operation(
        door="store",
        permission="sales.redeem",
        body=NewRedemptions,
        answers={201: RewardsAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def create_several(work: ApiWork, body: NewRedemptions) -> Answer:
    """Take units for several rewards of one card: all of them or none.

    Each is a redemption of its own, decided after those before it. The refusal is that of the first that cannot be had.
    """
    attempt = attempt_of(work, body)
    commands = [_command(attempt, body, reward) for reward in body.rewards]
    return await work.services.several_rewards.redeem(work.session, work.ctx, commands)


def _command(attempt: Attempt, sent: _RedeemSent, reward: str) -> RedeemCommand:
    return RedeemCommand(
        attempt,
        unit=None,
        reward=reward,
        hold=sent.hold,
        is_online=sent.channel == "online",
        ship_to=sent.ship_to,
        wants_redemption=True,
    )


_STEP = Operation(
    door="store",
    permission="sales.redeem",
    body=RedemptionStep,
    answers={200: RedemptionAnswer},
    problems=PROBLEMS,
    refusals=True,
    idempotent=True,
    tag=TAG,
)


@api(_STEP)
async def capture(work: ApiWork, redemption: str, body: RedemptionStep) -> Answer:
    """Hand out a reward that was put aside."""
    return await _move(work, redemption, "capture", body)


@api(_STEP)
async def release(work: ApiWork, redemption: str, body: RedemptionStep) -> Answer:
    """Give up a reward that was put aside; what it cost is on the card again."""
    return await _move(work, redemption, "release", body)


@api(
    Operation(
        door="store",
        permission="rewards.manage",
        body=FulfilmentStep,
        answers={200: RedemptionAnswer},
        problems=PROBLEMS,
        refusals=True,
        idempotent=True,
        tag=TAG,
    )
)
async def fulfilment(work: ApiWork, redemption: str, body: FulfilmentStep) -> Answer:
    """Say where a parcel is; when it is cancelled, what it cost is on the card again."""
    return await _move(work, redemption, _FULFILMENT[body.status], RedemptionStep())


async def _move(work: ApiWork, redemption: str, move: Move, sent: RedemptionStep) -> Answer:
    redemption_id = read_id(ids.REDEMPTION, redemption)
    found = await lists.get_redemption(work.session, work.ctx, redemption_id)
    staff_id, shop_id = staff_and_shop(sent.staff, sent.shop)
    attempt = Attempt(work.required_claim(), CardRef("id", found.card_id), staff_id, sent.pin, shop_id)
    command = MoveCommand(attempt, redemption_id, move, is_online=sent.channel == "online")
    return await work.services.redemptions.move(work.session, work.ctx, command)
