"""The store's API of promotions: what there is, what it has cost, who took part."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from regulars.sdk import ProgramInfo
from regulars.sdk.api import ApiWork, Operation, Page, api
from regulars.sdk.jobs import PluginRules
from regulars.sdk.paging import PageRequest
from regulars.sdk.web import Blueprint, ids
from regulars_promotions import queries, texts
from regulars_promotions.queries import Part, Sought
from regulars_promotions.settings import Kind, Promotion, PromotionSettings
from regulars_promotions.used import Used

TAG = "Promotions"
bp = Blueprint("promotions_store", __name__)


class PromotionAnswer(BaseModel):
    """A promotion with what it has used."""

    key: str = Field(description="Its short name.")
    program: str
    title: str
    description: str
    sentence: str = Field(description="What it gives and when, in the reader's language.")
    type: Kind
    status: texts.Status
    starts_on: date | None
    ends_on: date | None
    uses: int = Field(description="How often it counts as used; what was taken back does not.")
    max_uses: int | None
    units: int = Field(description="Units that it has added.")
    budget_units: int | None
    cost_minor: int = Field(description="What it has cost, as far as known, in minor units of `currency`.")
    budget_minor: int | None
    currency: str


class PromotionsAnswer(BaseModel):
    """All promotions of the shop."""

    promotions: list[PromotionAnswer]


class ParticipationAnswer(BaseModel):
    """A promotion that was used in a sale."""

    promotion: str
    title: str
    sale: str
    card: str = Field(description="Number of the card.")
    shop: str = Field(description="Name of the shop; empty when nobody said.")
    unit: str
    units: int
    discount_minor: int
    item: str
    cost_minor: int
    currency: str
    used_at: datetime
    returned: bool = Field(description="Whether all of it was taken back.")


class ParticipationsAnswer(BaseModel):
    """One page of participations, newest first."""

    participations: list[ParticipationAnswer]
    total: int
    page: int


class ParticipationsAsked(Page):
    """Which page, and of which promotion."""

    promotion: str = Field(default="", max_length=40, description="Short name of a promotion; all when left out.")
    q: str = Field(default="", max_length=200, description="Part of a name, an e-mail address or a card number.")


@bp.get("/")
@api(Operation(door="store", permission="programs.view", answers={200: PromotionsAnswer}, tag=TAG))
async def promotions(work: ApiWork) -> PromotionsAnswer:
    """All promotions, with their status and what they have cost."""
    now, answers = await queries.now(work.session), []
    rules = PluginRules(work.services.programs, work.services.settings)
    for found in await rules.of(work.session, work.ctx.tenant, "promotions"):
        assert isinstance(found.settings, PromotionSettings)
        used = await queries.used_of(work.session, found.program.id)
        local = now.astimezone(ZoneInfo(found.program.timezone))
        answers += [_promotion(one, used, found.program, local) for one in found.settings.promotions]
    return PromotionsAnswer(promotions=answers)


@bp.get("/participations")
@api(
    Operation(
        door="store",
        permission="members.view",
        query=ParticipationsAsked,
        answers={200: ParticipationsAnswer},
        tag=TAG,
    )
)
async def participations(work: ApiWork, query: ParticipationsAsked) -> ParticipationsAnswer:
    """Who took part in promotions, newest first."""
    sought = Sought(query.q, query.promotion)
    paged = await queries.participations(work.session, sought, PageRequest(query.page, query.size))
    return ParticipationsAnswer(
        participations=[_participation(part) for part in paged.items], total=paged.total, page=query.page
    )


def _promotion(promotion: Promotion, used: Used, program: ProgramInfo, now: datetime) -> PromotionAnswer:
    key = promotion.key
    return PromotionAnswer(
        key=key,
        program=ids.show(ids.PROGRAM, program.id),
        title=promotion.title,
        description=promotion.text,
        sentence=texts.sentence(promotion, program.currency),
        type=promotion.kind,
        status=texts.status_of(promotion, used.left(promotion), now),
        starts_on=promotion.starts_on,
        ends_on=promotion.ends_on,
        uses=used.by_all(key, "uses"),
        max_uses=promotion.max_uses,
        units=used.by_all(key, "units"),
        budget_units=promotion.budget_units,
        cost_minor=used.by_all(key, "money"),
        budget_minor=promotion.budget_minor,
        currency=program.currency,
    )


def _participation(part: Part) -> ParticipationAnswer:
    return ParticipationAnswer(
        promotion=part.promotion,
        title=part.title,
        sale=ids.show(ids.SALE, part.sale_id),
        card=part.number,
        shop=part.shop,
        unit=part.unit,
        units=part.units,
        discount_minor=part.discount_minor,
        item=part.item,
        cost_minor=part.cost_minor,
        currency=part.currency,
        used_at=part.used_at,
        returned=part.returned,
    )
