"""The merchant's pages: the ladder with the members on it, the history, and moving somebody by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from regulars.sdk import Context, NotFound, PageContext, ProgramInfo, ids
from regulars.sdk.audit import record
from regulars.sdk.db import TenantSession
from regulars.sdk.i18n import _
from regulars.sdk.web import Blueprint, Download, ListQuery, Pager, Redirect, Result, Work, csv_bytes, make_pager, page
from regulars_tiers import list_queries as lists
from regulars_tiers import review, texts
from regulars_tiers.list_queries import Change, Crowd, TierMember
from regulars_tiers.settings import TierSettings

PATH = "/manage/p/tiers/"
HISTORY = f"{PATH}history"
bp = Blueprint("tiers", __name__)


class MembersQuery(ListQuery):
    """The list's address: a tier's key and the program, each empty for the usual one."""

    tier: str = Field(default="", max_length=40)
    program: str = Field(default="", max_length=40)

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filters for other addresses of the list."""
        return {"q": self.q, "tier": self.tier, "program": self.program, **changes}


class MoveForm(BaseModel):
    """Which tier a card is to have at least; empty for what it has earned."""

    tier: str = Field(default="", max_length=40)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the ladder, drawn.

    Attributes:
        url: the members on it.
        is_shown: whether the list shows just them.
    """

    key: str
    title: str
    threshold: str
    benefits: Sequence[str]
    crowd: Crowd
    url: str
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersPage(PageContext):
    """The ladder and the members.

    Attributes:
        steps: lowest first.
        titles: key → name of the tier.
        programs: (name, address) where there are several.
        kept: filters, for the search box.
        export_url: the list as a file, empty for readers who may not take it away.
        may_move: whether the reader may give tiers by hand.
    """

    template: ClassVar[str] = "tiers/manage/members.html"
    steps: Sequence[Step]
    titles: Mapping[str, str]
    rows: Sequence[TierMember]
    pager: Pager
    query: MembersQuery
    programs: Sequence[tuple[str, str]]
    kept: Mapping[str, str]
    export_url: str
    may_move: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage(PageContext):
    """Who has come from which tier to which.

    Attributes:
        rows: newest first, each with the reason in words.
        kept: filters, for the search box.
    """

    template: ClassVar[str] = "tiers/manage/history.html"
    rows: Sequence[tuple[Change, str]]
    titles: Mapping[str, str]
    pager: Pager
    query: MembersQuery
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage(PageContext):
    """One card: its tier, its history, and a form to move it.

    Attributes:
        options: (key, name) of the tiers that can be given.
        may_move: whether the reader may.
    """

    template: ClassVar[str] = "tiers/manage/member.html"
    member: TierMember
    titles: Mapping[str, str]
    rows: Sequence[tuple[Change, str]]
    pager: Pager
    options: Sequence[tuple[str, str]]
    may_move: bool


@bp.get("/")
@page(audience="staff", permission="tiers.view")
async def members(work: Work) -> Result:
    """The ladder and the members on it."""
    query = work.query(MembersQuery)
    program, settings = await _program(work, query.program)
    found = await lists.members(work.session, program.id, query.tier, query.q, query.request())
    crowds = await lists.crowds(work.session, program.id)
    return MembersPage(
        steps=_steps(settings, program, crowds, query),
        titles=_titles(settings),
        rows=found.items,
        pager=make_pager(found, PATH, query.kept()),
        query=query,
        programs=await _others(work, query),
        kept={name: value for name, value in query.kept(q="").items() if value},
        export_url=_url(f"{PATH}export", query.kept()) if work.principal.may("tiers.export") else "",
        may_move=work.principal.may("tiers.move"),
    )


@bp.get("/export")
@page(audience="staff", permission="tiers.export")
async def export(work: Work) -> Result:
    """The list as a file."""
    query = work.query(MembersQuery)
    program, settings = await _program(work, query.program)
    titles = _titles(settings)
    heading = [_("Name"), _("E-mail"), _("Card number"), _("Tier"), _("Since"), _("Kept until")]

    async def lines(session: TenantSession) -> AsyncIterator[Sequence[str]]:
        yield heading
        async for one in lists.all_members(session, program.id, query.tier, query.q):
            since, until = (at.date().isoformat() if at else "" for at in (one.since, one.keep_until))
            yield [one.name, one.email, one.number, titles.get(one.tier, one.tier), since, until]

    def chunks(session: TenantSession, _ctx: Context) -> AsyncIterator[bytes]:
        return csv_bytes(lines(session))

    return Download(f"{work.ctx.tenant.slug}-tiers.csv", "text/csv; charset=utf-8", chunks)


@bp.get("/history")
@page(audience="staff", permission="tiers.view")
async def history(work: Work) -> Result:
    """All changes of tiers."""
    query = work.query(MembersQuery)
    program, settings = await _program(work, query.program)
    found = await lists.changes(work.session, program.id, query.q, query.request())
    return HistoryPage(
        rows=_told(found.items),
        titles=_titles(settings),
        pager=make_pager(found, HISTORY, query.kept()),
        query=query,
        kept={name: value for name, value in query.kept(q="", tier="").items() if value},
    )


@bp.get("/cards/<card>")
@page(audience="staff", permission="tiers.view")
async def member(work: Work, card: str) -> Result:
    """One member's tier and how it came about."""
    program, settings, found = await _card(work, card)
    paged = await lists.changes(work.session, program.id, "", work.query(ListQuery).request(), found.card_id)
    return MemberPage(
        member=found,
        titles=_titles(settings),
        rows=_told(paged.items),
        pager=make_pager(paged, f"{PATH}cards/{card}", {}),
        options=[("", _("As earned")), *_titles(settings).items()],
        may_move=work.principal.may("tiers.move"),
    )


@bp.post("/cards/<card>/move")
@page(audience="staff", permission="tiers.move")
async def move(work: Work, card: str) -> Result:
    """Give a card a tier by hand, or take that back."""
    program, settings, found = await _card(work, card)
    form = await work.form(MoveForm)
    wanted = form.data.tier if form.data else ""
    if wanted and settings.find(wanted) is None:
        work.flash(_("Choose one of the tiers."), "error")
        return Redirect(f"{PATH}cards/{card}")
    await review.give(work.session, program, settings, found.card_id, wanted)
    details = {"tier": wanted, "before": found.granted}
    await record(work.session, work.ctx, "member.tier_given", "member", found.member_id, details)
    work.flash(_("The tier is set.") if wanted else _("The tier is what was earned."))
    return Redirect(f"{PATH}cards/{card}")


async def _program(work: Work, name: str) -> tuple[ProgramInfo, TierSettings]:
    """The program that is named, else the first."""
    found = await work.rules("tiers")
    chosen = next((one for one in found if one.program.id.hex == name), found[0] if found else None)
    if chosen is None:
        raise NotFound(_("There is no loyalty program here yet."))
    assert isinstance(chosen.settings, TierSettings)
    return chosen.program, chosen.settings


async def _card(work: Work, card: str) -> tuple[ProgramInfo, TierSettings, TierMember]:
    card_id = ids.read(ids.CARD, card)
    for one in await work.rules("tiers"):
        assert isinstance(one.settings, TierSettings)
        found = await lists.member(work.session, one.program.id, card_id) if card_id else None
        if found is not None:
            return one.program, one.settings, found
    raise NotFound(_("We could not find this card."))


async def _others(work: Work, query: MembersQuery) -> list[tuple[str, str]]:
    found = await work.rules("tiers")
    return [(one.program.name, _url(PATH, {"program": one.program.id.hex})) for one in found] if len(found) > 1 else []


def _steps(
    settings: TierSettings, program: ProgramInfo, crowds: Mapping[str, Crowd], query: MembersQuery
) -> list[Step]:
    return [
        Step(
            key=tier.key,
            title=tier.title,
            threshold=texts.threshold(settings, tier, program.currency),
            benefits=texts.benefits(settings, tier),
            crowd=crowds.get(tier.key, Crowd()),
            url=_url(PATH, query.kept(tier="" if query.tier == tier.key else tier.key)),
            is_shown=query.tier == tier.key,
        )
        for tier in settings.ladder
    ]


def _titles(settings: TierSettings) -> dict[str, str]:
    return {tier.key: tier.title for tier in settings.ladder}


def _told(changes: Sequence[Change]) -> list[tuple[Change, str]]:
    return [(one, texts.reason(one.reason)) for one in changes]


def _url(path: str, query: Mapping[str, str]) -> str:
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path
