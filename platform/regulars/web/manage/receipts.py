"""Receipts: purchases without a card, who has claimed which, and for how many days they count."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import ClassVar

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.errors import InvalidInput
from regulars.contracts.pages import PageContext
from regulars.domain.audit import service as audit
from regulars.domain.ledger.commands import Attempt, CardRef, Claim, principal_of
from regulars.domain.receipts import lists
from regulars.domain.receipts.lists import ReceiptRow
from regulars.domain.receipts.service import MOST_DAYS, ClaimCommand
from regulars.kernel import ids
from regulars.kernel.i18n import N_, format_date, format_datetime, format_money
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.kernel.templating.chrome import Link
from regulars.web.again import FORM, TryAgain, faults_of
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.balances import meant_card
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.manage.sales import RECEIPTS as LIST
from regulars.web.manage.sales import sale_url, sales_tabs
from regulars.web.money import typed_amount
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amounts
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

STATES: Mapping[str, str] = {"open": N_("Open"), "claimed": N_("Claimed"), "over": N_("Over")}
FILTERS: Mapping[lists.Show, str] = {"": N_("All"), "open": STATES["open"], "claimed": STATES["claimed"]}


class ReceiptsQuery(ListQuery):
    """Search and filter of the list."""

    show: lists.Show = ""

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "show": self.show, **changes}


class ClaimForm(BaseModel):
    """Whose a receipt is.

    Attributes:
        card: number, name or e-mail.
        key: idempotency key.
    """

    card: str = Field(default="", max_length=200)
    number: str = Field(default="", max_length=200)
    amount: str = Field(default="", max_length=40)
    key: str = Field(default="", max_length=80)


class DaysForm(BaseModel):
    """For how many days earlier purchases count."""

    program: str = Field(default="", max_length=60)
    days: int = Field(default=0, ge=0, le=MOST_DAYS)


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A receipt in the list.

    Attributes:
        amount: in words.
        state: in words.
        who: who has claimed it, empty while nobody has.
        url: of the sale that it became, empty likewise.
        moment, until: when it was bought and until when it can be claimed, in words.
    """

    row: ReceiptRow
    amount: str
    state: str
    who: str
    member_url: str
    url: str
    moment: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsPage(PageContext):
    """The list.

    Attributes:
        tabs: sales, refunds and receipts.
        filters: by state.
        kept: filter, for the search box.
        days_url: where it is set for how long they count, empty for whoever may not.
        is_on: whether a program counts earlier purchases.
        is_empty: there is none.
    """

    template: ClassVar[str] = "manage/receipts.html"
    lines: Sequence[ReceiptLine]
    pager: Pager
    query: ReceiptsQuery
    tabs: Sequence[Link]
    filters: Sequence[Link]
    kept: Mapping[str, str]
    days_url: str
    may_export: bool
    is_on: bool
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReceiptPage(PageContext):
    """Claims a receipt for somebody.

    Attributes:
        values: what was typed.
        errors: field → sentence.
        key: fresh idempotency key.
    """

    template: ClassVar[str] = "manage/receipt_claim.html"
    values: Mapping[str, str]
    key: str
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptDaysPage(PageContext):
    """For how many days earlier purchases count, by program.

    Attributes:
        programs: (public id, name, days as they are shown).
        most: days at most.
        wrong: public id of the program whose days cannot be, empty for none.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/receipt_days.html"
    programs: Sequence[tuple[str, str, str]]
    most: int = MOST_DAYS
    wrong: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/receipts")
@manage_page("members.adjust")
async def receipts(work: Work) -> Result:
    """A page of the list."""
    query = work.query(ReceiptsQuery)
    found = await lists.list_receipts(work.session, work.ctx, query.request(), query=query.q, show=query.show)
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    who = work.ctx.principal
    return ReceiptsPage(
        lines=[_line(row) for row in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        tabs=sales_tabs(work, LIST),
        filters=[
            Link(label=_(title), url=url_of(LIST, query.kept(show=name)), active=query.show == name)
            for name, title in FILTERS.items()
        ],
        kept={name: value for name, value in query.kept(q="").items() if value},
        days_url=f"{LIST}/days" if who.may("programs.manage") else "",
        may_export=who.may("members.export"),
        is_on=any(one.claim_days for one in programs.items),
        is_empty=found.total == 0 and not query.q and not query.show,
    )


@blueprint.post("/receipts/export")
@manage_page("members.export")
async def export_receipts(work: Work) -> Response:
    """The list as a file, with its search and filter; the audit log keeps who took it."""
    query = (await work.form(ReceiptsQuery)).data or ReceiptsQuery()
    details = {"sought": query.q, "only": query.show}
    await audit.record(work.session, work.ctx, "receipt.exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_rows(work, query), f"{work.ctx.tenant.slug}-receipts.csv")


@blueprint.get("/receipts/claim")
@manage_page("members.adjust")
async def claim_receipt_form(work: Work) -> Result:
    """Ask for number, amount and card."""
    query = work.query(ClaimForm)
    return ClaimReceiptPage(values={"card": query.card, "number": query.number}, key=new_token())


@blueprint.post("/receipts/claim")
@manage_page("members.adjust")
async def claim_receipt(work: Work) -> Result:
    """Claim a receipt for somebody."""
    form = await work.form(ClaimForm)
    try:
        wanted = form.require()
        target = await meant_card(work, wanted.card, "card")
        amount = typed_amount(wanted.amount, work.ctx.tenant.currency)
    except InvalidInput as error:
        page = ClaimReceiptPage(values=form.values, key=new_token(), errors=faults_of(error))
        raise TryAgain(work, page) from error
    number = wanted.number.strip()
    body = f"receipt {target.id.hex} {number} {amount}".encode("utf-8", "surrogatepass")
    claim = Claim(principal_of(work.ctx), wanted.key or new_token(), body)
    command = ClaimCommand(Attempt(claim, CardRef("id", target.id)), number, amount)
    answer = await work.services.receipts.claim(work.session, work.ctx, command)
    said = loads(answer.body)
    if answer.refused:
        return ClaimReceiptPage(values=form.values, key=new_token(), errors={FORM: said["detail"]})
    work.flash(given_words(work, said))
    return Redirect(member_url(target.member_id))


@blueprint.get("/receipts/days")
@manage_page("programs.manage")
async def receipt_days(work: Work) -> Result:
    """For how many days."""
    return await _days_page(work)


@blueprint.post("/receipts/days")
@manage_page("programs.manage")
async def set_receipt_days(work: Work) -> Result:
    """Say for how many days a program counts earlier purchases."""
    form = await work.form(DaysForm)
    try:
        wanted = form.require()
        program_id = read_id(ids.PROGRAM, wanted.program)
        await work.services.receipts.set_days(work.session, work.ctx, program_id, wanted.days)
    except InvalidInput as error:
        page = await _days_page(work, form.values.get("program", ""), form.values.get("days", ""), faults_of(error))
        raise TryAgain(work, page) from error
    work.flash(_("Saved."))
    return Redirect(f"{LIST}/days")


def given_words(work: Work, said: Mapping[str, object]) -> str:
    """What a claim gave, in words."""
    earned = said["earned"]
    assert isinstance(earned, dict)
    given = ", ".join(unit_amounts(work, earned))
    return _("Added: %(units)s.", units=given) if given else _("The purchase is counted. It gives nothing at once.")


async def _rows(work: Work, query: ReceiptsQuery) -> AsyncIterator[Sequence[str]]:
    yield (
        *(_("When"), _("Receipt"), _("Amount"), _("Shop"), _("State"), _("Until")),
        *(_("Customer"), _("E-mail"), _("Card #"), _("Claimed at")),
    )
    async for row in lists.all_receipts(work.services.database, work.ctx, query=query.q, show=query.show):
        claimed = format_datetime(row.claimed_at) if row.claimed_at else ""
        yield (
            *(format_datetime(row.occurred_at), row.external_ref, format_money(row.amount_minor, row.currency)),
            *(row.shop, _(STATES[row.state]), format_datetime(row.kept_until)),
            *(row.name, row.email, row.number, claimed),
        )


def _line(row: ReceiptRow) -> ReceiptLine:
    return ReceiptLine(
        row=row,
        amount=format_money(row.amount_minor, row.currency),
        state=_(STATES[row.state]),
        who=row.name or row.email,
        member_url=member_url(row.member_id) if row.member_id else "",
        url=sale_url(row.sale_id) if row.sale_id else "",
        moment=moment_words(row.occurred_at),
        until=format_date(row.kept_until),
    )


async def _days_page(
    work: Work, wrong: str = "", typed: str = "", errors: Mapping[str, str] | None = None
) -> ReceiptDaysPage:
    programs = (await work.services.programs.programs(work.session, work.ctx.tenant)).items
    return ReceiptDaysPage(
        programs=[
            (public, one.name, typed if public == wrong else str(one.claim_days or ""))
            for one in programs
            for public in (ids.show(ids.PROGRAM, one.id),)
        ],
        wrong=wrong,
        errors=errors or {},
    )
