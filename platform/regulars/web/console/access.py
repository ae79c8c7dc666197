"""Signing operators in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import RateLimited, Unavailable
from regulars.contracts.pages import PageContext
from regulars.domain.operators import service
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest
from regulars.web.again import with_status
from regulars.web.areas import CONSOLE
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.cookies import read_cookie, session_cookie
from regulars.web.limits import LOG_IN, check_limit
from regulars.web.redirects import safe_path
from regulars.web.results import Redirect, Result
from regulars.web.toolkit import console_page
from regulars.web.work import ConsoleWork


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInPage(PageContext):
    """Where operators sign in.

    Attributes:
        email: as typed before.
        next: path that is gone to afterwards, empty for the usual one.
        error: why it did not work, empty at first.
    """

    template: ClassVar[str] = "console/log_in.html"
    email: str = ""
    next: str = ""
    error: str = ""


class LogInForm(BaseModel):
    """What is typed."""

    email: str = Field(default="", max_length=320)
    password: str = Field(default="", max_length=1024)
    next: str = Field(default="", max_length=2000)


class NextQuery(BaseModel):
    """Where the visitor wanted to go."""

    next: str = Field(default="", max_length=2000)


@blueprint.get("/log-in")
@console_page(signed_in=False)
async def log_in_form(work: ConsoleWork) -> Result:
    """Ask for address and password; who is signed in already goes on."""
    wanted = safe_path(work.query(NextQuery).next, "")
    return Redirect(wanted or "/") if work.principal.kind == "operator" else LogInPage(next=wanted)


@blueprint.post("/log-in")
@console_page(signed_in=False, transaction=False)
async def log_in(work: ConsoleWork) -> Result:
    """Open a session."""
    form = (await work.form(LogInForm)).data or LogInForm()
    wanted = safe_path(form.next, "")
    try:
        await check_limit(LOG_IN, work.request, work.services)
    except RateLimited as error:
        minutes = -(-error.retry_after // 60)
        sentence = _("Too many tries from here. Please wait %(minutes)s minutes.", minutes=minutes)
        return with_status(LogInPage(email=form.email, next=wanted, error=sentence), error.status)
    except Unavailable as error:
        sentence = _("Signing in does not work at this moment. Please try again in a few seconds.")
        return with_status(LogInPage(email=form.email, next=wanted, error=sentence), error.status)
    outcome = await service.log_in(work.services.database, work.visitor, form.email, form.password)
    if isinstance(outcome, service.LogInRefused):
        sentence = _(
            "This e-mail address and password do not belong together, or there were too many tries."
            " After five wrong ones, please wait 15 minutes."
        )
        return with_status(LogInPage(email=form.email, next=wanted, error=sentence), 401)
    work.sign_in(outcome.token, outcome.expires_at)
    return Redirect(wanted or "/")


@blueprint.post("/log-out")
@operator_page
async def log_out(work: ConsoleWork) -> Result:
    """End the session."""
    token = read_cookie(work.request, session_cookie("operator"), work.services.config)
    if token:
        await service.log_out(work.session, digest(token))
    work.sign_out()
    work.flash(_("You are signed out."), "info")
    return Redirect(CONSOLE.log_in)


@blueprint.get("/console")
@operator_page
async def console(_work: ConsoleWork) -> Result:
    """The address under which the console is often looked for."""
    return Redirect("/")
