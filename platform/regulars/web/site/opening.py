"""The last form of the sign-up: the offering. Sent, it opens the shop and brings its owner in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import BaseModel
from quart import Response

from regulars.contracts.errors import Conflict, InvalidInput, NotFound, RateLimited, Unavailable
from regulars.contracts.pages import PageContext
from regulars.domain.signup import service
from regulars.domain.signup.opening import Opened, Opening
from regulars.domain.signup.service import SignUp
from regulars.domain.tenants.naming import tenant_host
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import ngettext
from regulars.web.again import TryAgain, forgiving, with_status
from regulars.web.areas import MANAGE
from regulars.web.cookies import SIGN_UP
from regulars.web.headers import CONTENT_SECURITY_POLICY
from regulars.web.limits import SIGN_UPS, SIGN_UPS_OF_ADDRESS, check_limit, sign_ups_of_all
from regulars.web.manage.links import ENTER
from regulars.web.results import Redirect, Result
from regulars.web.site.blueprint import blueprint
from regulars.web.site.matrix import MatrixRow, matrix_of
from regulars.web.site.sign_up import (
    ADDRESS,
    OFFERING,
    START,
    open_one,
    present,
    refused_address,
    to_start,
    token_of,
    wait,
)
from regulars.web.toolkit import site_page
from regulars.web.work import SiteWork

_REASON = "site: open_shop"
_SEE_OTHER = 303
_ICONS = ("store", "layers", "building-2")
"""Of the offerings, by rank."""


class OfferingForm(BaseModel):
    """The choice."""

    offering: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingPage(PageContext):
    """The third form.

    Attributes:
        host: where the shop will be.
        tiles: as the component `choice_tiles` takes them.
        offerings: columns of the comparison.
        matrix: what each of them has.
        chosen: code.
        error: what is wrong, empty at first.
    """

    template: ClassVar[str] = "site/sign_up_offering.html"
    host: str
    tiles: Sequence[Mapping[str, str]]
    offerings: Sequence[OfferingInfo]
    matrix: Sequence[MatrixRow]
    chosen: str
    error: str = ""


@blueprint.get(OFFERING)
@site_page()
async def offering_form(work: SiteWork) -> Result:
    """Show what each offering has."""
    sign_up = await open_one(work)
    if sign_up is None:
        return to_start(work)
    return await _page(work, sign_up) if sign_up.slug else Redirect(ADDRESS)


@blueprint.post(OFFERING)
@forgiving
@site_page(transaction=False)
async def open_shop(work: SiteWork) -> Result:
    """Open the shop, once however often this is sent, and go there."""
    form = await work.form(OfferingForm)
    async with work.transaction(_REASON):
        sign_up = await present(work)
        if sign_up is not None and sign_up.tenant_id is None:
            try:
                await service.choose_offering(work.session, sign_up, form.values.get("offering", ""))
            except InvalidInput as error:
                raise TryAgain(work, await _page(work, sign_up, str(error))) from error
    if sign_up is None or work.services.config.signups_per_hour == 0:
        return to_start(work)
    try:
        return _go(work, await _opening(work).open(work.actor, token_of(work), partial(_count, work)))
    except (RateLimited, Unavailable) as error:
        async with work.transaction(_REASON, read_only=True):
            chosen = await present(work) or sign_up
            return with_status(await _page(work, chosen, wait(error)), error.status)
    except Conflict as error:
        async with work.transaction(_REASON, read_only=True):
            raise TryAgain(work, await refused_address(work, sign_up, sign_up.slug, str(error))) from error


@blueprint.post(f"{START}/enter")
@site_page(transaction=False)
async def enter_again(work: SiteWork) -> Result:
    """Bring the owner of a shop that was just opened in again, as long as there is no password."""
    try:
        return _go(work, await _opening(work).open(work.actor, token_of(work), _nobody))
    except NotFound:
        return to_start(work)


@blueprint.post(f"{START}/another")
@site_page(transaction=False)
async def sign_up_another(work: SiteWork) -> Result:
    """Begin with another shop."""
    work.keep(SIGN_UP, None)
    return Redirect(START)


def _go(work: SiteWork, opened: Opened) -> Response:
    """Send the owner to the own host; the address is built from the tenant's record."""
    path = f"{ENTER}/{opened.token}" if opened.token else MANAGE.log_in
    return Response(status=_SEE_OTHER, headers={"Location": work.services.config.url(opened.tenant.host, path)})


async def _count(work: SiteWork, sign_up: SignUp) -> None:
    """Count one more shop: of this visitor, of this mail address, of everybody.

    Raises:
        RateLimited: one too many.
        Unavailable: it cannot be counted.
    """
    parts = work.services
    await check_limit(SIGN_UPS, work.request, parts)
    await parts.limiter.check(SIGN_UPS_OF_ADDRESS, None, sign_up.email)
    await parts.limiter.check(sign_ups_of_all(parts.config.signups_per_hour), None, "all")


async def _nobody(_sign_up: SignUp) -> None:
    """Admit nobody: what is not open yet is not opened by asking for the way in."""
    raise NotFound


def _opening(work: SiteWork) -> Opening:
    parts = work.services
    return Opening(parts.config, parts.database, parts.plugins, parts.office)


async def _page(work: SiteWork, sign_up: SignUp, error: str = "") -> OfferingPage:
    """The third form; it may be sent on to hosts of merchants, which the usual policy forbids."""
    config = work.services.config
    theirs = config.url(f"*.{config.base_domain}", "")
    work.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'", f"form-action 'self' {theirs}"
    )
    offerings = await list_offerings(work.session)
    known = {one.code for one in offerings}
    return OfferingPage(
        host=tenant_host(sign_up.slug, config.base_domain),
        tiles=[
            {"value": one.code, "label": _(one.title), "text": _room(one), "icon": _ICONS[min(place, len(_ICONS) - 1)]}
            for place, one in enumerate(offerings)
        ],
        offerings=offerings,
        matrix=matrix_of(offerings, work.services.plugins),
        chosen=sign_up.offering if sign_up.offering in known else offerings[0].code,
        error=error,
    )


def _room(offering: OfferingInfo) -> str:
    """How many shops and programs."""
    shops, programs = offering.limits.get("shops", 0), offering.limits.get("programs", 0)
    words = [
        _("shops without limit") if shops is None else ngettext("%(num)s shop", "%(num)s shops", shops),
        _("programs without limit") if programs is None else ngettext("%(num)s program", "%(num)s programs", programs),
    ]
    return ", ".join(words)
