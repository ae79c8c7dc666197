"""One sale: what it gave, what was refunded of it, and refunding it or a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from json import loads
from typing import ClassVar

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import MAX_PAGE_SIZE, PageRequest
from regulars.domain.cards.numbers import format_number
from regulars.domain.ledger.commands import Answer
from regulars.domain.redemptions import lists as redemption_lists
from regulars.domain.redemptions.life import MOVES
from regulars.domain.refunds.lists import list_refunds
from regulars.domain.refunds.parts import Part
from regulars.domain.sales.lists import SaleRow, get_sale
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.again import Rehearsed, TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.news import member_url
from regulars.web.manage.rehearsal import RehearsalPage
from regulars.web.manage.sales import (
    SALES,
    RefundLine,
    bought_words,
    refund_line,
    sale_state,
    sale_url,
)
from regulars.web.refunding import (
    BoughtLine,
    Left,
    RefundForm,
    command_of,
    left_in_words,
    lines_of,
    notes_of,
    part_of,
    part_words,
)
from regulars.web.rehearsal import accounts_of, changes_of
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

NEAR = timedelta(hours=24)
"""Rewards so near to the sale are offered to be given back with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SalePage(PageContext):
    """One sale.

    Attributes:
        url: of this page.
        who: name or address of the member.
        facts: (label, value).
        state: what became of it, empty for nothing.
        lines: of the receipt.
        refunds: of this sale.
        left: what can still be refunded by whoever reads, `None` for nothing.
        rewards: (public id, title) of rewards that may come back with it.
        values: field → what was typed.
        chosen: public ids of the rewards that were ticked.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/sale.html"
    url: str
    row: SaleRow
    who: str
    member_url: str
    facts: Sequence[tuple[str, str]]
    state: str
    lines: Sequence[BoughtLine]
    refunds: Sequence[RefundLine]
    left: Left | None
    rewards: Sequence[tuple[str, str]]
    values: Mapping[str, str]
    chosen: Sequence[str]
    errors: Mapping[str, str]


@blueprint.get("/sales/<sale>")
@manage_page("members.view")
async def sale(work: Work, sale: str) -> Result:
    """The page."""
    return await _page(work, await _sale(work, sale))


@blueprint.post("/sales/<sale>/refund")
@manage_page("sales.refund")
async def refund_sale(work: Work, sale: str) -> Result:
    """Say what a refund comes to; sent from there, book it."""
    row, form, sent = await _sale(work, sale), await work.form(RefundForm), await work.request.form
    try:
        wanted = form.require()
        part = part_of(wanted, sent.to_dict(), row)
        if wanted.step == "check":
            raise Rehearsed(work, await _rehearse(work, row, wanted, part, sent.to_dict()))
        answer = await _book(work, row, wanted, part)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, await _page(work, row, form.values, wanted_of(form.data), faults_of(error))) from error
    said = loads(answer.body)
    if answer.refused:
        work.flash(said["detail"], "warning")
    else:
        taken = [unit_amount(work, unit, amount) for unit, amount in said["taken"].items() if amount]
        work.flash(_("Refunded. Taken back: %(what)s.", what=", ".join(taken)) if taken else _("Refunded."))
    return Redirect(sale_url(row.id))


def wanted_of(form: RefundForm | None) -> Sequence[str]:
    """The rewards that were ticked."""
    return form.reward if form is not None else ()


async def _sale(work: Work, text: str) -> SaleRow:
    return await get_sale(work.session, work.ctx, read_id(ids.SALE, text))


async def _rehearse(work: Work, row: SaleRow, wanted: RefundForm, part: Part, sent: Mapping[str, str]) -> RehearsalPage:
    before = await accounts_of(work, row.card_id)
    answer = await _book(work, row, wanted, part)
    said = loads(answer.body)
    if answer.refused:
        raise InvalidInput(said["detail"])
    after = await accounts_of(work, row.card_id)
    what = part_words(part, row.currency or "")
    fields: dict[str, str | Sequence[str]] = {name: text for name, text in sent.items() if text and name != "step"}
    return RehearsalPage(
        title=_("Refund the whole sale") if said["is_whole"] else _("Refund: %(part)s", part=what),
        crumbs=[(_("Sales"), SALES), (bought_words(row), sale_url(row.id))],
        changes=changes_of(work, before, after),
        notes=notes_of(work, said, before, after),
        action=f"{sale_url(row.id)}/refund",
        fields={**fields, "reward": wanted.reward, "key": new_token()},
        confirm_label=_("Refund"),
        back_url=sale_url(row.id),
    )


async def _book(work: Work, row: SaleRow, wanted: RefundForm, part: Part) -> Answer:
    return await work.services.refunds.refund(work.session, work.ctx, command_of(work, row, wanted, part))


async def _page(
    work: Work,
    row: SaleRow,
    values: Mapping[str, str] | None = None,
    chosen: Sequence[str] = (),
    errors: Mapping[str, str] | None = None,
) -> SalePage:
    found = await list_refunds(work.session, work.ctx, PageRequest(1, MAX_PAGE_SIZE), sale_id=row.id)
    parts = [one.refund.part for one in found.items]
    may_refund = work.ctx.principal.may("sales.refund") and row.undone_at is None
    left = left_in_words(row, parts) if may_refund else None
    return SalePage(
        url=sale_url(row.id),
        row=row,
        who=row.name or row.email,
        member_url=member_url(row.member_id),
        facts=_facts(work, row),
        state=sale_state(row),
        lines=lines_of(row, parts),
        refunds=[refund_line(work, one) for one in found.items],
        left=left,
        rewards=await _rewards(work, row) if left else (),
        values=values or {},
        chosen=chosen,
        errors=errors or {},
    )


def _facts(work: Work, row: SaleRow) -> Sequence[tuple[str, str]]:
    given = ", ".join(unit_amount(work, unit, amount) for unit, amount in row.given.items())
    facts = [
        (_("Card"), format_number(row.number)),
        (_("Bought"), bought_words(row)),
        (_("Gave"), given or _("nothing")),
        (_("When"), moment_words(row.occurred_at)),
        (_("Shop"), row.shop or (_("Online") if row.channel == "online" else "")),
        (_("Staff"), row.staff),
        (_("Reference"), row.external_ref or ""),
    ]
    return [(label, value) for label, value in facts if value]


async def _rewards(work: Work, row: SaleRow) -> Sequence[tuple[str, str]]:
    """Rewards that were had around the sale and can still come back."""
    if not work.ctx.principal.may("rewards.view"):
        return ()
    wanted = redemption_lists.Wanted(card_id=row.card_id)
    found = await redemption_lists.list_redemptions(work.session, work.ctx, wanted, PageRequest())
    return [
        (ids.show(ids.REDEMPTION, one.id), one.title)
        for one in found.items
        if (one.state, "refund") in MOVES and abs(one.created_at - row.occurred_at) < NEAR
    ]
