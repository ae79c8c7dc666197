"""The member's household: what all have together, who earned what, asking somebody in, joining, leaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.cards.view import CardView, CardViews, MemberCard, cards_of_member
from regulars.domain.households import lists, service
from regulars.domain.households.views import HouseholdView, Sharer
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.ratelimit import Limit
from regulars.web.again import TryAgain
from regulars.web.lists import url_of
from regulars.web.portal.blueprint import blueprint, member_page
from regulars.web.portal.card import chosen_card, member_of
from regulars.web.portal.navigation import HOUSEHOLD
from regulars.web.results import Redirect, Result
from regulars.web.units import unit_amounts
from regulars.web.work import Work, read_id

CODES = Limit("household_codes", count=20, window=3600, fails="closed")
"""Codes that one member may try: more than anybody mistypes."""


@dataclass(frozen=True, slots=True)
class SharerLine:
    """Somebody in the household.

    Attributes:
        card: public id.
        earned: this month, in words.
        is_head: whether this is who asks others in.
        leave_url: asks before this one is taken out, or leaves; empty where the reader may not.
    """

    card: str
    name: str
    is_own: bool
    is_head: bool
    earned: str
    leave_url: str


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """A code that is open.

    Attributes:
        code: for people, with a dash.
        url: the whole address that leads to it.
        until: the last moment.
    """

    code: str
    url: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPage(PageContext):
    """A card's household, or the way into one.

    Attributes:
        card: public id of the reader's card.
        head: who asks others in, empty when the card shares with nobody.
        balances: what all have together, in words.
        has_room: whether the reader can ask somebody in.
        code, error: what was typed, and what is wrong with it.
    """

    template: ClassVar[str] = "portal/household.html"
    card: str
    program: str
    head: str = ""
    balances: Sequence[str] = ()
    sharers: Sequence[SharerLine] = ()
    invitations: Sequence[InvitationLine] = ()
    has_room: bool = False
    code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinHouseholdPage(PageContext):
    """Says who asks, and what joining means."""

    template: ClassVar[str] = "portal/household_join.html"
    card: str
    code: str
    head: str
    count: int
    own: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveHouseholdPage(PageContext):
    """Says what happens to what is on the card, and asks.

    Attributes:
        card: public id of the reader's card.
        fields: what the form sends.
        name: of somebody else who is taken out, empty for oneself.
        taken: what goes along, in words.
    """

    template: ClassVar[str] = "portal/household_leave.html"
    card: str
    name: str
    taken: str
    fields: Mapping[str, str] = field(default_factory=dict)


class HouseholdForm(BaseModel):
    """Which card acts, and with what.

    Attributes:
        card: public id of the reader's card, empty for the first one.
        who: public id of the card that leaves.
    """

    card: str = Field(default="", max_length=80)
    who: str = Field(default="", max_length=80)
    code: str = Field(default="", max_length=40)


@blueprint.get("/household")
@member_page
async def household(work: Work) -> Result:
    """Show the household, or the way into one."""
    return await _page(work, await _view(work, work.query(HouseholdForm).card))


@blueprint.post("/household/invite")
@member_page
async def invite_to_household(work: Work) -> Result:
    """Make a code for one more; the first one founds the household."""
    view = await _view(work, (await work.form(HouseholdForm)).require().card)
    try:
        await service.invite(work.session, work.ctx, view.card.id)
    except Conflict as error:
        raise TryAgain(work, replace(await _page(work, view), error=error.detail or str(error))) from error
    return Redirect(_url(view.card.id))


@blueprint.post("/household/withdraw")
@member_page
async def withdraw_invitation(work: Work) -> Result:
    """Take a code back."""
    form = (await work.form(HouseholdForm)).require()
    view = await _view(work, form.card)
    await service.withdraw(work.session, work.ctx, view.card.id, form.code)
    work.flash(_("This code does not work any more."), "info")
    return Redirect(_url(view.card.id))


@blueprint.get("/household/join")
@member_page
async def household_invitation(work: Work) -> Result:
    """Say who asks and what it means; a wrong code can be typed again."""
    query = work.query(HouseholdForm)
    owned = await cards_of_member(work.session, member_of(work))
    await work.services.limiter.check(CODES, work.ctx.tenant.id, member_of(work).hex)
    try:
        found = await service.invitation(work.session, work.ctx, query.code)
    except NotFound as error:
        page = await _page(work, await _view(work, query.card))
        return replace(page, code=query.code, error=error.detail or str(error))
    view = await _view(work, query.card or _card_in(owned, found.program_id))
    if view.card.household_id == found.id:
        return Redirect(_url(view.card.id))
    return JoinHouseholdPage(
        card=ids.show(ids.CARD, view.card.id),
        code=service.clean_code(query.code),
        head=found.head.shown if found.head else "",
        count=len(found.sharers),
        own=unit_amounts(work, view.card.balances),
    )


@blueprint.post("/household/join")
@member_page
async def join_household(work: Work) -> Result:
    """Join."""
    form = (await work.form(HouseholdForm)).require()
    view = await _view(work, form.card)
    await work.services.limiter.check(CODES, work.ctx.tenant.id, member_of(work).hex)
    try:
        await service.accept(work.session, work.ctx, view.card.id, form.code)
    except (Conflict, NotFound) as error:
        raise TryAgain(work, replace(await _page(work, view), error=error.detail or str(error))) from error
    work.flash(_("You share now."))
    return Redirect(_url(view.card.id))


@blueprint.get("/household/leave")
@member_page
async def leave_household_form(work: Work) -> Result:
    """Say what goes along, and ask."""
    query = work.query(HouseholdForm)
    view = await _view(work, query.card)
    _found, sharer = await _leaving(work, view, query.who)
    own = sharer.card_id == view.card.id
    return LeaveHouseholdPage(
        card=ids.show(ids.CARD, view.card.id),
        name="" if own else sharer.shown,
        taken=", ".join(unit_amounts(work, sharer.balances)),
        fields={"card": ids.show(ids.CARD, view.card.id), "who": ids.show(ids.CARD, sharer.card_id)},
    )


@blueprint.post("/household/leave")
@member_page
async def leave_household(work: Work) -> Result:
    """Leave, or take somebody out."""
    form = (await work.form(HouseholdForm)).require()
    view = await _view(work, form.card)
    found, sharer = await _leaving(work, view, form.who)
    await service.leave(work.session, work.ctx, found.id, sharer.card_id)
    own = sharer.card_id == view.card.id
    work.flash(_("Your card is your own again.") if own else _("%(name)s shares no more.", name=sharer.shown))
    return Redirect(_url(view.card.id))


async def _view(work: Work, name: str) -> CardView:
    """The reader's card, where its program has households.

    Raises:
        NotFound: it has none.
    """
    owned = await cards_of_member(work.session, member_of(work))
    if not name:
        programs = await work.services.programs.programs(work.session, work.ctx.tenant)
        owned = [one for one in owned if programs.get(one.program_id).household_size]
    view = await CardViews(work.services.ledger).view(work.session, work.ctx, chosen_card(owned, name))
    if not view.has_households:
        raise NotFound
    return view


async def _leaving(work: Work, view: CardView, who: str) -> tuple[HouseholdView, Sharer]:
    found = await lists.of_card(work.session, work.ctx, view.card.id)
    sharer = found.sharer(read_id(ids.CARD, who)) if found and who else None
    if found is None or sharer is None:
        raise NotFound(_("This card is not in this household any more."))
    return found, sharer


async def _page(work: Work, view: CardView) -> HouseholdPage:
    card = ids.show(ids.CARD, view.card.id)
    found = await lists.of_card(work.session, work.ctx, view.card.id)
    if found is None:
        return HouseholdPage(card=card, program=view.program.name)
    is_head = found.head_id == view.card.id
    return HouseholdPage(
        card=card,
        program=view.program.name,
        head=found.head.shown if found.head else "",
        balances=unit_amounts(work, found.balances),
        sharers=[_sharer(work, view, found, one) for one in found.sharers],
        invitations=[
            InvitationLine(
                code=f"{one.code[:4]}-{one.code[4:]}",
                url=work.address(url_of(f"{HOUSEHOLD}/join", {"code": one.code})),
                until=one.expires_at,
            )
            for one in found.invitations
            if is_head
        ],
        has_room=is_head and len(found.sharers) + len(found.invitations) < found.most,
    )


def _sharer(work: Work, view: CardView, found: HouseholdView, one: Sharer) -> SharerLine:
    own, is_head = one.card_id == view.card.id, found.head_id == view.card.id
    card, who = ids.show(ids.CARD, view.card.id), ids.show(ids.CARD, one.card_id)
    return SharerLine(
        card=who,
        name=one.shown,
        is_own=own,
        is_head=one.card_id == found.head_id,
        earned=", ".join(unit_amounts(work, one.earned)),
        leave_url=url_of(f"{HOUSEHOLD}/leave", {"card": card, "who": who}) if own or is_head else "",
    )


def _card_in(owned: Sequence[MemberCard], program_id: UUID) -> str:
    """Public id of the reader's card of a program, empty when there is none."""
    return next((ids.show(ids.CARD, one.id) for one in owned if one.program_id == program_id), "")


def _url(card_id: UUID) -> str:
    return url_of(HOUSEHOLD, {"card": ids.show(ids.CARD, card_id)})
