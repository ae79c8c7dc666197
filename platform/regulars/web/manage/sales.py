"""Sales and refunds for the merchant: both lists, and their exports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from quart import Response

from regulars.contracts.pages import PageContext
from regulars.domain.audit import service as audit
from regulars.domain.refunds import lists as refund_lists
from regulars.domain.refunds.lists import RefundRow
from regulars.domain.sales import lists
from regulars.domain.sales.lists import SaleRow
from regulars.kernel import ids
from regulars.kernel.i18n import format_datetime, format_money, ngettext
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.refunding import part_words
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount
from regulars.web.when import moment_words
from regulars.web.work import Work

SALES, REFUNDS, RECEIPTS = "/manage/sales", "/manage/refunds", "/manage/receipts"


class SalesQuery(ListQuery):
    """Search and filter of the sales."""

    show: lists.Show = "all"

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "show": "" if self.show == "all" else self.show, **changes}


class RefundsQuery(ListQuery):
    """Search and filter of the refunds."""

    show: refund_lists.Status = ""

    def kept(self, **changes: str) -> Mapping[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "show": self.show, **changes}


@dataclass(frozen=True, slots=True)
class SaleLine:
    """A sale in the list.

    Attributes:
        who: name, or address where there is none.
        url: of its own page.
        bought: amount, or how many, in words.
        given: what it gave, in words.
        moment: when, in words.
        state: what became of it, empty for nothing.
    """

    row: SaleRow
    who: str
    url: str
    bought: str
    given: str
    moment: str
    state: str


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A refund in a list.

    Attributes:
        who: name or address, empty while it waits for its sale.
        member_url, sale_url: empty while it waits.
        part: what of the sale, in words.
        outcome: what it came to, in words.
        moment: when, in words.
    """

    row: RefundRow
    who: str
    member_url: str
    sale_url: str
    part: str
    outcome: str
    moment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPage(PageContext):
    """The list of sales.

    Attributes:
        tabs: sales, refunds, receipts.
        filters: by what became of them.
        kept: filter, for the search box.
        may_export: whether the reader may take the list away.
        is_empty: there has never been one.
    """

    template: ClassVar[str] = "manage/sales.html"
    lines: Sequence[SaleLine]
    pager: Pager
    query: SalesQuery
    tabs: Sequence[Link]
    filters: Sequence[Link]
    kept: Mapping[str, str]
    may_export: bool
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundsPage(PageContext):
    """The list of refunds; attributes as of the sales."""

    template: ClassVar[str] = "manage/refunds.html"
    lines: Sequence[RefundLine]
    pager: Pager
    query: RefundsQuery
    tabs: Sequence[Link]
    filters: Sequence[Link]
    kept: Mapping[str, str]
    may_export: bool
    is_empty: bool


@blueprint.get("/sales")
@manage_page("members.view")
async def sales(work: Work) -> Result:
    """A page of the sales."""
    query = work.query(SalesQuery)
    found = await lists.list_sales(work.session, work.ctx, query.request(), query=query.q, show=query.show)
    if beyond := beyond_url(found, SALES, query.kept()):
        return Redirect(beyond)
    titles: Sequence[tuple[lists.Show, str]] = (
        ("all", _("All")),
        ("refunded", _("With a refund")),
        ("undone", _("Taken back")),
    )
    return SalesPage(
        lines=[_sale_line(work, row) for row in found.items],
        pager=make_pager(found, SALES, query.kept()),
        query=query,
        tabs=sales_tabs(work, SALES),
        filters=[
            Link(
                label=title,
                url=url_of(SALES, query.kept(show="" if name == "all" else name)),
                active=query.show == name,
            )
            for name, title in titles
        ],
        kept={name: value for name, value in query.kept(q="").items() if value},
        may_export=work.ctx.principal.may("members.export"),
        is_empty=found.total == 0 and not query.q and query.show == "all",
    )


@blueprint.get("/refunds")
@manage_page("members.view")
async def refunds(work: Work) -> Result:
    """A page of the refunds."""
    query = work.query(RefundsQuery)
    found = await refund_lists.list_refunds(work.session, work.ctx, query.request(), query=query.q, status=query.show)
    if beyond := beyond_url(found, REFUNDS, query.kept()):
        return Redirect(beyond)
    titles: Sequence[tuple[refund_lists.Status, str]] = (
        ("", _("All")),
        ("waiting", _("Waiting for their sale")),
        ("done", _("Booked")),
    )
    return RefundsPage(
        lines=[refund_line(work, row) for row in found.items],
        pager=make_pager(found, REFUNDS, query.kept()),
        query=query,
        tabs=sales_tabs(work, REFUNDS),
        filters=[
            Link(label=title, url=url_of(REFUNDS, query.kept(show=name)), active=query.show == name)
            for name, title in titles
        ],
        kept={name: value for name, value in query.kept(q="").items() if value},
        may_export=work.ctx.principal.may("members.export"),
        is_empty=found.total == 0 and not query.q and not query.show,
    )


@blueprint.post("/sales/export")
@manage_page("members.export")
async def export_sales(work: Work) -> Response:
    """The sales as a file, with search and filter; the audit log keeps who took it."""
    query = (await work.form(SalesQuery)).data or SalesQuery()
    details = {"sought": query.q, "only": query.show}
    await audit.record(work.session, work.ctx, "sale.exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_sale_rows(work, query), f"{work.ctx.tenant.slug}-sales.csv")


@blueprint.post("/refunds/export")
@manage_page("members.export")
async def export_refunds(work: Work) -> Response:
    """The refunds as a file, with search and filter; the audit log keeps who took it."""
    query = (await work.form(RefundsQuery)).data or RefundsQuery()
    details = {"sought": query.q, "only": query.show}
    await audit.record(work.session, work.ctx, "sale.refunds_exported", "tenant", work.ctx.tenant.id, details)
    return csv_response(_refund_rows(work, query), f"{work.ctx.tenant.slug}-refunds.csv")


async def _sale_rows(work: Work, query: SalesQuery) -> AsyncIterator[Sequence[str]]:
    yield (
        *(_("When"), _("Customer"), _("E-mail"), _("Card #"), _("Bought"), _("Gave")),
        *(_("Shop"), _("Staff"), _("Reference"), _("State")),
    )
    async for row in lists.all_sales(work.services.database, work.ctx, query=query.q, show=query.show):
        line = _sale_line(work, row)
        yield (
            *(format_datetime(row.occurred_at), row.name, row.email, row.number, line.bought, line.given),
            *(row.shop, row.staff, row.external_ref or "", line.state),
        )


async def _refund_rows(work: Work, query: RefundsQuery) -> AsyncIterator[Sequence[str]]:
    yield (_("When"), _("Customer"), _("E-mail"), _("Refunded"), _("Outcome"), _("Reason"), _("Sale"), _("Reference"))
    async for row in refund_lists.all_refunds(work.services.database, work.ctx, query=query.q, status=query.show):
        line, refund = refund_line(work, row), row.refund
        yield (
            *(format_datetime(refund.created_at), row.name, row.email, line.part, line.outcome, refund.reason),
            *(refund.sale_ref or "", refund.external_ref or ""),
        )


def sales_tabs(work: Work, path: str) -> Sequence[Link]:
    """Sales, refunds and, for whoever may claim them, receipts.

    Args:
        work: who looks.
        path: the one that is shown.
    """
    titles = [(_("Sales"), SALES, "receipt"), (_("Refunds"), REFUNDS, "undo-2")]
    if work.ctx.principal.may("members.adjust"):
        titles.append((_("Receipts"), RECEIPTS, "scroll-text"))
    return [Link(label=title, url=url, icon=icon, active=path == url) for title, url, icon in titles]


def sale_url(sale_id: UUID) -> str:
    """Address of a sale's page."""
    return f"{SALES}/{ids.show(ids.SALE, sale_id)}"


def bought_words(row: SaleRow) -> str:
    """The amount, or how many pieces or visits where no amount was told."""
    if row.amount_minor is not None and row.currency:
        return format_money(row.amount_minor, row.currency)
    return ngettext("%(num)s piece", "%(num)s pieces", row.quantity)


def sale_state(row: SaleRow) -> str:
    """What became of a sale, empty for nothing."""
    if row.undone_at is not None:
        return _("Taken back")
    if row.refunded_wholly is None:
        return ""
    return _("Refunded") if row.refunded_wholly else _("Refunded in part")


def refund_line(work: Work, row: RefundRow) -> RefundLine:
    """A refund, in words."""
    refund = row.refund
    return RefundLine(
        row=row,
        who=row.name or row.email,
        member_url=member_url(row.member_id) if row.member_id else "",
        sale_url=sale_url(refund.sale_id) if refund.sale_id else "",
        part=part_words(refund.part, row.currency or work.ctx.tenant.currency),
        outcome=_outcome(work, row),
        moment=moment_words(refund.created_at),
    )


def _outcome(work: Work, row: RefundRow) -> str:
    refund = row.refund
    if refund.status == "waiting":
        return _("Waits for its sale")
    said = [f"−{unit_amount(work, unit, amount)}" for unit, amount in refund.taken.items() if amount]
    said += [f"+{unit_amount(work, unit, amount)}" for unit, amount in refund.given_back.items() if amount]
    return ", ".join(said) or _("Nothing to take back")


def _sale_line(work: Work, row: SaleRow) -> SaleLine:
    return SaleLine(
        row=row,
        who=row.name or row.email,
        url=sale_url(row.id),
        bought=bought_words(row),
        given=", ".join(unit_amount(work, unit, amount) for unit, amount in row.given.items()),
        moment=moment_words(row.occurred_at),
        state=sale_state(row),
    )
