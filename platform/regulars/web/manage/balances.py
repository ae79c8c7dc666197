"""Putting a card's balance right by hand: giving, taking, and moving units to another card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.adjustments.service import AdjustCommand
from regulars.domain.cards import service as cards
from regulars.domain.cards.numbers import format_number
from regulars.domain.cards.view import CardView, CardViews
from regulars.domain.ledger.commands import Answer, CardRef, Claim, principal_of
from regulars.domain.transfers.service import TransferCommand
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.again import FORM, Rehearsed, TryAgain, faults_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.corrections import LIST as CORRECTIONS
from regulars.web.manage.corrections import signed
from regulars.web.manage.members import LIST as MEMBERS
from regulars.web.manage.members import member_url
from regulars.web.manage.rehearsal import RehearsalPage
from regulars.web.rehearsal import accounts_of, balance_of, changes_of
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amount
from regulars.web.work import Work, read_id


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceFormPage(PageContext):
    """Gives, takes or moves units.

    Attributes:
        moves: whether units go to another card.
        url: of the form.
        who: name or address of the member.
        number: of the card.
        units: (unit, what is on the card of it, in words).
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "manage/balance_form.html"
    moves: bool
    url: str
    member_url: str
    who: str
    number: str
    units: Sequence[tuple[str, str]]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class BalanceForm(BaseModel):
    """What is typed."""

    direction: Literal["give", "take"] = "give"
    unit: str = Field(default="", max_length=60)
    amount: int | None = Field(default=None, ge=1)
    to: str = Field(default="", max_length=300)
    reason: str = Field(default="", max_length=2000)
    key: str = Field(default="", max_length=80)
    step: Literal["check", "confirmed"] = "check"


@blueprint.get("/members/<member>/cards/<card>/correct")
@manage_page("members.adjust")
async def correct_form(work: Work, member: str, card: str) -> Result:
    """An empty form."""
    return _form_page(work, await _view(work, member, card), moves=False)


@blueprint.post("/members/<member>/cards/<card>/correct")
@manage_page("members.adjust")
async def correct_balance(work: Work, member: str, card: str) -> Result:
    """Say what a correction comes to; sent from there, book it or ask another person."""
    view, form = await _view(work, member, card), await work.form(BalanceForm)
    try:
        wanted = form.require()
        if wanted.step == "check":
            raise Rehearsed(work, await _rehearse_correction(work, view, wanted))
        answer = await _correct(work, view, wanted)
    except InvalidInput as error:
        raise TryAgain(work, _form_page(work, view, form.values, faults_of(error), moves=False)) from error
    said = loads(answer.body)
    if answer.refused:
        work.flash(said["detail"], "warning")
    elif said["status"] == "waiting":
        work.flash(_("Asked for. Another person has to agree."), "info")
        return Redirect(CORRECTIONS)
    else:
        work.flash(_("Booked: %(amount)s.", amount=signed(work, said["unit"], said["amount"])))
    return Redirect(member_url(view.card.member_id))


@blueprint.get("/members/<member>/cards/<card>/transfer")
@manage_page("members.adjust")
async def transfer_form(work: Work, member: str, card: str) -> Result:
    """An empty form."""
    return _form_page(work, await _view(work, member, card), moves=True)


@blueprint.post("/members/<member>/cards/<card>/transfer")
@manage_page("members.adjust")
async def transfer_units(work: Work, member: str, card: str) -> Result:
    """Say what moving units comes to; sent from there, move them."""
    view, form = await _view(work, member, card), await work.form(BalanceForm)
    try:
        wanted = form.require()
        target = await meant_card(work, wanted.to, "to")
        if wanted.step == "check":
            raise Rehearsed(work, await _rehearse_transfer(work, view, wanted, target))
        answer = await _transfer(work, view, wanted, target)
    except InvalidInput as error:
        raise TryAgain(work, _form_page(work, view, form.values, faults_of(error), moves=True)) from error
    said = loads(answer.body)
    if answer.refused:
        work.flash(said["detail"], "warning")
    else:
        moved = unit_amount(work, said["unit"], said["amount"])
        work.flash(_("Moved to %(who)s: %(amount)s.", who=target.name or target.email, amount=moved))
    return Redirect(member_url(view.card.member_id))


async def _view(work: Work, member: str, card: str) -> CardView:
    """The card of the address, if it is that member's."""
    view = await CardViews(work.services.ledger).view(work.session, work.ctx, read_id(ids.CARD, card))
    if view.card.member_id != read_id(ids.MEMBER, member):
        raise NotFound(_("We could not find this card."))
    return view


async def meant_card(work: Work, text: str, field: str) -> cards.CardHit:
    """The card that is meant by what was typed."""
    found = await cards.find(work.session, work.ctx, text, limit=2) if text.strip() else ()
    if len(found) == 1:
        return found[0]
    sentence = _("Several cards fit this. Please enter the whole number.") if found else _("No card fits this.")
    raise InvalidInput(sentence, fields={field: sentence})


async def _correct(work: Work, view: CardView, wanted: BalanceForm) -> Answer:
    amount = (wanted.amount or 0) * (1 if wanted.direction == "give" else -1)
    unit = wanted.unit or view.units[0].unit
    claim = _claim(work, wanted, f"correct {view.card.id.hex} {unit} {amount} {wanted.reason}")
    command = AdjustCommand(claim, CardRef("id", view.card.id), unit, amount, wanted.reason)
    return await work.services.adjustments.adjust(work.session, work.ctx, command)


async def _transfer(work: Work, view: CardView, wanted: BalanceForm, target: cards.CardHit) -> Answer:
    unit = wanted.unit or view.units[0].unit
    body = f"transfer {view.card.id.hex} {target.id.hex} {unit} {wanted.amount} {wanted.reason}"
    source, to = CardRef("id", view.card.id), CardRef("id", target.id)
    command = TransferCommand(_claim(work, wanted, body), source, to, unit, wanted.amount or 0, wanted.reason)
    return await work.services.transfers.transfer(work.session, work.ctx, command)


def _claim(work: Work, wanted: BalanceForm, body: str) -> Claim:
    return Claim(principal_of(work.ctx), wanted.key or new_token(), body.encode("utf-8", "surrogatepass"))


async def _rehearse_correction(work: Work, view: CardView, wanted: BalanceForm) -> RehearsalPage:
    said = _said(await _correct(work, view, wanted))
    after = await accounts_of(work, view.card.id)
    notes = [_("Reason: %(reason)s", reason=wanted.reason.strip())]
    if said["status"] == "waiting":
        asked = signed(work, said["unit"], said["amount"])
        notes = [
            _("%(amount)s is more than one person may correct alone. Another person has to agree.", amount=asked),
            *notes,
        ]
    return RehearsalPage(
        title=_("Ask for a correction") if said["status"] == "waiting" else _("Correct the balance"),
        crumbs=_crumbs(view),
        changes=changes_of(work, view.accounts, after),
        notes=notes,
        action=f"{_card_url(view)}/correct",
        fields=_fields(wanted),
        confirm_label=_("Ask for it") if said["status"] == "waiting" else _("Book it"),
        back_url=f"{_card_url(view)}/correct",
    )


async def _rehearse_transfer(work: Work, view: CardView, wanted: BalanceForm, target: cards.CardHit) -> RehearsalPage:
    theirs = await accounts_of(work, target.id)
    _said(await _transfer(work, view, wanted, target))
    mine, others = await accounts_of(work, view.card.id), await accounts_of(work, target.id)
    other = f"{target.name or target.email} · {format_number(target.number)}"
    return RehearsalPage(
        title=_("Move to another card"),
        crumbs=_crumbs(view),
        changes=[
            *changes_of(work, view.accounts, mine, f"{_who(view)} · {format_number(view.card.number)}"),
            *changes_of(work, theirs, others, other),
        ],
        notes=[
            _("What moves keeps the day on which it expires."),
            _("Reason: %(reason)s", reason=wanted.reason.strip()),
        ],
        action=f"{_card_url(view)}/transfer",
        fields=_fields(wanted),
        confirm_label=_("Move"),
        back_url=f"{_card_url(view)}/transfer",
    )


def _said(answer: Answer) -> Mapping[str, Any]:
    """What a rehearsal was answered.

    Raises:
        InvalidInput: it was refused.
    """
    said: Mapping[str, Any] = loads(answer.body)
    if answer.refused:
        raise InvalidInput(said["detail"], fields={FORM: said["detail"]})
    return said


def _fields(wanted: BalanceForm) -> Mapping[str, str]:
    """What was typed, with a fresh key."""
    sent = {name: str(value) for name, value in wanted.model_dump(exclude={"step", "key"}).items() if value}
    return {**sent, "key": new_token()}


def _form_page(
    work: Work,
    view: CardView,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    moves: bool,
) -> BalanceFormPage:
    return BalanceFormPage(
        moves=moves,
        url=f"{_card_url(view)}/{'transfer' if moves else 'correct'}",
        member_url=member_url(view.card.member_id),
        who=_who(view),
        number=format_number(view.card.number),
        units=[(unit.unit, unit_amount(work, unit.unit, balance_of(view.accounts, unit.unit))) for unit in view.units],
        values={"reason": "", **(values or {})},
        errors=errors or {},
    )


def _crumbs(view: CardView) -> Sequence[tuple[str, str]]:
    return [(_("Members"), MEMBERS), (_who(view), member_url(view.card.member_id))]


def _who(view: CardView) -> str:
    return view.card.name or view.card.email


def _card_url(view: CardView) -> str:
    return f"{member_url(view.card.member_id)}/cards/{ids.show(ids.CARD, view.card.id)}"
