"""Doing something to a card: the PIN sheet, the act, what came of it.

The answer of the act is the one that the API would send; it is stored under the key of the form, so that a form sent
twice counts once and shows the same result again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from regulars.contracts.paging import PageRequest
from regulars.contracts.slots import CardSlot
from regulars.domain.cards import service as cards
from regulars.domain.cards.view import CardView, CardViews
from regulars.domain.ledger.history import HistoryEntry, history
from regulars.domain.redemptions.lists import get_redemption
from regulars.domain.staff import service as staff
from regulars.domain.staff.permissions import ROLE_TITLES
from regulars.kernel import ids
from regulars.kernel.i18n import format_money, format_time
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.again import TryAgain
from regulars.web.results import Redirect, Result
from regulars.web.terminal.acts import (
    Act,
    Add,
    HandOut,
    Redeem,
    Undo,
    add_of,
    attempt_of,
    claim_of,
    patiently,
    redeem_of,
)
from regulars.web.terminal.blueprint import blueprint, till_page
from regulars.web.terminal.customer import RewardAction, Waiting, reward_actions, undo_label, waiting_for, waiting_of
from regulars.web.terminal.desk import RESULT_SECONDS, Desk, TillPage, at_desk
from regulars.web.terminal.lines import card_url
from regulars.web.terminal.splitting import Split, split_of
from regulars.web.work import Work, read_id

MOST_MOVES = 12
PIN_AGAIN = frozenset({"pin.wrong", "pin.locked"})


class ActForm(BaseModel):
    """What every act's form sends, in its address before the PIN and in its body with it."""

    unit: str = Field(default="", max_length=60)
    reward: str = Field(default="", max_length=200)
    redemption: str = Field(default="", max_length=80)
    key: str = Field(default="", max_length=80)
    staff: str = Field(default="", max_length=80)
    pin: str = Field(default="", max_length=20)


@dataclass(frozen=True, slots=True)
class StaffTile:
    """Somebody who may confirm.

    Attributes:
        id: public id.
        locked: until when the PIN is locked, in words; empty when it is not.
    """

    id: str
    name: str
    role: str
    locked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPage(TillPage):
    """Who does it, and the PIN.

    Attributes:
        action: where the sheet is sent to.
        cancel_url: the customer's view.
        title: what is confirmed.
        customer: name or number.
        fields: what is sent besides person and PIN, with a fresh key.
        staff: who may confirm; nobody when no PIN was given out yet.
        selected: public id of whoever is asked again, empty at first.
        error: what was wrong with the last try, empty at first.
    """

    template: ClassVar[str] = "terminal/sheet.html"
    action: str
    cancel_url: str
    title: str
    customer: str
    fields: Mapping[str, str]
    staff: Sequence[StaffTile]
    selected: str
    error: str


@dataclass(frozen=True, slots=True)
class DoneBenefit:
    """Something that the till still has to do.

    Attributes:
        todo: "Take 2.50 € off the bill".
        title: why, in the merchant's words.
    """

    todo: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DonePage(TillPage):
    """What was done, large.

    Attributes:
        title: "Stamp added!"
        text: what it means for the customer.
        benefits: what to take off the bill or to hand over because of the sale.
        view: the card as it is now.
        slot: data of the slot `terminal.card`, with what was just earned.
        url: the customer's view.
        ready: rewards that can be handed out now.
        undo: what can be taken back, empty for nothing.
        waiting: until the next one is possible, `None` when it is.
        moves: what was written, with the reasons.
    """

    template: ClassVar[str] = "terminal/done.html"
    title: str
    text: str
    benefits: Sequence[DoneBenefit]
    view: CardView
    slot: CardSlot
    url: str
    ready: Sequence[RewardAction]
    undo: str
    waiting: Waiting | None
    moves: Sequence[HistoryEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPage(TillPage):
    """Why it was not done, large, and when it can be.

    Attributes:
        waiting: the sentence, and until when.
        code: stable name of the refusal.
        customer: name or number.
        url: the customer's view.
    """

    template: ClassVar[str] = "terminal/refused.html"
    status: ClassVar[int] = 409
    waiting: Waiting
    code: str
    customer: str
    url: str


Maker = Callable[[Work, CardView, ActForm, Mapping[str, str]], Awaitable[Act]]


async def _add(work: Work, view: CardView, form: ActForm, sent: Mapping[str, str]) -> Act:
    del work
    return add_of(view, form.unit, sent)


async def _redeem(work: Work, view: CardView, form: ActForm, sent: Mapping[str, str]) -> Act:
    del work, sent
    return redeem_of(view, form.unit, form.reward)


async def _hand_out(work: Work, view: CardView, form: ActForm, sent: Mapping[str, str]) -> Act:
    del sent
    row = await get_redemption(work.session, work.ctx, read_id(ids.REDEMPTION, form.redemption))
    if (await cards.get(work.session, row.card_id)).id != view.card.id:  # it may be of one that leads here
        raise NotFound(_("We could not find this redemption."))
    return HandOut(row.id, row.title)


async def _split(work: Work, view: CardView, form: ActForm, sent: Mapping[str, str]) -> Act:
    del work, form
    return split_of(view, sent)


async def _undo(work: Work, view: CardView, form: ActForm, sent: Mapping[str, str]) -> Act:
    del form, sent
    return Undo(undo_label(work, view))


MAKERS: Mapping[str, tuple[Maker, str]] = {
    "add": (_add, "sales.record"),
    "split": (_split, "sales.record"),
    "redeem": (_redeem, "sales.redeem"),
    "hand-out": (_hand_out, "sales.redeem"),
    "undo": (_undo, "sales.undo"),
}


def _routes(name: str, make: Maker, permission: str) -> None:
    """Register the sheet (GET) and the act (POST) under one address."""

    @till_page(permission)
    async def sheet(work: Work, desk: Desk, card: str) -> Result:
        return await _show_sheet(work, desk, card, make, needs_unit=name in {"add", "redeem"})

    @till_page(permission)
    async def act(work: Work, desk: Desk, card: str) -> Result:
        return await _act(work, desk, card, make)

    address = f"/cards/<card>/{name}"
    endpoint = name.replace("-", "_")
    blueprint.add_url_rule(address, f"{endpoint}_sheet", sheet, methods=["GET"])
    blueprint.add_url_rule(address, endpoint, act, methods=["POST"])


for _name, (_make, _permission) in MAKERS.items():
    _routes(_name, _make, _permission)


async def _show_sheet(work: Work, desk: Desk, card: str, make: Maker, *, needs_unit: bool) -> Result:
    view = await _view(work, card)
    query = work.query(ActForm)
    if not view.require_pin or (needs_unit and not query.unit):
        return Redirect(card_url(view.card.id))
    try:
        wanted = await make(work, view, query, work.request.args)
    except InvalidInput as error:
        work.flash(error.detail, "warning")
        return Redirect(card_url(view.card.id))
    return await _sheet(work, desk, view, wanted)


async def _act(work: Work, desk: Desk, card: str, make: Maker) -> Result:
    view = await _view(work, card)
    form = (await work.form(ActForm)).data or ActForm()
    ctx = at_desk(work.ctx, desk)
    try:
        wanted = await make(work, view, form, await work.request.form)
    except InvalidInput as error:
        work.flash(error.detail, "warning")
        return Redirect(card_url(view.card.id))
    attempt = attempt_of(
        claim_of(ctx, view.card.id, wanted, form.key or new_token(), form.staff), view.card.id, form.staff, form.pin
    )
    try:
        answer = await patiently(lambda: wanted.carry_out(work, ctx, attempt))
    except (InvalidInput, IdempotencyMismatch) as error:
        raise TryAgain(work, await _again(work, desk, view, wanted, form, sentence_of(error))) from error
    except Conflict as error:  # the transaction may be broken: nothing more is read in it
        raise TryAgain(
            work, refused_page(desk, view, {"code": error.code, "detail": error.detail or _(error.title)})
        ) from error
    said: Mapping[str, Any] = json.loads(answer.body)
    if answer.refused and said["code"] in PIN_AGAIN:
        return await _again(work, desk, view, wanted, form, said["detail"])
    if answer.refused:
        return refused_page(desk, view, said)
    return await _done(work, desk, wanted, said, card)


async def _view(work: Work, card: str) -> CardView:
    return await CardViews(work.services.ledger).view(work.session, work.ctx, read_id(ids.CARD, card))


async def _again(work: Work, desk: Desk, view: CardView, wanted: Act, form: ActForm, error: str) -> SheetPage:
    return await _sheet(work, desk, view, wanted, selected=form.staff, error=error)


async def _sheet(
    work: Work, desk: Desk, view: CardView, wanted: Act, *, selected: str = "", error: str = ""
) -> SheetPage:
    only = wanted.staff_id(view)
    now = view.now
    tiles = [tile_of(one, now) for one in await staff.on_duty(work.session, work.ctx) if only is None or one.id == only]
    usable = [tile.id for tile in tiles if not tile.locked]
    if len(usable) == 1 and len(tiles) == 1:
        selected = usable[0]
    url = card_url(view.card.id)
    return SheetPage(
        desk=desk,
        action=f"{url}/{wanted.name}",
        cancel_url=url,
        title=wanted.title(view),
        customer=customer_name(view),
        fields={**wanted.fields, "key": new_token()},
        staff=tiles,
        selected=selected if selected in usable else "",
        error=error,
    )


async def _done(work: Work, desk: Desk, wanted: Act, said: Mapping[str, Any], card: str) -> DonePage:
    view = await _view(work, card)
    earned = _earned(view, wanted)
    return DonePage(
        desk=desk,
        idle_seconds=RESULT_SECONDS,
        title=_title(wanted, earned),
        text=_told(view, wanted) or _text(wanted, said),
        benefits=[_benefit(one) for part in (said, *said.get("shares", ())) for one in part.get("benefits", ())],
        view=view,
        slot=CardSlot(view.program, view.card.info, view.shared, view.offers, earned),
        url=card_url(view.card.id),
        ready=[reward for reward in reward_actions(work, view) if reward.ready],
        undo="" if isinstance(wanted, Undo) else undo_label(work, view),
        waiting=waiting_of(view),
        moves=await moves_of(work, view),
    )


async def moves_of(work: Work, view: CardView) -> Sequence[HistoryEntry]:
    """The movements of the act that was just done: all of one moment."""
    latest = await history(work.session, work.ctx, work.services.plugins, view.card.id, PageRequest(1, MOST_MOVES))
    return [entry for entry in latest.items if entry.at == latest.items[0].at]


def _earned(view: CardView, wanted: Act) -> int:
    """Units that the act gave: those of the sale, with its bonuses."""
    if not isinstance(wanted, Add):
        return 0
    given = sum(view.undoable.amounts.get(unit, 0) for unit in wanted.counted) if view.undoable else 0
    return given or (0 if wanted.purchase.amount_minor is not None else wanted.purchase.quantity)


def _title(wanted: Act, earned: int) -> str:
    if isinstance(wanted, Add):
        return wanted.unit.words.earned(earned) if wanted.unit.words else _("Recorded")
    if isinstance(wanted, Split):
        return _("Bill recorded")
    return _("Reward redeemed") if isinstance(wanted, (Redeem, HandOut)) else _("Taken back")


def _told(view: CardView, wanted: Act) -> str:
    """How far the cards are that staff have counted for, where that says more than the answer, which speaks of one."""
    if not isinstance(wanted, Add) or wanted.counted == {wanted.unit.unit}:
        return ""
    return " ".join(one.progress.message for one in view.units if one.unit in wanted.counted)


def _text(wanted: Act, said: Mapping[str, Any]) -> str:
    if isinstance(wanted, (Redeem, HandOut)):
        hand_over = _("Please hand it over: %(reward)s", reward=wanted.text)
        return _("%(sentence)s. Code: %(code)s", sentence=hand_over, code=said["code"]) if said["code"] else hand_over
    if isinstance(wanted, Split):
        amounts = [format_money(one["amount_minor"], said["currency"]) for one in said["shares"]]
        return _("Shares: %(amounts)s. Each card has collected for its own.", amounts=" + ".join(amounts))
    return str(said.get("message", ""))


def _benefit(one: Mapping[str, Any]) -> DoneBenefit:
    if one["kind"] == "item":
        return DoneBenefit(_("Hand over for free: %(item)s", item=one["item"]), one["title"])
    money = format_money(one["amount_minor"], one["currency"])
    return DoneBenefit(_("Take %(amount)s off the bill", amount=money), one["title"])


def refused_page(desk: Desk, view: CardView, said: Mapping[str, Any]) -> RefusedPage:
    """Why it was not done; `said` is the problem."""
    retry_at = datetime.fromisoformat(said["retry_at"]) if "retry_at" in said else None
    return RefusedPage(
        desk=desk,
        idle_seconds=RESULT_SECONDS,
        waiting=waiting_for(said["detail"], retry_at, view.now),
        code=said["code"],
        customer=customer_name(view),
        url=card_url(view.card.id),
    )


def customer_name(view: CardView) -> str:
    """How the till speaks of the customer."""
    return view.card.name or view.card.email


def sentence_of(error: InvalidInput | IdempotencyMismatch) -> str:
    """Why the sheet is shown again."""
    if isinstance(error, IdempotencyMismatch):
        return _("This sheet was used before. Please look at the card, and enter the PIN again.")
    return error.detail or _(error.title)


def tile_of(one: staff.OnDuty, now: datetime) -> StaffTile:
    """Somebody who may confirm, as the sheet shows it."""
    until = one.pin_locked_until
    locked = _("Locked until %(time)s", time=format_time(until)) if until is not None and until > now else ""
    role = next((_(title) for name, title in ROLE_TITLES.items() if name == one.role), one.role)
    return StaffTile(ids.show(ids.STAFF, one.id), one.name, role, locked)
