"""In which shop the device stands, and signing it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.domain.staff import sessions
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.areas import TERMINAL
from regulars.web.results import Redirect, Result
from regulars.web.terminal.blueprint import blueprint
from regulars.web.terminal.desk import TillPage, desk_of
from regulars.web.terminal.navigation import START
from regulars.web.toolkit import page
from regulars.web.work import Work, read_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePage(TillPage):
    """Asks in which shop the device stands; all shops are in `desk`."""

    template: ClassVar[str] = "terminal/place.html"


class PlaceForm(BaseModel):
    """The chosen shop's public id."""

    shop: str = Field(default="", max_length=80)


@blueprint.get("/place")
@page(audience="staff", permission="terminal.use")
async def place_form(work: Work) -> Result:
    """Show the open shops."""
    return PlacePage(desk=await desk_of(work), idle_seconds=0)


@blueprint.post("/place")
@page(audience="staff", permission="terminal.use")
async def place(work: Work) -> Result:
    """Keep the choice with the session."""
    form = (await work.form(PlaceForm)).data or PlaceForm()
    await sessions.choose_shop(work.session, work.ctx, read_id(ids.SHOP, form.shop))
    return Redirect(START)


@blueprint.post("/sign-out")
@page()
async def sign_out(work: Work) -> Result:
    """End the device's session, also when it has ended by itself."""
    await sessions.close(work.session, work.ctx)
    work.sign_out()
    work.flash(_("This device is signed out."), "info")
    return Redirect(TERMINAL.log_in)
