"""Enrolment on a phone: two fields and a tick, and the card is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput, RateLimited
from regulars.contracts.pages import PageContext
from regulars.domain.cards import joining
from regulars.domain.cards.enrolment import EnrolCommand
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import new_token
from regulars.web.again import TryAgain, faults_of, with_status
from regulars.web.forms import Form
from regulars.web.limits import ENROL, check_limit
from regulars.web.portal.blueprint import blueprint, open_page
from regulars.web.portal.doors import let_in, mail_link, too_often
from regulars.web.portal.navigation import CARD
from regulars.web.portal.program import Promise, promise_of
from regulars.web.results import Redirect, Result
from regulars.web.work import Work


class JoinForm(BaseModel):
    """What is typed and ticked.

    Attributes:
        key: secret of this form, so that sending it twice makes one card.
        ref: code of a member's link, passed on to whoever rewards that.
    """

    email: str = Field(default="", max_length=320)
    name: str = Field(default="", max_length=200)
    phone: str = Field(default="", max_length=60)
    terms: bool = False
    marketing: bool = False
    key: str = Field(default="", max_length=64)
    ref: str = Field(default="", max_length=40)


class JoinQuery(BaseModel):
    """By whose link somebody comes."""

    ref: str = Field(default="", max_length=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPage(PageContext):
    """The enrolment form.

    Attributes:
        name: of the merchant.
        promise: what the program gives, `None` when there is none to join.
        key: secret of the form.
        ref: code of the link by which the visitor has come, empty for none.
        form: what was typed before and what is wrong with it; the key "" is for the form as a whole.
    """

    template: ClassVar[str] = "portal/join.html"
    name: str
    promise: Promise | None
    key: str
    ref: str = ""
    form: Form[JoinForm] = field(default_factory=Form)


@blueprint.get("/join")
@open_page
async def join_form(work: Work) -> Result:
    """Ask for as little as possible; members go on to their card."""
    if work.ctx.principal.kind == "member":
        return Redirect(CARD)
    return await _page(work, Form())


@blueprint.post("/join")
@open_page
async def join(work: Work) -> Result:
    """Make the card and show it at once; an address that is known gets a mail instead."""
    form = await work.form(JoinForm)
    try:
        await check_limit(ENROL, work.request, work.services)
    except RateLimited as error:
        return with_status(await _page(work, form.with_errors({"": too_often(error)})), error.status)
    wanted = form.data
    if wanted is None:
        raise TryAgain(work, await _page(work, form))
    command = EnrolCommand(
        email=wanted.email,
        name=wanted.name,
        phone=wanted.phone,
        locale=work.ctx.locale,
        terms=wanted.terms,
        marketing=wanted.marketing,
        referral=wanted.ref,
    )
    try:
        joined = await joining.join(
            work.session, work.ctx, work.services.enrolments, wanted.key or new_token(), command
        )
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, await _page(work, form.with_errors(_all_faults(wanted, error)))) from error
    if joined is None:
        return await mail_link(work, wanted.email)
    await let_in(work, joined.member_id)
    work.flash(_("Welcome! This is your card."))
    return Redirect(CARD)


def _all_faults(wanted: JoinForm, error: InvalidInput | Conflict) -> dict[str, str]:
    """What the service refused, and what it would refuse next: nobody likes to be told one fault after the other."""
    faults = dict(faults_of(error))
    if not wanted.email.strip():
        faults["email"] = _("We need your e-mail address to find your card again.")
    return faults


async def _page(work: Work, form: Form[JoinForm]) -> JoinPage:
    key = form.values.get("key", "") or new_token()
    ref = form.values.get("ref", "") or work.query(JoinQuery).ref
    return JoinPage(name=work.ctx.tenant.name, promise=await promise_of(work), key=key, ref=ref, form=form)
