"""The merchant's pages: all promotions with what they have cost, and who took part."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from regulars.sdk import Context, PageContext, ProgramInfo
from regulars.sdk.db import TenantSession
from regulars.sdk.i18n import _, format_money, format_number
from regulars.sdk.web import (
    Blueprint,
    Download,
    ListQuery,
    Pager,
    Result,
    Work,
    csv_bytes,
    ids,
    make_pager,
    page,
    url_of,
)
from regulars_promotions import queries, texts
from regulars_promotions.queries import Part, Sought
from regulars_promotions.rules import ADVANCED, is_advanced
from regulars_promotions.settings import Promotion, PromotionSettings
from regulars_promotions.used import Used

PATH = "/manage/p/promotions/"
PARTS = f"{PATH}participations"
bp = Blueprint("promotions", __name__)
TONES = {"running": "success", "scheduled": "info", "used_up": "warning", "ended": "", "off": ""}


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """A promotion in the list.

    Attributes:
        sentence: what it gives and when.
        facts: dates and limits.
        status, tone: where it stands.
        uses: how often it was used.
        given: points and money, in words.
        cost: in money, as far as known.
        used, most: of the limit that is nearest to its end; `most` is 0 without a limit.
        locked: the plan does not include it.
        url: who took part.
    """

    title: str
    sentence: str
    facts: str
    status: str
    tone: str
    uses: str
    given: str
    cost: str
    used: int
    most: int
    locked: bool
    url: str


@dataclass(frozen=True, slots=True)
class ProgramGroup:
    """A program with its promotions.

    Attributes:
        edit_url: where they are edited.
        stacking: what happens when several fit.
    """

    name: str
    edit_url: str
    stacking: str
    rows: Sequence[PromotionRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionsPage(PageContext):
    """All promotions.

    Attributes:
        groups: by program.
        parts_url: who took part.
    """

    template: ClassVar[str] = "promotions/manage/promotions.html"
    groups: Sequence[ProgramGroup]
    parts_url: str


class PartsQuery(ListQuery):
    """The list's address.

    Attributes:
        promotion: key of one promotion.
    """

    promotion: str = Field(default="", max_length=40)

    @property
    def sought(self) -> Sought:
        """Search and filter."""
        return Sought(self.q, self.promotion)


@dataclass(frozen=True, slots=True)
class PartRow:
    """A participation.

    Attributes:
        gave: what it gave, in words.
        cost: in money, empty where it is not known.
    """

    part: Part
    gave: str
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsPage(PageContext):
    """Who took part.

    Attributes:
        rows: one page, newest first.
        query: search and filter.
        kept: the filter, for the search box.
        export_url: what was found, as a file.
        is_empty: nobody has ever taken part.
    """

    template: ClassVar[str] = "promotions/manage/participations.html"
    rows: Sequence[PartRow]
    pager: Pager
    query: PartsQuery
    kept: dict[str, str]
    export_url: str
    is_empty: bool


@bp.get("/")
@page(audience="staff", permission="promotions.view")
async def promotions(work: Work) -> Result:
    """The list."""
    groups = []
    for rules in await work.rules("promotions"):
        assert isinstance(rules.settings, PromotionSettings)
        used = await queries.used_of(work.session, rules.program.id)
        now = (await queries.now(work.session)).astimezone(ZoneInfo(rules.program.timezone))
        rows = [
            _row(work.ctx, promotion, used, rules.program, texts.status_of(promotion, used.left(promotion), now))
            for promotion in rules.settings.promotions
        ]
        groups.append(_group(rules.program, rules.settings, rows))
    return PromotionsPage(groups=groups, parts_url=PARTS)


@bp.get("/participations")
@page(audience="staff", permission="promotions.view")
async def participations(work: Work) -> Result:
    """Who took part."""
    query = work.query(PartsQuery)
    paged = await queries.participations(work.session, query.sought, query.request())
    kept = {"promotion": query.promotion} if query.promotion else {}
    return PartsPage(
        rows=[PartRow(part, gave(part), cost(part)) for part in paged.items],
        pager=make_pager(paged, PARTS, {"q": query.q, **kept}),
        query=query,
        kept=kept,
        export_url=url_of(f"{PARTS}/export", {"q": query.q, **kept}),
        is_empty=not paged.total and not query.q and not query.promotion,
    )


@bp.get("/participations/export")
@page(audience="staff", permission="promotions.view")
async def download(work: Work) -> Result:
    """The same list as a file for spreadsheets."""
    sought = work.query(PartsQuery).sought

    def chunks(session: TenantSession, ctx: Context) -> AsyncIterator[bytes]:
        return csv_bytes(_cells(session, ctx, sought))

    return Download(_("promotions.csv"), "text/csv; charset=utf-8", chunks)


async def _cells(session: TenantSession, ctx: Context, sought: Sought) -> AsyncIterator[Sequence[str]]:
    zone = ZoneInfo(ctx.tenant.timezone)
    person = (_("Name"), _("E-mail"), _("Card #"))
    yield (_("When"), _("Promotion"), *person, _("Shop"), _("Gave"), _("Cost"), _("Taken back"))
    async for part in queries.all_participations(session, sought):
        at = part.used_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        back = _("yes") if part.returned else ""
        yield (at, part.title, part.name, part.email, part.number, part.shop, gave(part), cost(part), back)


def gave(part: Part) -> str:
    """What a participation gave, in words."""
    if part.unit:
        return _("%(number)s extra", number=format_number(part.units))
    return part.item or _("%(amount)s off", amount=format_money(part.discount_minor, part.currency))


def cost(part: Part) -> str:
    """What it costs, empty where that is not known."""
    return format_money(part.cost_minor, part.currency) if part.cost_minor else ""


def _group(program: ProgramInfo, settings: PromotionSettings, rows: Sequence[PromotionRow]) -> ProgramGroup:
    stacking = _("When several fit, all of them count, in this order.")
    if settings.stacking == "best":
        stacking = _("When several fit, the best for points and the best for the bill count.")
    return ProgramGroup(program.name, f"/manage/program?program={ids.show(ids.PROGRAM, program.id)}", stacking, rows)


def _row(ctx: Context, promotion: Promotion, used: Used, program: ProgramInfo, status: texts.Status) -> PromotionRow:
    units, money = used.by_all(promotion.key, "units"), used.by_all(promotion.key, "money")
    nearest, most = _nearest(promotion, used)
    facts = (texts.period(promotion), *texts.limits(promotion, program.currency))
    return PromotionRow(
        title=promotion.title,
        sentence=texts.sentence(promotion, program.currency),
        facts=" · ".join(fact for fact in facts if fact),
        status=_(texts.STATUS[status]),
        tone=TONES[status],
        uses=format_number(used.by_all(promotion.key, "uses")),
        given=format_number(units) if promotion.gives_units else "",
        cost=format_money(money, program.currency) if money else "",
        used=nearest,
        most=most,
        locked=is_advanced(promotion) and not ctx.tenant.has(ADVANCED),
        url=f"{PARTS}?promotion={promotion.key}",
    )


def _nearest(promotion: Promotion, used: Used) -> tuple[int, int]:
    """Used and limit of the budget that ends first, (0, 0) without any."""
    key = promotion.key
    limits = [
        (used.by_all(key, "uses"), promotion.max_uses),
        (used.by_all(key, "units"), promotion.budget_units),
        (used.by_all(key, "money"), promotion.budget_minor),
    ]
    bounded = [(number, most) for number, most in limits if most]
    return max(bounded, key=lambda pair: pair[0] * 10_000 // pair[1], default=(0, 0))
