"""Links that let one person in: from the sign-up, and by mail to a new password. Opening one asks once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.context import Principal
from regulars.contracts.errors import Forbidden, InvalidInput, RateLimited, Unavailable
from regulars.contracts.pages import PageContext
from regulars.domain.members.normalise import email_of
from regulars.domain.messaging import password_links
from regulars.domain.messaging.composing import Recipient
from regulars.domain.signup.opening import welcome
from regulars.domain.staff import links, service, sessions
from regulars.domain.staff.links import Bearer
from regulars.domain.tenants.self_service import prove_address
from regulars.kernel.i18n import gettext as _
from regulars.kernel.passwords import MIN_LENGTH
from regulars.web.again import TryAgain, faults_of, forgiving, with_status
from regulars.web.areas import MANAGE
from regulars.web.limits import LOG_IN, PASSWORD_LINKS, check_limit
from regulars.web.manage.access import TERMINAL_HOME
from regulars.web.manage.blueprint import blueprint, manage_page, renew
from regulars.web.results import Redirect, Result
from regulars.web.toolkit import page
from regulars.web.work import Work

ENTER = f"{MANAGE.prefix}/enter"
FORGOTTEN = f"{MANAGE.prefix}/forgotten"


class ForgottenForm(BaseModel):
    """Whose password it is."""

    email: str = Field(default="", max_length=320)


class PasswordForm(BaseModel):
    """The new one."""

    password: str = Field(default="", max_length=1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterPage(PageContext):
    """A new owner arrives at the own host.

    Attributes:
        token: of the link.
        host: where customers find the shop.
        error: none.
    """

    template: ClassVar[str] = "manage/enter.html"
    token: str
    host: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEndedPage(PageContext):
    """The link is too old, used or damaged; here is the way on.

    Attributes:
        sign_up_url: where the browser that signed up gets in again, empty when that is not what the link was for.
    """

    template: ClassVar[str] = "manage/link_ended.html"
    sign_up_url: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPage(PageContext):
    """Choose a new password.

    Attributes:
        token: of the link.
        email: of the person.
        fault: what is wrong with what was typed, empty at first.
        shortest: least characters.
    """

    template: ClassVar[str] = "manage/password.html"
    token: str
    email: str
    fault: str = ""
    error: str = ""
    shortest: int = MIN_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenPage(PageContext):
    """Asks for the address.

    Attributes:
        email: as typed before.
        fault: what is wrong with it, empty at first.
    """

    template: ClassVar[str] = "manage/forgotten.html"
    email: str = ""
    fault: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenSentPage(PageContext):
    """Says that a link is on its way if somebody here has the address; the same page for every address."""

    template: ClassVar[str] = "manage/forgotten_sent.html"
    email: str
    error: str = ""


@blueprint.get("/enter/<token>")
@page()
async def enter_form(work: Work, token: str) -> Result:
    """Show that the shop is there, with the one button that leads in."""
    if work.ctx.principal.kind == "staff":
        return Redirect(MANAGE.prefix)
    if await links.look(work.session, "enter", token) is None:
        return _ended(work, from_sign_up=True)
    return EnterPage(token=token, host=work.ctx.tenant.host)


@blueprint.post("/enter/<token>")
@page()
async def enter(work: Work, token: str) -> Result:
    """Sign the new owner in."""
    opened = await links.enter(work.session, work.ctx, token)
    if opened is None:
        return _ended(work, from_sign_up=True)
    work.sign_in(opened.token, sessions.LIFETIMES["staff"])
    return Redirect(MANAGE.prefix)


@blueprint.get("/password/<token>")
@page()
async def password_form(work: Work, token: str) -> Result:
    """Ask for the new password; nothing is used up yet."""
    bearer = await links.look(work.session, "password", token)
    return _ended(work) if bearer is None else PasswordPage(token=token, email=bearer.email)


@blueprint.post("/password/<token>")
@forgiving
@page(limit=LOG_IN)
async def set_password(work: Work, token: str) -> Result:
    """Set it, and sign its owner in: whoever has the mail has proved the address."""
    holder = await links.look(work.session, "password", token)
    if holder is None:
        return _ended(work)
    form = await work.form(PasswordForm)
    try:
        bearer = await links.renew_password(work.session, work.ctx, token, form.require().password)
    except InvalidInput as error:
        sentence = faults_of(error).get("password", str(error))
        raise TryAgain(work, PasswordPage(token=token, email=holder.email, fault=sentence)) from error
    if bearer is None:  # somebody used it in the meantime
        return _ended(work)
    if bearer.role == "owner":
        await prove_address(work.session, replace(work.ctx, principal=_principal(bearer)))
        renew(work)
    opened = await links.sign_in(work.session, work.ctx, bearer)
    work.sign_in(opened.token, sessions.LIFETIMES["staff"])
    work.flash(_("Your password is set."))
    return Redirect(TERMINAL_HOME if bearer.role == "staff" else MANAGE.prefix)


@blueprint.get("/forgotten")
@page()
async def forgotten_form(work: Work) -> Result:
    """Ask for the address."""
    return ForgottenPage()


@blueprint.post("/forgotten")
@forgiving
@page()
async def forgotten(work: Work) -> Result:
    """Send the link, whoever asks and whether or not the address is known."""
    form = await work.form(ForgottenForm)
    email = form.data.email.strip() if form.data else ""
    address = email_of(email)
    if address is None:
        sentence = _("Please enter an e-mail address such as name@example.com.")
        raise TryAgain(work, ForgottenPage(email=email, fault=sentence))
    try:
        await check_limit(LOG_IN, work.request, work.services)
        await work.services.limiter.check(PASSWORD_LINKS, work.ctx.tenant.id, address)
    except RateLimited as error:
        minutes = -(-error.retry_after // 60)
        sentence = _("Too many tries from here. Please wait %(minutes)s minutes.", minutes=minutes)
        return with_status(ForgottenPage(email=email, fault=sentence), error.status)
    except Unavailable as error:
        sentence = _("Signing in does not work at this moment. Please try again in a few seconds.")
        return with_status(ForgottenPage(email=email, fault=sentence), error.status)
    await password_links.send_forgotten(work.session, work.ctx, work.services.office, email)
    return ForgottenSentPage(email=email)


@blueprint.post("/proof")
@manage_page(None)
async def send_proof_again(work: Work) -> Result:
    """Send the link that proves the owner's address once more."""
    who, tenant = work.ctx.principal, work.ctx.tenant
    if who.role != "owner" or who.id is None:
        raise Forbidden(_("Only an owner may do this."))
    person = await service.get(work.session, work.ctx, who.id)
    if tenant.verify_by is None or person.email is None:
        return Redirect(MANAGE.prefix)
    try:
        await work.services.limiter.check(PASSWORD_LINKS, tenant.id, person.email)
    except RateLimited as error:
        work.flash(
            _("We have sent it several times. Please wait %(minutes)s minutes.", minutes=-(-error.retry_after // 60)),
            "warning",
        )
        return Redirect(MANAGE.prefix)
    recipient = Recipient(person.email, person.name, work.ctx.locale)
    await password_links.send(work.session, work.ctx, work.services.office, person.id, recipient, welcome(tenant))
    work.flash(_("A new link is on its way to %(email)s.", email=person.email))
    return Redirect(MANAGE.prefix)


def _ended(work: Work, *, from_sign_up: bool = False) -> LinkEndedPage:
    config = work.services.config
    url = config.url(config.base_domain, "/sign-up") if from_sign_up else ""
    return with_status(LinkEndedPage(sign_up_url=url), 404)


def _principal(bearer: Bearer) -> Principal:
    return Principal(kind="staff", id=bearer.staff_id, name=bearer.name, role=bearer.role)
