"""Members: the list with search and filters, its export, one member with cards and history, changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import PageRequest
from regulars.contracts.providers import Progress
from regulars.domain.cards.numbers import format_number
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.domain.ledger.history import HistoryEntry, history, words_of
from regulars.domain.members import service
from regulars.domain.members.export import begin_export, export_rows
from regulars.domain.members.gauges import Gauge, gauges_of
from regulars.domain.members.views import Member, MemberCard, MemberDetail, MemberFilter, Only
from regulars.domain.merges import service as merges
from regulars.domain.merges.views import Merged
from regulars.domain.programs.service import Program
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import language_name
from regulars.kernel.templating.chrome import Link
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.navigation import TERMINAL
from regulars.web.manage.sales import RECEIPTS
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words, visit_words
from regulars.web.work import Work, read_id

LIST = "/manage/members"
HISTORY_SIZE = 15


class MembersQuery(ListQuery):
    """The list's address.

    Attributes:
        show: the filter.
        sort: the order.
    """

    show: Only = "all"
    sort: str = Field(default="last_visit", pattern="^(last_visit|name|enrolled)$")

    @property
    def wanted(self) -> MemberFilter:
        """What the service takes."""
        return MemberFilter(self.q, self.show, self.sort)  # type: ignore[arg-type]

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search, filter and order for other addresses of the list; the usual ones are left out."""
        show = "" if self.show == "all" else self.show
        sort = "" if self.sort == "last_visit" else self.sort
        return {"q": self.q, "show": show, "sort": sort, **changes}


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member in the list.

    Attributes:
        url: of the member's page.
        name: or the address where there is no name.
        number: first eight digits of the first card, empty without a card.
        blocked: whether that card is blocked.
        progress: of that card's units.
        last_visit: in words.
        till_url: that card at the terminal, empty for readers without one.
    """

    member: Member
    url: str
    name: str
    number: str
    blocked: bool
    progress: Sequence[Progress]
    last_visit: str
    till_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersPage(PageContext):
    """The list.

    Attributes:
        query: search, filter and order.
        filters: all, active, has reward ready.
        sorts: column → address and present direction, for the head of the table.
        kept: filter and order, for the search box.
        balance_title: heading of the column with what is on the card.
        may_export: whether the reader may take the list away.
        may_enrol: whether the reader may enrol people at the terminal.
        is_empty: nobody has ever enrolled.
    """

    template: ClassVar[str] = "manage/members.html"
    rows: Sequence[MemberRow]
    pager: Pager
    query: MembersQuery
    filters: Sequence[Link]
    sorts: Mapping[str, str]
    kept: Mapping[str, str]
    balance_title: str
    may_export: bool
    may_enrol: bool
    is_empty: bool


@dataclass(frozen=True, slots=True)
class CardPanel:
    """A card on the member's page.

    Attributes:
        url: of what can be done with it.
        history_url: shows its history on this page.
        till_url: the card at the terminal, empty where it cannot be used.
        household_url: with whom it shares, empty where it cannot or the reader may not.
        receipt_url: where a receipt is added to it, empty where none counts.
        shown: whether its history is shown now.
    """

    card: MemberCard
    number: str
    program: str
    url: str
    history_url: str
    till_url: str
    household_url: str
    receipt_url: str
    shown: bool


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A movement.

    Attributes:
        moment: when, in words.
        sale_url: of the sale that it belongs to, empty for none.
    """

    entry: HistoryEntry
    moment: str
    sale_url: str


@dataclass(frozen=True, slots=True)
class MergedLine:
    """Somebody who was merged into the member.

    Attributes:
        who: name and address, as far as there are any.
        numbers: of the cards that lead to the member's now.
        undo_url: takes it back.
    """

    merge: Merged
    who: str
    numbers: str
    undo_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage(PageContext):
    """One member.

    Attributes:
        name: or the address where there is no name.
        cards: of all programs.
        language: in its own words.
        lines: the shown card's history, newest first.
        has_history: whether there is a card to show a history of.
        may_manage: whether the reader may change the member and block cards.
        may_adjust: whether the reader may correct balances.
        may_merge: whether the reader may merge members, and undo that.
        merges: who was merged into this member and still is.
        last_visit: in words.
    """

    template: ClassVar[str] = "manage/member.html"
    url: str
    name: str
    detail: MemberDetail
    cards: Sequence[CardPanel]
    language: str
    lines: Sequence[HistoryLine]
    has_history: bool
    pager: Pager | None
    may_manage: bool
    may_adjust: bool
    may_merge: bool
    merges: Sequence[MergedLine]
    last_visit: str


class HistoryQuery(BaseModel):
    """Which card's history, and which part of it."""

    card: str = ""
    page: int = Field(default=1, ge=1, le=100_000)


@blueprint.get("/members")
@manage_page("members.view")
async def member_list(work: Work) -> Result:
    """A page of the list."""
    query, gauges = work.query(MembersQuery), await find_gauges(work)
    found = await service.list_members(work.session, work.ctx, query.wanted, query.request(), gauges)
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    who = work.ctx.principal
    return MembersPage(
        rows=[member_row(work, member) for member in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=_filters(query),
        sorts={name: url_of(LIST, query.kept(sort=name)) for name in ("name", "enrolled", "last_visit")},
        kept={name: value for name, value in query.kept(q="").items() if value},
        balance_title=_balance_title(work, gauges),
        may_export=who.may("members.export"),
        may_enrol=who.may("members.enrol") and work.ctx.tenant.has("enrolment"),
        is_empty=found.total == 0 and not query.q and query.show == "all",
    )


@blueprint.post("/members/export")
@manage_page("members.export")
async def export_members(work: Work) -> Response:
    """The list as a file, with its search and filter; the audit log keeps who took it."""
    query = (await work.form(MembersQuery)).data or MembersQuery()
    gauges = await find_gauges(work)
    await begin_export(work.session, work.ctx, query.wanted)
    rows = export_rows(work.services.database, work.ctx, query.wanted, gauges)
    return csv_response(rows, f"{work.ctx.tenant.slug}-members.csv")


@blueprint.get("/members/<member>")
@manage_page("members.view")
async def member_page(work: Work, member: str) -> Result:
    """One member with cards, consents and history."""
    gauges = await find_gauges(work)
    detail = await service.get(work.session, work.ctx, read_id(ids.MEMBER, member), gauges)
    query, url = work.query(HistoryQuery), member_url(detail.member.id)
    shown = _shown_card(detail, query.card)
    lines: Sequence[HistoryLine] = ()
    pager: Pager | None = None
    if shown is not None:
        request = PageRequest(query.page, HISTORY_SIZE)
        found = await history(work.session, work.ctx, work.services.plugins, shown.id, request)
        lines = [_history_line(one) for one in found.items]
        pager = make_pager(found, url, {"card": query.card})
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    may_manage = work.ctx.principal.may("members.manage")
    return MemberPage(
        url=url,
        name=shown_name(detail.member),
        detail=detail,
        cards=[_panel(work, url, card, programs.get(card.program_id), shown) for card in detail.member.cards],
        language=language_name(detail.member.locale) if detail.member.locale else "",
        lines=lines,
        has_history=shown is not None,
        pager=pager,
        may_adjust=work.ctx.principal.may("members.adjust"),
        may_manage=may_manage,
        may_merge=may_manage and work.ctx.principal.may("members.adjust"),
        merges=await _merges(work, url, detail.member.id),
        last_visit=moment_words(detail.member.last_activity_at),
    )


def _history_line(entry: HistoryEntry) -> HistoryLine:
    sale = f"/manage/sales/{ids.show(ids.SALE, entry.sale_id)}" if entry.sale_id else ""
    return HistoryLine(entry, moment_words(entry.at), sale)


async def _merges(work: Work, url: str, member_id: UUID) -> Sequence[MergedLine]:
    found = await merges.of_member(work.session, work.ctx, member_id)
    return [
        MergedLine(
            merge=one,
            who=" · ".join(filter(None, (one.name, one.email))),
            numbers=", ".join(map(format_number, one.numbers or ())),
            undo_url=f"{url}/merges/{ids.show(ids.MERGE, one.id)}/undo",
        )
        for one in found
        if one.undone_at is None
    ]


async def find_gauges(work: Work) -> Sequence[Gauge]:
    """The gauges of the tenant's programs."""
    parts = work.services
    programs = await parts.programs.programs(work.session, work.ctx.tenant)
    return await gauges_of(work.session, work.ctx, parts.plugins, parts.rules, programs)


def _balance_title(work: Work, gauges: Sequence[Gauge]) -> str:
    """The unit's own name where there is only one."""
    units = {gauge.unit for gauge in gauges}
    words = words_of(work.services.plugins, units.pop()) if len(units) == 1 else None
    return words.title() if words else _("On the card")


def card_of(member: Member, text: str) -> MemberCard:
    """The member's card that an address names.

    Raises:
        NotFound: the member has no such card.
    """
    card_id = read_id(ids.CARD, text)
    found = next((card for card in member.cards if card.id == card_id), None)
    if found is None:
        raise NotFound(_("We could not find this card."))
    return found


def _shown_card(detail: MemberDetail, text: str) -> MemberCard | None:
    """The card whose history is asked for, else the first one."""
    if text:
        return card_of(detail.member, text)
    return detail.member.cards[0] if detail.member.cards else None


def member_row(work: Work, member: Member) -> MemberRow:
    """A member as a line of a list."""
    card = member.cards[0] if member.cards else None
    return MemberRow(
        member=member,
        url=member_url(member.id),
        name=shown_name(member),
        number=format_number(card.number)[:9] if card else "",
        blocked=card is not None and card.status != "active",
        progress=tuple(card.progress.values()) if card else (),
        last_visit=visit_words(member.last_activity_at),
        till_url=_till_url(work, card) if card else "",
    )


def _till_url(work: Work, card: MemberCard) -> str:
    if not work.ctx.principal.may("terminal.use") or card.status != "active":
        return ""
    return f"{TERMINAL}/cards/{ids.show(ids.CARD, card.id)}"


def _panel(work: Work, url: str, card: MemberCard, program: Program, shown: MemberCard | None) -> CardPanel:
    public = ids.show(ids.CARD, card.id)
    shares = program.household_size and work.ctx.tenant.has(HOUSEHOLDS) and work.ctx.principal.may("members.manage")
    return CardPanel(
        card=card,
        number=format_number(card.number),
        program=program.name,
        url=f"{url}/cards/{public}",
        history_url=url_of(url, {"card": public}),
        till_url=_till_url(work, card),
        household_url=f"{url}/cards/{public}/household" if shares else "",
        receipt_url=url_of(f"{RECEIPTS}/claim", {"card": card.number}) if program.claim_days else "",
        shown=shown is not None and shown.id == card.id,
    )


def _filters(query: MembersQuery) -> Sequence[Link]:
    titles: Sequence[tuple[Only, str, str]] = (
        ("all", _("All"), ""),
        ("active", _("Active in 30 days"), "activity"),
        ("ready", _("Reward ready"), "gift"),
    )
    return [
        Link(
            label=title,
            url=url_of(LIST, query.kept(show="" if name == "all" else name)),
            icon=icon,
            active=query.show == name,
        )
        for name, title, icon in titles
    ]


def shown_name(member: Member) -> str:
    """The name, or the address where there is no name."""
    return member.name or member.email


def member_url(member_id: UUID) -> str:
    """Address of a member's page."""
    return f"{LIST}/{ids.show(ids.MEMBER, member_id)}"
