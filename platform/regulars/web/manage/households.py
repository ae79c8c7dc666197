"""Households: the list with search and export, one of them with who shares, and how many may share in a program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.audit import service as audit
from regulars.domain.cards.numbers import format_number
from regulars.domain.cards.view import CardViews
from regulars.domain.households import lists, service
from regulars.domain.households.views import HouseholdRow, HouseholdView, Sharer
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.kernel import ids
from regulars.kernel.i18n import format_datetime
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager
from regulars.web.manage.balances import meant_card
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amounts
from regulars.web.work import Work, read_id

LIST = "/manage/households"


@dataclass(frozen=True, slots=True)
class HouseholdLine:
    """A household in the list.

    Attributes:
        together: what they have, in words.
    """

    row: HouseholdRow
    url: str
    together: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdsPage(PageContext):
    """The list.

    Attributes:
        settings_url: where it is said how many may share, empty for whoever may not.
        is_on: whether a program has households.
        is_empty: there is none.
    """

    template: ClassVar[str] = "manage/households.html"
    lines: Sequence[HouseholdLine]
    pager: Pager
    query: ListQuery
    settings_url: str
    may_export: bool
    is_on: bool
    is_empty: bool


@dataclass(frozen=True, slots=True)
class SharerLine:
    """Somebody in the household.

    Attributes:
        balance: on their own card, in words.
        earned: this month, in words.
        out_url: takes this one out, empty where the reader may not.
    """

    one: Sharer
    member_url: str
    number: str
    balance: str
    earned: str
    is_head: bool
    out_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPage(PageContext):
    """One household.

    Attributes:
        together: what they have, in words.
        has_room: whether the reader can put somebody in.
        card, errors: what was typed, and what is wrong with it.
    """

    template: ClassVar[str] = "manage/household.html"
    url: str
    found: HouseholdView
    head: str
    together: str
    sharers: Sequence[SharerLine]
    has_room: bool
    card: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOutPage(PageContext):
    """Asks before somebody is taken out."""

    template: ClassVar[str] = "manage/household_out.html"
    url: str
    head: str
    name: str
    taken: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPage(PageContext):
    """Asks who shares with a card that shares with nobody yet."""

    template: ClassVar[str] = "manage/household_start.html"
    url: str
    member_url: str
    name: str
    number: str
    card: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizesPage(PageContext):
    """How many may share, by program.

    Attributes:
        programs: (public id, name, number as it is shown).
        wrong: public id of the program whose number cannot be, empty for none.
    """

    template: ClassVar[str] = "manage/household_sizes.html"
    programs: Sequence[tuple[str, str, str]]
    usual: int = service.DEFAULT_SIZE
    wrong: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


class CardForm(BaseModel):
    """Whose card is meant."""

    card: str = Field(default="", max_length=300)


class SizeForm(BaseModel):
    """How many may share."""

    program: str = Field(default="", max_length=60)
    size: int = Field(default=0, ge=0, le=service.SIZES[-1])


@blueprint.get("/households")
@manage_page("members.view", feature=HOUSEHOLDS)
async def households(work: Work) -> Result:
    """A page of the list."""
    query = work.query(ListQuery)
    found = await lists.list_households(work.session, work.ctx, query.request(), query=query.q)
    if beyond := beyond_url(found, LIST, {"q": query.q}):
        return Redirect(beyond)
    who = work.ctx.principal
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    return HouseholdsPage(
        lines=[
            HouseholdLine(row, f"{LIST}/{ids.show(ids.HOUSEHOLD, row.id)}", _words(work, row.balances))
            for row in found.items
        ],
        pager=make_pager(found, LIST, {"q": query.q}),
        query=query,
        settings_url=f"{LIST}/size" if who.may("programs.manage") else "",
        may_export=who.may("members.export"),
        is_on=any(one.household_size for one in programs.items),
        is_empty=found.total == 0 and not query.q,
    )


@blueprint.post("/households/export")
@manage_page("members.export", feature=HOUSEHOLDS)
async def export_households(work: Work) -> Response:
    """The list as a file, with its search; the audit log keeps who took it."""
    query = (await work.form(ListQuery)).data or ListQuery()
    details = {"sought": query.q}
    await audit.record(work.session, work.ctx, "household.exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_rows(work, query), f"{work.ctx.tenant.slug}-households.csv")


@blueprint.get("/households/size")
@manage_page("programs.manage", feature=HOUSEHOLDS)
async def household_sizes(work: Work) -> Result:
    """How many may share."""
    return await _sizes_page(work)


@blueprint.post("/households/size")
@manage_page("programs.manage", feature=HOUSEHOLDS)
async def set_household_size(work: Work) -> Result:
    """Say how many may share in a program; nothing for none."""
    form = await work.form(SizeForm)
    try:
        wanted = form.require()
        await service.set_size(work.session, work.ctx, read_id(ids.PROGRAM, wanted.program), wanted.size)
    except InvalidInput as error:
        typed = form.values.get("size", "")
        page = await _sizes_page(work, form.values.get("program", ""), typed, faults_of(error))
        raise TryAgain(work, page) from error
    work.flash(_("Saved."))
    return Redirect(f"{LIST}/size")


@blueprint.get("/households/<household>")
@manage_page("members.view", feature=HOUSEHOLDS)
async def household(work: Work, household: str) -> Result:
    """Who shares."""
    return _page(work, await lists.get(work.session, work.ctx, read_id(ids.HOUSEHOLD, household)))


@blueprint.post("/households/<household>")
@manage_page("members.manage", feature=HOUSEHOLDS)
async def add_to_household(work: Work, household: str) -> Result:
    """Put somebody in."""
    found = await lists.get(work.session, work.ctx, read_id(ids.HOUSEHOLD, household))
    form = await work.form(CardForm)
    try:
        target = await meant_card(work, form.require().card, "card")
        await service.add(work.session, work.ctx, found.head_id, target.id)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, _page(work, found, form.values.get("card", ""), faults_of(error))) from error
    work.flash(_("%(name)s shares now.", name=target.name or target.email))
    return Redirect(f"{LIST}/{household}")


@blueprint.get("/households/<household>/out/<card>")
@manage_page("members.manage", feature=HOUSEHOLDS)
async def take_out_form(work: Work, household: str, card: str) -> Result:
    """Say what happens, and ask."""
    found, sharer = await _sharer(work, household, card)
    return TakeOutPage(
        url=f"{LIST}/{household}",
        head=_head(found),
        name=sharer.shown,
        taken=_words(work, sharer.balances),
        action=f"{LIST}/{household}/out/{card}",
    )


@blueprint.post("/households/<household>/out/<card>")
@manage_page("members.manage", feature=HOUSEHOLDS)
async def take_out(work: Work, household: str, card: str) -> Result:
    """Take somebody out."""
    found, sharer = await _sharer(work, household, card)
    await service.leave(work.session, work.ctx, found.id, sharer.card_id)
    work.flash(_("%(name)s shares no more.", name=sharer.shown))
    return Redirect(LIST if len(found.sharers) == 1 else f"{LIST}/{household}")


@blueprint.get("/members/<member>/cards/<card>/household")
@manage_page("members.manage", feature=HOUSEHOLDS)
async def card_household(work: Work, member: str, card: str) -> Result:
    """The household of a card, or who is to share with it."""
    page = await _start_page(work, member, card)
    found = await lists.of_card(work.session, work.ctx, read_id(ids.CARD, card))
    return page if found is None else Redirect(f"{LIST}/{ids.show(ids.HOUSEHOLD, found.id)}")


@blueprint.post("/members/<member>/cards/<card>/household")
@manage_page("members.manage", feature=HOUSEHOLDS)
async def start_household(work: Work, member: str, card: str) -> Result:
    """Found a household of two."""
    page, form = await _start_page(work, member, card), await work.form(CardForm)
    try:
        target = await meant_card(work, form.require().card, "card")
        household_id = await service.add(work.session, work.ctx, read_id(ids.CARD, card), target.id)
    except (InvalidInput, Conflict) as error:
        again = replace(page, card=form.values.get("card", ""), errors=faults_of(error))
        raise TryAgain(work, again) from error
    work.flash(_("%(name)s shares now.", name=target.name or target.email))
    return Redirect(f"{LIST}/{ids.show(ids.HOUSEHOLD, household_id)}")


async def _start_page(work: Work, member: str, card: str) -> StartPage:
    view = await CardViews(work.services.ledger).view(work.session, work.ctx, read_id(ids.CARD, card))
    if view.card.member_id != read_id(ids.MEMBER, member):
        raise NotFound(_("We could not find this card."))
    url = member_url(view.card.member_id)
    return StartPage(
        url=f"{url}/cards/{card}/household",
        member_url=url,
        name=view.card.name or view.card.email,
        number=format_number(view.card.number),
    )


async def _sharer(work: Work, household: str, card: str) -> tuple[HouseholdView, Sharer]:
    found = await lists.get(work.session, work.ctx, read_id(ids.HOUSEHOLD, household))
    sharer = found.sharer(read_id(ids.CARD, card))
    if sharer is None:
        raise NotFound(_("This card is not in this household any more."))
    return found, sharer


def _page(work: Work, found: HouseholdView, card: str = "", errors: Mapping[str, str] | None = None) -> HouseholdPage:
    url, may = f"{LIST}/{ids.show(ids.HOUSEHOLD, found.id)}", work.ctx.principal.may("members.manage")
    return HouseholdPage(
        url=url,
        found=found,
        head=_head(found),
        together=_words(work, found.balances),
        sharers=[
            SharerLine(
                one=one,
                member_url=member_url(one.member_id),
                number=format_number(one.number),
                balance=_words(work, one.balances),
                earned=_words(work, one.earned),
                is_head=one.card_id == found.head_id,
                out_url=f"{url}/out/{ids.show(ids.CARD, one.card_id)}" if may else "",
            )
            for one in found.sharers
        ],
        has_room=may and found.ended_at is None and len(found.sharers) < found.most,
        card=card,
        errors=errors or {},
    )


async def _sizes_page(
    work: Work, wrong: str = "", typed: str = "", errors: Mapping[str, str] | None = None
) -> SizesPage:
    programs = (await work.services.programs.programs(work.session, work.ctx.tenant)).items
    return SizesPage(
        programs=[
            (public, one.name, typed if public == wrong else str(one.household_size or ""))
            for one in programs
            for public in (ids.show(ids.PROGRAM, one.id),)
        ],
        wrong=wrong,
        errors=errors or {},
    )


async def _rows(work: Work, query: ListQuery) -> AsyncIterator[Sequence[str]]:
    yield (_("Since"), _("Program"), _("Customer"), _("E-mail"), _("Card #"), _("Members"), _("Together"))
    async for row in lists.all_households(work.services.database, work.ctx, query=query.q):
        together = _words(work, row.balances)
        yield (
            *(format_datetime(row.created_at), row.program, row.name, row.email, row.number),
            *(str(row.size), together),
        )


def _head(found: HouseholdView) -> str:
    return found.head.shown if found.head else ""


def _words(work: Work, balances: Mapping[str, int]) -> str:
    return ", ".join(unit_amounts(work, balances))
