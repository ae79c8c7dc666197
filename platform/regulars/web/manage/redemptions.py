"""Redemptions for the merchant: what waits, what is to be sent, what was handed out; and carrying each on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from json import loads
from typing import ClassVar, Literal

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.pages import PageContext
from regulars.domain.audit import service as audit
from regulars.domain.ledger.commands import Attempt, CardRef, Claim, principal_of
from regulars.domain.redemptions import lists
from regulars.domain.redemptions.life import MOVES, TITLES, Delivery, Move, State, Status
from regulars.domain.redemptions.service import MoveCommand
from regulars.kernel import ids
from regulars.kernel.i18n import N_, format_datetime
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.kernel.templating.chrome import Link
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.members import LIST as MEMBERS
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

LIST = "/manage/redemptions"
Show = Literal["all", "held", "ordered", "shipped", "captured"]
_SHOWS: Mapping[Show, tuple[str, Status | Literal[""], Delivery]] = {
    "all": (N_("All"), "", ""),
    "held": (N_("Put aside"), "held", ""),
    "ordered": (N_("To be sent"), "", "ordered"),
    "shipped": (N_("On its way"), "", "shipped"),
    "captured": (N_("Handed out"), "captured", ""),
}
_MOVES: Mapping[Move, tuple[str, str]] = {
    "capture": (N_("Hand out"), "check"),
    "ship": (N_("Mark as sent"), "package"),
    "deliver": (N_("Mark as delivered"), "check"),
}
_BACK: tuple[Move, ...] = ("release", "cancel", "undo")
"""Moves that give units back: they are asked for on the redemption's own page."""


class RedemptionsQuery(ListQuery):
    """Search and filter of the list."""

    show: Show = "all"

    @property
    def wanted(self) -> lists.Wanted:
        """What the service takes."""
        _title, status, fulfilment = _SHOWS[self.show]
        return lists.Wanted(self.q, status, fulfilment)

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "show": "" if self.show == "all" else self.show, **changes}


class MoveForm(BaseModel):
    """What is done with a redemption."""

    move: Move
    key: str = Field(default="", max_length=80)


@dataclass(frozen=True, slots=True)
class MoveButton:
    """A way on."""

    move: Move
    label: str
    icon: str


@dataclass(frozen=True, slots=True)
class RedemptionLine:
    """A redemption in the list.

    Attributes:
        who: name, or address where there is none.
        member_url: of the member's page.
        url: of its own page.
        state: in words.
        cost: in words.
        moment: when, in words.
        moves: what can be done next without giving anything back.
    """

    row: lists.RedemptionRow
    who: str
    member_url: str
    url: str
    state: str
    cost: str
    moment: str
    moves: Sequence[MoveButton]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionsPage(PageContext):
    """The list.

    Attributes:
        filters: by state.
        kept: filter, for the search box.
        key: fresh idempotency key.
        is_empty: there has never been one.
    """

    template: ClassVar[str] = "manage/redemptions.html"
    lines: Sequence[RedemptionLine]
    pager: Pager
    query: RedemptionsQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]
    key: str
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionPage(PageContext):
    """One redemption.

    Attributes:
        back: the move that gives what it cost back, empty when there is none.
        key: fresh idempotency key.
    """

    template: ClassVar[str] = "manage/redemption.html"
    line: RedemptionLine
    back: str
    key: str


@blueprint.get("/redemptions")
@manage_page("rewards.manage")
async def redemptions(work: Work) -> Result:
    """A page of the list."""
    query = work.query(RedemptionsQuery)
    found = await lists.list_redemptions(work.session, work.ctx, query.wanted, query.request())
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    return RedemptionsPage(
        lines=[_line(work, row) for row in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=[
            Link(label=_(title), url=url_of(LIST, query.kept(show=name)), active=query.show == name)
            for name, (title, _status, _fulfilment) in _SHOWS.items()
        ],
        kept={name: value for name, value in query.kept(q="").items() if value},
        key=new_token(),
        is_empty=found.total == 0 and not query.q and query.show == "all",
    )


@blueprint.get("/redemptions/<redemption>")
@manage_page("rewards.manage")
async def redemption_page(work: Work, redemption: str) -> Result:
    """One redemption, with what can be done."""
    row = await lists.get_redemption(work.session, work.ctx, read_id(ids.REDEMPTION, redemption))
    back = next((move for move in _BACK if (row.state, move) in MOVES), "")
    return RedemptionPage(line=_line(work, row), back=back, key=new_token())


@blueprint.post("/redemptions/<redemption>")
@manage_page("rewards.manage")
async def move_redemption(work: Work, redemption: str) -> Result:
    """Carry a redemption on."""
    row = await lists.get_redemption(work.session, work.ctx, read_id(ids.REDEMPTION, redemption))
    form = (await work.form(MoveForm)).data
    if form is None:
        return Redirect(f"{LIST}/{redemption}")
    claim = Claim(principal_of(work.ctx), form.key or new_token(), f"{form.move} {row.id.hex}".encode())
    command = MoveCommand(Attempt(claim, CardRef("id", row.card_id)), row.id, form.move)
    answer = await work.services.redemptions.move(work.session, work.ctx, command)
    said = loads(answer.body)
    if answer.refused:
        work.flash(said["detail"], "warning")
    else:
        fulfilment: Delivery = "" if said["fulfilment"] == "none" else said["fulfilment"]
        state = _(TITLES[State(said["status"], fulfilment)])
        work.flash(_("“%(reward)s”: %(state)s.", reward=row.title, state=state))
    return Redirect(LIST)


@blueprint.post("/redemptions/export")
@manage_page("members.export")
async def export_redemptions(work: Work) -> Response:
    """The list as a file, with its search and filter; the audit log keeps who took it."""
    query = (await work.form(RedemptionsQuery)).data or RedemptionsQuery()
    details = {"sought": query.q, "only": query.show}
    await audit.record(work.session, work.ctx, "redemption.exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_rows(work, query), f"{work.ctx.tenant.slug}-redemptions.csv")


async def _rows(work: Work, query: RedemptionsQuery) -> AsyncIterator[Sequence[str]]:
    yield (_("When"), _("Reward"), _("Customer"), _("E-mail"), _("Card #"), _("Unit"), _("Cost"), _("State"), _("Code"))
    async for row in lists.all_redemptions(work.services.database, work.ctx, query.wanted):
        yield (
            *(format_datetime(row.created_at), row.title, row.name, row.email, row.number),
            *(row.unit, str(row.cost), _(TITLES[row.state]), row.code),
        )


def _line(work: Work, row: lists.RedemptionRow) -> RedemptionLine:
    return RedemptionLine(
        row=row,
        who=row.name or row.email,
        member_url=f"{MEMBERS}/{ids.show(ids.MEMBER, row.member_id)}",
        url=f"{LIST}/{ids.show(ids.REDEMPTION, row.id)}",
        state=_(TITLES[row.state]),
        cost=unit_amount(work, row.unit, row.cost),
        moment=moment_words(row.created_at),
        moves=[
            MoveButton(move, _(label), icon) for move, (label, icon) in _MOVES.items() if (row.state, move) in MOVES
        ],
    )
