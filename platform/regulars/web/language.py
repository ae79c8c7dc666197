"""The language switch: a form on every page of every area. The choice is kept with the person and on the device."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, Field
from quart import Response

from regulars.contracts.errors import InvalidInput
from regulars.domain.members import service as members
from regulars.domain.operators import service as operators
from regulars.domain.staff import service as staff
from regulars.kernel.i18n import gettext as _
from regulars.web.areas import CONSOLE, MANAGE, PORTAL, SITE, TERMINAL, Area, language_url
from regulars.web.cookies import LOCALE, LOCALE_LIFETIME, set_cookie
from regulars.web.forms import read_form
from regulars.web.locales import locales_of
from regulars.web.redirects import safe_path
from regulars.web.request import RegularsApp, RegularsRequest, current_request
from regulars.web.results import Redirect, Result
from regulars.web.services import services
from regulars.web.toolkit import console_page, page
from regulars.web.work import ConsoleWork, Work


class LanguageForm(BaseModel):
    """Which language, and where the reader was."""

    locale: str = Field(default="", max_length=20)
    next: str = Field(default="", max_length=2000)


def register_language(app: RegularsApp) -> None:
    """Add the switch to every area with pages."""
    for area in (PORTAL, TERMINAL, MANAGE):
        _add(app, area, page()(_choose_here))
    _add(app, CONSOLE, console_page(signed_in=False)(_choose_on_console))
    _add(app, SITE, _choose_on_site)


def _add(app: RegularsApp, area: Area, view: Callable[[], Awaitable[Response]]) -> None:
    app.add_url_rule(language_url(area), f"language_{area.name}", view, methods=["POST"], subdomain=area.host)


async def _choose_here(work: Work) -> Result:
    locale, back = _read((await work.form(LanguageForm)).data, work.request, work.area)
    if work.principal.kind == "member":
        await members.set_language(work.session, work.ctx, locale)
    elif work.principal.kind == "staff":
        await staff.set_language(work.session, work.ctx, locale)
    work.speak(locale)
    return Redirect(back)


async def _choose_on_console(work: ConsoleWork) -> Result:
    locale, back = _read((await work.form(LanguageForm)).data, work.request, work.area)
    if work.principal.kind == "operator":
        await operators.set_language(work.session, work.actor, locale)
    work.speak(locale)
    return Redirect(back)


async def _choose_on_site() -> Response:
    request = current_request()
    locale, back = _read(read_form(LanguageForm, await request.form).data, request, SITE)
    response = Response(status=303, headers={"Location": back})
    set_cookie(response, LOCALE, locale, services().config, until=LOCALE_LIFETIME)
    return response


def _read(form: LanguageForm | None, request: RegularsRequest, area: Area) -> tuple[str, str]:
    """The language that was chosen, and the page to go back to.

    Raises:
        InvalidInput: it is not spoken here.
    """
    spoken = locales_of(request.visit.tenant)
    if form is None or form.locale not in spoken:
        sentence = _("Choose one of: %(locales)s.", locales=", ".join(spoken))
        raise InvalidInput(sentence, fields={"locale": sentence})
    return form.locale, safe_path(form.next, area.prefix or "/")
