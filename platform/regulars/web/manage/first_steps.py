"""The first steps on the dashboard, and the sheet with the code for the counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.domain.cards.qr import qr_svg
from regulars.domain.stats import first_steps as steps
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.web.assets import tenant_asset_url
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.manage.navigation import HOME, TERMINAL
from regulars.web.portal.program import promise_of
from regulars.web.results import Redirect, Result
from regulars.web.work import Work

SHEET = f"{HOME}/counter-sheet"
STEPS = f"{HOME}/first-steps"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps.

    Attributes:
        done: whether it is.
        url: where it is done.
    """

    title: str
    text: str
    done: bool
    url: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSheetPage(PageContext):
    """A page to print and to put on the counter.

    Attributes:
        name: of the merchant.
        logo_url: empty without one.
        qr: drawing of the code that leads to the enrolment.
        address: the same in letters.
        promises: what the card gives, a sentence for each unit.
        is_open: whether customers can join.
        is_marked: whether somebody said that it is on the counter.
    """

    template: ClassVar[str] = "manage/counter_sheet.html"
    name: str
    logo_url: str
    qr: str
    address: str
    promises: Sequence[str]
    is_open: bool
    is_marked: bool


@blueprint.get("/counter-sheet")
@manage_page("programs.manage", feature="enrolment")
async def counter_sheet(work: Work) -> Result:
    """Show the sheet."""
    tenant, config = work.ctx.tenant, work.services.config
    promise = await promise_of(work)
    found = await steps.read(work.session, work.ctx)
    return CounterSheetPage(
        name=tenant.name,
        logo_url=tenant_asset_url(tenant, tenant.branding.logo) if tenant.branding.logo else "",
        qr=qr_svg(config.url(tenant.host, "/join")),
        address=config.url(tenant.host, "/join").partition("://")[2],
        promises=[one.message for one in promise.progress] if promise else [],
        is_open=promise is not None,
        is_marked=found.has_sheet,
    )


@blueprint.post("/counter-sheet")
@manage_page("programs.manage", feature="enrolment")
async def sheet_is_there(work: Work) -> Result:
    """Tick the step off: no data tell what stands on a counter."""
    await steps.mark(work.session, work.ctx, "sheet", on=True)
    return Redirect(HOME)


@blueprint.post("/first-steps/hide")
@manage_page("programs.manage")
async def hide_steps(work: Work) -> Result:
    """Do not show the first steps any more."""
    await steps.mark(work.session, work.ctx, "hidden", on=True)
    work.flash(_("The first steps are gone."), "info", action_label=_("Undo"), action_url=f"{STEPS}/show")
    return Redirect(HOME)


@blueprint.post("/first-steps/show")
@manage_page("programs.manage")
async def show_steps(work: Work) -> Result:
    """Show the first steps again."""
    await steps.mark(work.session, work.ctx, "hidden", on=False)
    return Redirect(HOME)


async def first_steps(work: Work) -> Sequence[Step]:
    """What a new merchant has still to do; nothing for readers who cannot do it, and when all is done."""
    who, tenant = work.ctx.principal, work.ctx.tenant
    if not who.may("programs.manage"):
        return []
    found = await steps.read(work.session, work.ctx)
    if found.hidden or found.is_going_well:
        return []
    own_pin = f"{HOME}/staff/{ids.show(ids.STAFF, who.id)}/pin" if who.id else f"{HOME}/staff"
    wanted = [
        Step(
            _("Set up your program"),
            _("What customers collect, and what they get for it."),
            found.has_program,
            f"{HOME}/program",
            _("Set up"),
        ),
        Step(
            _("Give it your looks"),
            _("Your logo and your colour, on the card and on every page."),
            found.has_looks,
            f"{HOME}/look" if who.may("branding.manage") else f"{HOME}/program",
            _("Choose"),
        ),
    ]
    if tenant.has("staff_pins"):
        text = _("Every stamp then has a name behind it. Begin with your own.")
        wanted.append(Step(_("Give out the first PIN"), text, found.has_pin, own_pin, _("Make a PIN")))
    if tenant.has("enrolment"):
        wanted += [
            Step(
                _("Put the code on your counter"),
                _("A sheet to print: customers scan it and have their card."),
                found.has_sheet,
                SHEET,
                _("Print"),
            ),
            Step(
                _("Enrol the first customer"),
                _("At the terminal, with nothing but an e-mail address. Try it with your own."),
                found.has_member,
                f"{TERMINAL}/enrol",
                _("Enrol"),
            ),
        ]
    text = _("Find the card at the terminal and add what it collects.")
    wanted.append(Step(_("Record the first visit"), text, found.has_sale, TERMINAL, _("Open the terminal")))
    return [] if all(step.done for step in wanted) else wanted
