"""Merging two members who are one person: look for the other one, see what will happen, do it, undo it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import PageRequest
from regulars.domain.cards.numbers import format_number
from regulars.domain.ledger.commands import Claim, principal_of
from regulars.domain.ledger.history import words_of
from regulars.domain.members import service as members
from regulars.domain.members.views import MemberFilter
from regulars.domain.merges import service as merges
from regulars.domain.merges.service import MergeCommand
from regulars.domain.merges.views import Pair, Person
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.again import TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.members import MemberRow, find_gauges, member_row, member_url, shown_name
from regulars.web.results import Redirect, Result
from regulars.web.work import Work, read_id

MOST_FOUND = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSearchPage(PageContext):
    """Look for the member who is the same person.

    Attributes:
        url: of this page.
        rows: who was found, without the member.
        has_more: there are others; a narrower search finds them.
    """

    template: ClassVar[str] = "manage/merge_search.html"
    url: str
    name: str
    member_url: str
    query: str
    rows: Sequence[MemberRow]
    has_more: bool


@dataclass(frozen=True, slots=True)
class MergeLine:
    """What happens to one unit of a card.

    Attributes:
        number, target_number: of the card that is merged, and of the one that stays.
        before, own, after: amounts in words: on the one card, on the other one, and on the one that stays.
    """

    program: str
    number: str
    target_number: str
    before: str
    own: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePage(PageContext):
    """What will happen, before it does.

    Attributes:
        url: of this page.
        other: who is merged.
        refusal: why they cannot be merged, empty when they can.
        key: of the form, so that it counts once.
    """

    template: ClassVar[str] = "manage/merge.html"
    url: str
    name: str
    member_url: str
    other: Person
    lines: Sequence[MergeLine] = ()
    refusal: str = ""
    key: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class SearchQuery(BaseModel):
    """Who is looked for; nobody said for those of the same name."""

    q: str | None = Field(default=None, max_length=200)


class MergeForm(BaseModel):
    """How it is known that they are one person."""

    reason: str = Field(default="", max_length=1000)
    key: str = Field(default="", max_length=100)


@blueprint.get("/members/<member>/merge")
@manage_page("members.adjust")
async def merge_search(work: Work, member: str) -> Result:
    """Those of the same name, or who is looked for."""
    gauges = await find_gauges(work)
    known = (await members.get(work.session, work.ctx, read_id(ids.MEMBER, member), gauges)).member
    asked, url = work.query(SearchQuery).q, member_url(known.id)
    for query in [asked] if asked is not None else [known.name, ""]:  # those of the same name, else everybody
        page = PageRequest(1, MOST_FOUND + 1)
        found = await members.list_members(work.session, work.ctx, MemberFilter(query), page, gauges)
        others = [one for one in found.items if one.id != known.id]
        if others:
            break
    return MergeSearchPage(
        url=f"{url}/merge",
        name=shown_name(known),
        member_url=url,
        query=query,
        rows=[member_row(work, one) for one in others[:MOST_FOUND]],
        has_more=found.total > MOST_FOUND + 1,
    )


@blueprint.get("/members/<member>/merge/<other>")
@manage_page("members.adjust")
async def merge_form(work: Work, member: str, other: str) -> Result:
    """Say what will happen, and ask."""
    return await _page(work, read_id(ids.MEMBER, member), read_id(ids.MEMBER, other))


@blueprint.post("/members/<member>/merge/<other>")
@manage_page("members.adjust")
async def merge_members(work: Work, member: str, other: str) -> Result:
    """Merge them."""
    target, source = read_id(ids.MEMBER, member), read_id(ids.MEMBER, other)
    form = await work.form(MergeForm)
    try:
        wanted = form.require()
        named = f"{target.hex} {source.hex} {wanted.reason}".encode()
        claim = Claim(principal_of(work.ctx), wanted.key or new_token(), named)
        command = MergeCommand(claim, source, target, wanted.reason)
        await work.services.merges.merge(work.session, work.ctx, command)
    except (InvalidInput, Conflict) as error:
        page = await _page(work, target, source)
        raise TryAgain(work, replace(page, values=form.values, errors=faults_of(error))) from error
    done = (await merges.of_member(work.session, work.ctx, target))[0]
    undo = f"{member_url(target)}/merges/{ids.show(ids.MERGE, done.id)}/undo"
    work.flash(_("The two are one now."), action_label=_("Undo"), action_url=undo)
    return Redirect(member_url(target))


@blueprint.post("/members/<member>/merges/<merge>/undo")
@manage_page("members.adjust")
async def undo_merge(work: Work, member: str, merge: str) -> Result:
    """Undo a merge; they can be merged again."""
    url, merge_id = member_url(read_id(ids.MEMBER, member)), read_id(ids.MERGE, merge)
    claim = Claim(principal_of(work.ctx), new_token(), merge_id.bytes)
    try:
        await work.services.merges.unmerge(work.session, work.ctx, claim, merge_id)
    except Conflict as error:
        work.flash(error.detail or str(error), "warning")
        return Redirect(url)
    work.flash(_("They are two members again."))
    return Redirect(url)


async def _page(work: Work, target_id: UUID, source_id: UUID) -> MergePage:
    target, source = await merges.person(work.session, target_id), await merges.person(work.session, source_id)
    lines: Sequence[MergeLine] = ()
    refusal = ""
    try:
        _target, _source, pairs = await merges.plan(work.session, target_id, source_id)
        lines = [line for pair in pairs for line in _lines(work, pair)]
    except (Conflict, InvalidInput) as error:
        refusal = error.detail or str(error)
    url = member_url(target_id)
    return MergePage(
        url=f"{url}/merge/{ids.show(ids.MEMBER, source_id)}",
        name=target.shown,
        member_url=url,
        other=source,
        lines=lines,
        refusal=refusal,
        key=new_token(),
    )


def _lines(work: Work, pair: Pair) -> list[MergeLine]:
    def words(unit: str, amount: int) -> str:
        found = words_of(work.services.plugins, unit)
        return found.amount(amount) if found else str(amount)

    return [
        MergeLine(
            program=pair.source.program,
            number=format_number(pair.source.number),
            target_number=format_number(pair.target.number),
            before=words(unit, pair.source.balances.get(unit, 0)),
            own=words(unit, pair.target.balances.get(unit, 0)),
            after=words(unit, after),
        )
        for unit, after in pair.after.items()
    ]
