"""Getting a card on a phone: by a link in a mail, or the ticket that the till shows.

Opening a link asks once more, since mail scanners open links too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from regulars.contracts.errors import NotFound, RateLimited
from regulars.contracts.pages import PageContext
from regulars.domain.cards import service as cards
from regulars.domain.cards.handover import read_ticket
from regulars.domain.members.normalise import email_of
from regulars.domain.messaging.office import CARD_LINK_PURPOSE
from regulars.domain.staff import sessions
from regulars.kernel.i18n import gettext as _
from regulars.kernel.tokens import InvalidToken, verify
from regulars.web.again import TryAgain, with_status
from regulars.web.forms import Form
from regulars.web.limits import LOG_IN, check_limit
from regulars.web.portal.blueprint import blueprint, open_page
from regulars.web.portal.doors import let_in, mail_link, too_often
from regulars.web.portal.navigation import CARD, HOME
from regulars.web.results import Redirect, Result
from regulars.web.work import Work


class SignInForm(BaseModel):
    """What is typed."""

    email: str = Field(default="", max_length=320)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(PageContext):
    """Asks for the address that the card was made with.

    Attributes:
        form: what was typed before and what is wrong with it.
    """

    template: ClassVar[str] = "portal/sign_in.html"
    form: Form[SignInForm] = field(default_factory=Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCardPage(PageContext):
    """Where the link of a mail leads: one button that opens the card.

    Attributes:
        token: of the link.
        number: of the card, its first eight digits.
    """

    template: ClassVar[str] = "portal/open_card.html"
    token: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkExpiredPage(PageContext):
    """The link is too old or damaged, here is how to get a new one."""

    template: ClassVar[str] = "portal/link_expired.html"


@blueprint.get("/signin")
@open_page
async def sign_in_form(work: Work) -> Result:
    """Ask for the address."""
    return Redirect(CARD) if work.ctx.principal.kind == "member" else SignInPage()


@blueprint.post("/signin")
@open_page
async def sign_in(work: Work) -> Result:
    """Send the link, whoever asks and whether or not the address is known."""
    form = await work.form(SignInForm)
    try:
        await check_limit(LOG_IN, work.request, work.services)
    except RateLimited as error:
        return with_status(SignInPage(form=form.with_errors({"email": too_often(error)})), error.status)
    email = form.data.email if form.data else ""
    if email_of(email) is None:
        sentence = _("Please enter an e-mail address such as name@example.com.")
        raise TryAgain(work, SignInPage(form=form.with_errors({"email": sentence})))
    return await mail_link(work, email)


@blueprint.get("/card/open/<token>")
@open_page
async def open_card_form(work: Work, token: str) -> Result:
    """Ask for the one click that no scanner makes."""
    found = await _card_of(work, token)
    if found is None:
        return with_status(LinkExpiredPage(), 404)
    return OpenCardPage(token=token, number=found.number[:8])


@blueprint.post("/card/open/<token>")
@open_page
async def open_card(work: Work, token: str) -> Result:
    """Sign in whoever holds the link."""
    found = await _card_of(work, token)
    if found is None:
        return with_status(LinkExpiredPage(), 404)
    await let_in(work, found.member_id)
    return Redirect(CARD)


@blueprint.post("/signout")
@open_page
async def sign_out(work: Work) -> Result:
    """End the session, also when it has ended by itself."""
    await sessions.close(work.session, work.ctx)
    work.sign_out()
    work.flash(_("You are signed out. Your card stays as it is."), "info")
    return Redirect(HOME)


async def _card_of(work: Work, token: str) -> cards.CardHit | None:
    """The card that a link names, `None` for a link that is worth nothing (any more)."""
    tenant, secret = work.ctx.tenant, work.services.config.secret_key
    try:
        card_id = read_ticket(secret, tenant.id, token)
        if card_id is None:
            card_id = UUID(verify(secret, token, purpose=CARD_LINK_PURPOSE, tenant_id=tenant.id))
        return await cards.get(work.session, card_id)
    except (InvalidToken, ValueError, NotFound):
        return None
