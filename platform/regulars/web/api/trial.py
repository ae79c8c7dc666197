"""Testing the program's rules on a sale that nobody has made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from quart import Blueprint

from regulars.contracts.conditions import MAX_MONEY
from regulars.contracts.context import CardInfo
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.ledger import Channel, Item, Purchase
from regulars.domain.cards import service as cards
from regulars.domain.programs.service import Program
from regulars.domain.shops import service as shops
from regulars.domain.trials.draft import with_changes
from regulars.domain.trials.dry_run import Gain, Trial, TrialSale, try_sale
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.api.models import WhyStep
from regulars.web.api.toolkit import ApiWork, Operation, api
from regulars.web.work import read_id

MAX_LINES = 200
MAX_QUANTITY = 1000


class TrialItem(BaseModel):
    """A line of the receipt."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sku: str = Field(default="", max_length=80)
    title: str = Field(default="", max_length=120)
    category: str = Field(default="", max_length=80)
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY)
    amount_minor: int = Field(default=0, ge=0, le=MAX_MONEY)


class TrialBody(BaseModel):
    """A sale to be tried, and settings to try it with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    program: str | None = Field(default=None, description="Which program; the usual one when left out.")
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY)
    amount_minor: int | None = Field(default=None, ge=0, le=MAX_MONEY)
    items: list[TrialItem] = Field(default=[], max_length=MAX_LINES)
    channel: Channel = "store"
    shop: str | None = None
    at: AwareDatetime | None = Field(default=None, strict=False, description="When it is to be; now when left out.")
    card: str | None = Field(
        default=None, max_length=200, description="Number or code of a card; somebody who has just joined without."
    )
    settings: dict[str, dict[str, Any]] = Field(
        default={}, description="Extension → setting → value that is not saved; what is left out stays as it is."
    )


class TrialRefusal(BaseModel):
    """Why the till would refuse the sale."""

    code: str
    message: str
    retry_at: datetime | None


class TrialGain(BaseModel):
    """What an extension would give, and why."""

    plugin: str
    unit: str
    rule: str
    amount: int
    why: str
    why_steps: list[WhyStep]


class TrialAnswer(BaseModel):
    """What the sale would give; nothing was recorded."""

    accepted: bool
    refusal: TrialRefusal | None
    gives: list[TrialGain] = Field(description="What it gives, or would give if it was not refused.")
    total: Mapping[str, int] = Field(description="Unit → amount.")
    judged_at: datetime


def add_routes(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/programs/test", "test_program", test_program, methods=["POST"])


@api(
    Operation(
        door="store",
        permission="programs.manage",
        body=TrialBody,
        answers={200: TrialAnswer},
        problems=(NotFound,),
        tag="Program",
    )
)
async def test_program(work: ApiWork, body: TrialBody) -> TrialAnswer:
    """Say what a sale would give, and why, under the rules in force or settings that are not saved; nothing is kept."""
    found = await work.services.programs.programs(work.session, work.ctx.tenant)
    program = found.get(read_id(ids.PROGRAM, body.program)) if body.program is not None else found.default
    live = await work.services.settings.get_all(work.session, work.ctx.tenant, program.id)
    draft = with_changes(live, body.settings)
    sale = await _sale(work, program, body)
    return _answer(await try_sale(work.session, work.ctx, work.services.ledger, program.id, sale, draft))


async def _sale(work: ApiWork, program: Program, body: TrialBody) -> TrialSale:
    here = body.at.astimezone(ZoneInfo(program.timezone)) if body.at is not None else None
    purchase = Purchase(
        quantity=body.quantity,
        amount_minor=body.amount_minor,
        currency=program.currency if body.amount_minor is not None else None,
        items=tuple(Item(**dict(item)) for item in body.items),
        channel=body.channel,
    )
    return TrialSale(
        purchase,
        day=here.date() if here else None,
        hour=here.time() if here else None,
        shop_id=(await shops.get(work.session, read_id(ids.SHOP, body.shop))).id if body.shop is not None else None,
        card=await _card(work, program, body.card) if body.card is not None else None,
    )


async def _card(work: ApiWork, program: Program, text: str) -> CardInfo:
    card = (await cards.by_code(work.session, work.ctx, text)).info
    if card.program_id != program.id:
        sentence = _("This card belongs to another program.")
        raise InvalidInput(sentence, fields={"card": sentence})
    return card


def _answer(trial: Trial) -> TrialAnswer:
    refusal = trial.refusal
    total: dict[str, int] = {}
    for gain in trial.gains:
        total[gain.unit] = total.get(gain.unit, 0) + gain.amount
    return TrialAnswer(
        accepted=refusal is None,
        refusal=TrialRefusal(code=refusal.code, message=trial.refused, retry_at=refusal.retry_at) if refusal else None,
        gives=[_gain(gain) for gain in trial.gains],
        total=total,
        judged_at=trial.at,
    )


def _gain(gain: Gain) -> TrialGain:
    return TrialGain(
        plugin=gain.plugin,
        unit=gain.unit,
        rule=gain.rule,
        amount=gain.amount,
        why=gain.sentence,
        why_steps=[WhyStep(kind=line.kind, message=line.text, change=line.change) for line in gain.lines],
    )
