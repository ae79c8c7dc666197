"""Refunding a sale at the till: which one, what of it, what that comes to, and the PIN of somebody who may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from json import loads
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from regulars.contracts.paging import MAX_PAGE_SIZE, PageRequest
from regulars.contracts.slots import CardSlot
from regulars.domain.cards import service as cards
from regulars.domain.cards.view import CardView, CardViews
from regulars.domain.ledger.commands import Answer
from regulars.domain.refunds.lists import list_refunds
from regulars.domain.refunds.parts import Part
from regulars.domain.sales.lists import SaleRow, get_sale
from regulars.domain.staff import service as staff
from regulars.domain.staff.permissions import permissions_of
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.kernel.templating.chrome import Link
from regulars.web.again import Rehearsed, TryAgain, faults_of
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
from regulars.web.terminal.acting import (
    PIN_AGAIN,
    DonePage,
    StaffTile,
    customer_name,
    moves_of,
    refused_page,
    sentence_of,
    tile_of,
)
from regulars.web.terminal.blueprint import blueprint, till_page
from regulars.web.terminal.customer import waiting_of
from regulars.web.terminal.desk import RESULT_SECONDS, Desk, TillPage, at_desk
from regulars.web.terminal.lines import card_url
from regulars.web.units import unit_amount
from regulars.web.when import moment_words
from regulars.web.work import Work, read_id

PERMISSION = "sales.refund"
LOOKED_AT = 40
"""Movements in which the card's last sales are looked for."""
CHOICES = 5


class SaleQuery(BaseModel):
    """Which sale is meant; empty for the card's latest."""

    sale: str = Field(default="", max_length=60)


class TillRefundForm(RefundForm):
    """What is typed at the till, and who confirms."""

    sale: str = Field(default="", max_length=60)
    staff: str = Field(default="", max_length=80)
    pin: str = Field(default="", max_length=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPage(TillPage):
    """What of a sale is to be refunded.

    Attributes:
        url: where the form goes.
        back_url: the customer's view.
        customer: name or address.
        row: the sale.
        sale: its public id.
        moment: when it was.
        others: the card's last sales, to choose from; nothing where there is one.
        lines: of the receipt.
        left: what can still be refunded, `None` for nothing.
        values: field → what was typed.
        errors: field → sentence.
    """

    template: ClassVar[str] = "terminal/refund.html"
    url: str
    back_url: str
    customer: str
    row: SaleRow
    sale: str
    moment: str
    others: Sequence[Link]
    lines: Sequence[BoughtLine]
    left: Left | None
    values: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundCheckPage(TillPage):
    """What the refund comes to, and who confirms it.

    Attributes:
        title: what is refunded.
        lines: what it comes to, a sentence each.
        action: where it is sent to.
        back_url: of the form.
        fields: what was typed, with a fresh key.
        needs_pin: whether a PIN is asked for.
        staff: who may refund and has a PIN.
        selected: public id of whoever is asked again, empty at first.
        error: what was wrong with the last try, empty at first.
    """

    template: ClassVar[str] = "terminal/refund_check.html"
    title: str
    lines: Sequence[str]
    action: str
    back_url: str
    fields: Mapping[str, str]
    needs_pin: bool
    staff: Sequence[StaffTile]
    selected: str
    error: str


@blueprint.get("/cards/<card>/refund")
@till_page(PERMISSION)
async def refund_form(work: Work, desk: Desk, card: str) -> Result:
    """Ask what is to be refunded."""
    view = await _view(work, card)
    row = await _sale(work, view, work.query(SaleQuery).sale)
    return Redirect(card_url(view.card.id)) if row is None else await _form(work, desk, view, row)


@blueprint.post("/cards/<card>/refund")
@till_page(PERMISSION)
async def refund(work: Work, desk: Desk, card: str) -> Result:
    """Say what it comes to; sent from there, book it."""
    view, form = await _view(work, card), await work.form(TillRefundForm)
    sent = (await work.request.form).to_dict()
    row = await _sale(work, view, sent.get("sale", ""))
    if row is None:
        raise NotFound(_("There is no such sale here."))
    try:
        wanted = form.require()
        part = part_of(wanted, sent, row)
        if wanted.step == "check":
            raise Rehearsed(work, await _check(work, desk, view, row, wanted, part, sent))
    except InvalidInput as error:
        raise TryAgain(work, await _form(work, desk, view, row, sent, faults_of(error))) from error
    return await _confirmed(work, desk, view, row, wanted, part, sent)


async def _confirmed(
    work: Work, desk: Desk, view: CardView, row: SaleRow, wanted: TillRefundForm, part: Part, sent: Mapping[str, str]
) -> Result:
    allowed = {tile.id for tile in await _tiles(work, view)}
    try:
        if view.require_pin and wanted.staff not in allowed:
            raise InvalidInput(_("Choose somebody who may refund, and enter the PIN."))
        answer = await _book(work, desk, row, wanted, part)
    except (InvalidInput, IdempotencyMismatch) as error:
        again = await _check(work, desk, view, row, wanted, part, sent, sentence_of(error))
        raise TryAgain(work, again) from error
    except Conflict as error:  # the transaction may be broken: nothing more is read in it
        said = {"code": error.code, "detail": error.detail or _(error.title)}
        raise TryAgain(work, refused_page(desk, view, said)) from error
    said = loads(answer.body)
    if answer.refused and said["code"] in PIN_AGAIN:
        return await _sheet(work, desk, view, row, wanted, part, sent, (), said["detail"])
    return refused_page(desk, view, said) if answer.refused else await _done(work, desk, view, said)


async def _book(work: Work, desk: Desk, row: SaleRow, wanted: TillRefundForm, part: Part) -> Answer:
    staff_id = ids.read(ids.STAFF, wanted.staff)
    command = command_of(work, row, wanted, part, staff_id=staff_id, pin=wanted.pin or None)
    ctx = at_desk(work.ctx, desk)
    return await work.services.refunds.refund(work.session, ctx, replace(command, asks_pin=True))


async def _check(
    work: Work,
    desk: Desk,
    view: CardView,
    row: SaleRow,
    wanted: TillRefundForm,
    part: Part,
    sent: Mapping[str, str],
    error: str = "",
) -> RefundCheckPage:
    """Do it to see what it comes to; whoever calls rolls it back.

    Raises:
        InvalidInput: it cannot be refunded.
    """
    before = await accounts_of(work, view.card.id)
    command = command_of(work, row, wanted.model_copy(update={"key": new_token()}), part)
    answer = await work.services.refunds.refund(work.session, at_desk(work.ctx, desk), command)
    said = loads(answer.body)
    if answer.refused:
        raise InvalidInput(said["detail"])
    after = await accounts_of(work, view.card.id)
    changes = [
        f"{'+' if one.is_more else '−'}{one.amount} ({one.unit}: {one.before} → {one.after})."
        for one in changes_of(work, before, after)
    ]
    lines = [*(changes or [_("No balance changes now.")]), *notes_of(work, said, before, after)]
    return await _sheet(work, desk, view, row, wanted, part, sent, lines, error)


async def _sheet(
    work: Work,
    desk: Desk,
    view: CardView,
    row: SaleRow,
    wanted: TillRefundForm,
    part: Part,
    sent: Mapping[str, str],
    lines: Sequence[str],
    error: str,
) -> RefundCheckPage:
    tiles = await _tiles(work, view)
    usable = [tile.id for tile in tiles if not tile.locked]
    selected = usable[0] if len(usable) == len(tiles) == 1 else wanted.staff
    kept = {name: text for name, text in sent.items() if text and name not in {"step", "staff", "pin", "key"}}
    url = card_url(view.card.id)
    return RefundCheckPage(
        desk=desk,
        title=_("Refund: %(part)s", part=part_words(part, row.currency or "")),
        lines=lines,
        action=f"{url}/refund",
        back_url=f"{url}/refund?sale={ids.show(ids.SALE, row.id)}",
        fields={**kept, "sale": ids.show(ids.SALE, row.id), "step": "confirmed", "key": new_token()},
        needs_pin=view.require_pin,
        staff=tiles,
        selected=selected if selected in usable else "",
        error=error,
    )


async def _tiles(work: Work, view: CardView) -> Sequence[StaffTile]:
    """Those with a PIN who may refund."""
    known = work.services.plugins.permissions
    return [
        tile_of(one, view.now)
        for one in await staff.on_duty(work.session, work.ctx)
        if PERMISSION in permissions_of(one.role, known)
    ]


async def _done(work: Work, desk: Desk, view: CardView, said: Mapping[str, Any]) -> DonePage:
    view = await CardViews(work.services.ledger).view(work.session, work.ctx, view.card.id)
    taken = [unit_amount(work, unit, amount) for unit, amount in said["taken"].items() if amount]
    back = _("Taken back: %(what)s.", what=", ".join(taken)) if taken else _("Nothing was to be taken back.")
    return DonePage(
        desk=desk,
        idle_seconds=RESULT_SECONDS,
        title=_("Refunded"),
        text=" ".join([back, _("Please give the money back.")]),
        benefits=(),
        view=view,
        slot=CardSlot(view.program, view.card.info, view.accounts, view.offers),
        url=card_url(view.card.id),
        ready=(),
        undo="",
        waiting=waiting_of(view),
        moves=await moves_of(work, view) if taken else (),
    )


async def _form(
    work: Work,
    desk: Desk,
    view: CardView,
    row: SaleRow,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> RefundPage:
    found = await list_refunds(work.session, work.ctx, PageRequest(1, MAX_PAGE_SIZE), sale_id=row.id)
    parts = [one.refund.part for one in found.items]
    url = card_url(view.card.id)
    return RefundPage(
        desk=desk,
        url=f"{url}/refund",
        back_url=url,
        customer=customer_name(view),
        row=row,
        sale=ids.show(ids.SALE, row.id),
        moment=moment_words(row.occurred_at),
        others=await _others(work, view, row),
        lines=lines_of(row, parts),
        left=left_in_words(row, parts) if row.undone_at is None else None,
        values=values or {},
        errors=errors or {},
    )


async def _sale(work: Work, view: CardView, name: str) -> SaleRow | None:
    """The sale that is meant, one of this card or of one that leads to it; `None` when the card has none.

    Raises:
        NotFound: it is another card's.
    """
    if not name:
        latest = await _sales(work, view)
        return await get_sale(work.session, work.ctx, read_id(ids.SALE, latest[0][0])) if latest else None
    row = await get_sale(work.session, work.ctx, read_id(ids.SALE, name))
    if (await cards.get(work.session, row.card_id)).id != view.card.id:
        raise NotFound(_("There is no such sale here."))
    return row


async def _others(work: Work, view: CardView, row: SaleRow) -> Sequence[Link]:
    known = await _sales(work, view)
    shown = ids.show(ids.SALE, row.id)
    url = f"{card_url(view.card.id)}/refund?sale="
    return [Link(label=moment, url=url + sale, active=sale == shown) for sale, moment in known] if known[1:] else ()


async def _sales(work: Work, view: CardView) -> Sequence[tuple[str, str]]:
    """(public id, when) of the last sales that gave something, the latest first."""
    views = CardViews(work.services.ledger)
    found = await views.history(work.session, work.ctx, view.card.id, PageRequest(1, LOOKED_AT))
    sales = {ids.show(ids.SALE, one.sale_id): moment_words(one.at) for one in found.items if one.sale_id}
    return list(sales.items())[:CHOICES]


async def _view(work: Work, card: str) -> CardView:
    return await CardViews(work.services.ledger).view(work.session, work.ctx, read_id(ids.CARD, card))
