"""Corrections of balances: the list, those that wait for another person, and up to where one may do it alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import ClassVar, Literal

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import MAX_AMOUNT
from regulars.contracts.pages import PageContext
from regulars.domain.adjustments import lists
from regulars.domain.adjustments.lists import CorrectionRow
from regulars.domain.audit import service as audit
from regulars.domain.ledger.commands import Claim, principal_of
from regulars.kernel import ids
from regulars.kernel.i18n import N_, format_datetime
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.kernel.templating.chrome import Link
from regulars.web.again import TryAgain, faults_of
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

LIST = "/manage/corrections"
STATES: Mapping[str, str] = {"waiting": N_("Waiting"), "done": N_("Booked"), "refused": N_("Refused")}
FLAGS: Mapping[str, str] = {"own_card": N_("Own card"), "at_night": N_("At night"), "many": N_("Many in an hour")}
FILTERS: Mapping[str, str] = {"": N_("All"), **STATES, "flagged": N_("Unusual")}


class CorrectionsQuery(ListQuery):
    """Search and filter of the list."""

    show: lists.Status = ""

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "show": self.show, **changes}


class DecisionForm(BaseModel):
    """Whether another person agrees."""

    decision: Literal["approve", "refuse"]
    key: str = Field(default="", max_length=80)


class LimitForm(BaseModel):
    """Up to which amount one person may correct alone."""

    program: str = Field(default="", max_length=60)
    limit: int | None = Field(default=None, ge=0, le=MAX_AMOUNT)


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """A correction in the list.

    Attributes:
        who: name, or address where there is none.
        member_url: of the member's page.
        url: where it is decided.
        amount: with its sign, in words.
        state: in words.
        flags: what is unusual about it, in words.
        people: who asked, and who decided.
        moment: when, in words.
        may_decide: whether the reader is the other person that it waits for.
    """

    row: CorrectionRow
    who: str
    member_url: str
    url: str
    amount: str
    state: str
    flags: Sequence[str]
    people: str
    moment: str
    may_decide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionsPage(PageContext):
    """The list.

    Attributes:
        filters: by state.
        kept: filter, for the search box.
        key: fresh idempotency key.
        limit_url: where the limits are set, empty for whoever may not.
        is_empty: there has never been one.
    """

    template: ClassVar[str] = "manage/corrections.html"
    lines: Sequence[CorrectionLine]
    pager: Pager
    query: CorrectionsQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]
    key: str
    limit_url: str
    may_export: bool
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsPage(PageContext):
    """Up to which amount one person may correct alone, by program.

    Attributes:
        programs: (public id, name, limit as it is shown).
        wrong: public id of the program whose limit cannot be, empty for none.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/correction_limits.html"
    programs: Sequence[tuple[str, str, str]]
    wrong: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/corrections")
@manage_page("members.adjust")
async def corrections(work: Work) -> Result:
    """A page of the list."""
    query = work.query(CorrectionsQuery)
    found = await lists.list_corrections(work.session, work.ctx, query.request(), query=query.q, status=query.show)
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    who = work.ctx.principal
    return CorrectionsPage(
        lines=[_line(work, row) for row in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=[
            Link(label=_(title), url=url_of(LIST, query.kept(show=name)), active=query.show == name)
            for name, title in FILTERS.items()
        ],
        kept={name: value for name, value in query.kept(q="").items() if value},
        key=new_token(),
        limit_url=f"{LIST}/limit" if who.may("programs.manage") else "",
        may_export=who.may("members.export"),
        is_empty=found.total == 0 and not query.q and not query.show,
    )


@blueprint.post("/corrections/<correction>")
@manage_page("members.adjust")
async def decide_correction(work: Work, correction: str) -> Result:
    """Agree to a correction that waits, or not."""
    form, found = (await work.form(DecisionForm)).require(), read_id(ids.ADJUSTMENT, correction)
    claim = Claim(principal_of(work.ctx), form.key or new_token(), f"{form.decision} {found.hex}".encode())
    agrees = form.decision == "approve"
    answer = await work.services.adjustments.decide(work.session, work.ctx, claim, found, agrees=agrees)
    said = loads(answer.body)
    if answer.refused:
        work.flash(said["detail"], "warning")
    elif agrees:
        work.flash(_("Booked: %(amount)s.", amount=signed(work, said["unit"], said["amount"])))
    else:
        work.flash(_("Refused. Nothing was booked."))
    return Redirect(LIST)


@blueprint.get("/corrections/limit")
@manage_page("programs.manage")
async def correction_limits(work: Work) -> Result:
    """The limits."""
    return await _limits_page(work)


@blueprint.post("/corrections/limit")
@manage_page("programs.manage")
async def set_correction_limit(work: Work) -> Result:
    """Set the limit of a program."""
    form = await work.form(LimitForm)
    try:
        wanted = form.require()
        program_id = read_id(ids.PROGRAM, wanted.program)
        await work.services.adjustments.set_limit(work.session, work.ctx, program_id, wanted.limit)
    except InvalidInput as error:
        page = await _limits_page(work, form.values.get("program", ""), form.values.get("limit", ""), faults_of(error))
        raise TryAgain(work, page) from error
    work.flash(_("Saved."))
    return Redirect(f"{LIST}/limit")


@blueprint.post("/corrections/export")
@manage_page("members.export")
async def export_corrections(work: Work) -> Response:
    """The list as a file, with its search and filter; the audit log keeps who took it."""
    query = (await work.form(CorrectionsQuery)).data or CorrectionsQuery()
    details = {"sought": query.q, "only": query.show}
    await audit.record(work.session, work.ctx, "points.corrections_exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_rows(work, query), f"{work.ctx.tenant.slug}-corrections.csv")


async def _rows(work: Work, query: CorrectionsQuery) -> AsyncIterator[Sequence[str]]:
    yield (
        *(_("When"), _("Customer"), _("E-mail"), _("Card #"), _("Unit"), _("Number"), _("Reason")),
        *(_("State"), _("Asked by"), _("Decided by"), _("Unusual")),
    )
    async for row in lists.all_corrections(work.services.database, work.ctx, query=query.q, status=query.show):
        one = row.correction
        yield (
            *(format_datetime(one.created_at), row.name, row.email, row.number, one.unit, str(one.amount)),
            *(one.reason, _(STATES[one.status]), one.asked_by_name, one.decided_by_name),
            ", ".join(_(FLAGS[flag]) for flag in one.flags),
        )


def signed(work: Work, unit: str, amount: int) -> str:
    """A number of units with its sign, in words."""
    return f"{'+' if amount > 0 else '−'}{unit_amount(work, unit, abs(amount))}"


def _line(work: Work, row: CorrectionRow) -> CorrectionLine:
    one = row.correction
    return CorrectionLine(
        row=row,
        who=row.name or row.email,
        member_url=member_url(row.member_id),
        url=f"{LIST}/{ids.show(ids.ADJUSTMENT, one.id)}",
        amount=signed(work, one.unit, one.amount),
        state=_(STATES[one.status]),
        flags=[_(FLAGS[flag]) for flag in one.flags],
        people=" → ".join(name for name in (one.asked_by_name, one.decided_by_name) if name),
        moment=moment_words(one.created_at),
        may_decide=one.status == "waiting" and one.asked_by != work.ctx.principal.id,
    )


async def _limits_page(
    work: Work, wrong: str = "", typed: str = "", errors: Mapping[str, str] | None = None
) -> LimitsPage:
    known = await lists.limits(work.session, work.ctx)
    programs = (await work.services.programs.programs(work.session, work.ctx.tenant)).items
    return LimitsPage(
        programs=[
            (public, one.name, typed if public == wrong else _shown(known.get(one.id)))
            for one in programs
            for public in (ids.show(ids.PROGRAM, one.id),)
        ],
        wrong=wrong,
        errors=errors or {},
    )


def _shown(limit: int | None) -> str:
    return "" if limit is None else str(limit)
