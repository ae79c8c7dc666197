"""Enrolling a customer at the till: the address is enough, the card goes to the customer's phone by its QR code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import Conflict, InvalidInput
from regulars.domain.cards.enrolment import EnrolCommand
from regulars.domain.cards.handover import make_ticket
from regulars.domain.cards.qr import qr_svg
from regulars.domain.messaging.office import CARD_LINK_PATH
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.forms import Form
from regulars.web.limits import ENROL_BY_SHOP, check_limit
from regulars.web.results import Redirect, Result
from regulars.web.terminal.blueprint import blueprint, till_page
from regulars.web.terminal.desk import Desk, TillPage, at_desk
from regulars.web.terminal.lines import card_url
from regulars.web.work import Work


class EnrolForm(BaseModel):
    """What the customer says."""

    email: str = Field(default="", max_length=320)
    name: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolPage(TillPage):
    """Asks for the customer's address.

    Attributes:
        form: what was typed before and what is wrong with it.
    """

    template: ClassVar[str] = "terminal/enrol.html"
    form: Form[EnrolForm] = field(default_factory=Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledPage(TillPage):
    """The new card, for the customer's phone.

    Attributes:
        name: as typed, may be empty.
        number: 12 digits.
        qr: drawing of the code that opens the card.
        url: the customer's view at the till.
    """

    template: ClassVar[str] = "terminal/enrolled.html"
    name: str
    email: str
    number: str
    qr: str
    url: str


@blueprint.get("/enrol")
@till_page("members.enrol")
async def enrol_form(work: Work, desk: Desk) -> Result:
    """Ask for the address."""
    del work
    return EnrolPage(desk=desk)


@blueprint.post("/enrol")
@till_page("members.enrol")
async def enrol(work: Work, desk: Desk) -> Result:
    """Make the card; somebody who has one already is shown with it."""
    await check_limit(ENROL_BY_SHOP, work.request, work.services)
    form = await work.form(EnrolForm)
    wanted = form.data or EnrolForm()
    command = EnrolCommand(email=wanted.email, name=wanted.name, terms=True)
    try:
        enrolled = await work.services.enrolments.enrol(work.session, at_desk(work.ctx, desk), command)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, EnrolPage(desk=desk, form=form.with_errors(dict(faults_of(error))))) from error
    url = card_url(enrolled.card_id)
    if not enrolled.is_new:
        work.flash(_("This customer has a card already. Here it is."), "info")
        return Redirect(url)
    tenant, config = work.ctx.tenant, work.services.config
    ticket = make_ticket(config.secret_key, tenant.id, enrolled.card_id)
    return EnrolledPage(
        desk=desk,
        name=wanted.name.strip(),
        email=wanted.email.strip(),
        number=enrolled.number,
        qr=qr_svg(config.url(tenant.host, f"{CARD_LINK_PATH}{ticket}")),
        url=url,
    )
