"""Signing in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.contracts.errors import RateLimited, Unavailable
from regulars.contracts.pages import PageContext
from regulars.domain.staff import login, sessions
from regulars.kernel.i18n import gettext as _
from regulars.web.again import with_status
from regulars.web.areas import MANAGE
from regulars.web.limits import LOG_IN, check_limit
from regulars.web.manage.blueprint import blueprint
from regulars.web.redirects import safe_path
from regulars.web.results import Redirect, Result
from regulars.web.toolkit import page
from regulars.web.work import Work

TERMINAL_HOME = "/terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInPage(PageContext):
    """Where staff sign in.

    Attributes:
        email: as typed before.
        next: path that is gone to afterwards, empty for the usual one.
        error: why it did not work, empty at first.
    """

    template: ClassVar[str] = "manage/log_in.html"
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
@page()
async def log_in_form(work: Work) -> Result:
    """Ask for address and password; who is signed in already goes on."""
    wanted = safe_path(work.query(NextQuery).next, "")
    if work.ctx.principal.kind == "staff":
        return Redirect(wanted or MANAGE.prefix)
    return LogInPage(next=wanted)


@blueprint.post("/log-in")
@page(transaction=False)
async def log_in(work: Work) -> Result:
    """Open a session. The log-in has transactions of its own, with the slow hash between them."""
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
    outcome = await login.log_in(work.services.database, work.ctx, form.email, form.password)
    if isinstance(outcome, login.LogInRefused):
        return with_status(LogInPage(email=form.email, next=wanted, error=_(outcome.message)), 401)
    work.sign_in(outcome.session.token, sessions.LIFETIMES["staff"])
    return Redirect(wanted or (TERMINAL_HOME if outcome.role == "staff" else MANAGE.prefix))


@blueprint.post("/log-out")
@page()
async def log_out(work: Work) -> Result:
    """End the session, also when it has ended by itself."""
    await sessions.close(work.session, work.ctx)
    work.sign_out()
    work.flash(_("You are signed out."), "info")
    return Redirect(MANAGE.log_in)
