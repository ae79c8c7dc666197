"""What operators decide for one merchant: offering, kill switches, suspension. Each with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.tenants import overrides, service
from regulars.domain.tenants.console import TenantDetail
from regulars.domain.tenants.effective import Inputs, explain_features, explain_limits
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.console.blueprint import ReasonForm, ReasonPage, again, blueprint, operator_page, renew
from regulars.web.console.tenants import find_tenant
from regulars.web.console.wording import limit_text, tenant_url
from regulars.web.results import Redirect, Result
from regulars.web.work import ConsoleWork


@dataclass(frozen=True, slots=True)
class OfferingTile:
    """An offering to choose.

    Attributes:
        url: shows what it would mean.
    """

    code: str
    title: str
    url: str
    is_present: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingPage(PageContext):
    """Give a merchant another offering.

    Attributes:
        chosen: the one whose meaning is shown, `None` at first.
        switched_on, switched_off: titles of features.
        limits: (title, now, then) of limits that change.
        notes: what is beyond the new limits.
    """

    template: ClassVar[str] = "console/tenant_offering.html"
    name: str
    url: str
    tiles: Sequence[OfferingTile]
    chosen: OfferingTile | None = None
    switched_on: Sequence[str] = ()
    switched_off: Sequence[str] = ()
    limits: Sequence[tuple[str, str, str]] = ()
    notes: Sequence[str] = ()
    reason: str = ""
    error: str = ""


class OfferingQuery(BaseModel):
    """Which offering is looked at."""

    to: str = ""


class OfferingForm(ReasonForm):
    """Which offering, and why."""

    to: str = ""


@blueprint.get("/tenants/<tenant>/offering")
@operator_page
async def tenant_offering_form(work: ConsoleWork, tenant: str) -> Result:
    """Choose an offering and see what it would mean."""
    detail = await find_tenant(work, tenant)
    return await _offering_page(work, detail, work.query(OfferingQuery).to)


@blueprint.post("/tenants/<tenant>/offering")
@operator_page
async def set_tenant_offering(work: ConsoleWork, tenant: str) -> Result:
    """Give the merchant the offering."""
    detail = await find_tenant(work, tenant)
    form = (await work.form(OfferingForm)).data or OfferingForm()
    try:
        await service.set_offering(work.session, work.actor, detail.id, form.to, reason=form.reason)
    except InvalidInput as error:
        sentence = faults_of(error).get("reason", error.detail)
        page = await _offering_page(work, detail, form.to, reason=form.reason, error=sentence)
        raise TryAgain(work, page) from error
    renew(work)
    work.flash(_("The offering is changed. It holds from the merchant's next click."))
    return Redirect(tenant_url(detail.id))


@blueprint.get("/tenants/<tenant>/plugins/<name>/<any(kill, revive):action>")
@operator_page
async def tenant_kill_form(work: ConsoleWork, tenant: str, name: str, action: str) -> Result:
    """Say what it means, and ask why."""
    return _kill_page(work, await find_tenant(work, tenant), name, action)


@blueprint.post("/tenants/<tenant>/plugins/<name>/<any(kill, revive):action>")
@operator_page
async def tenant_kill(work: ConsoleWork, tenant: str, name: str, action: str) -> Result:
    """Stop an extension for this merchant, or let it work again."""
    detail = await find_tenant(work, tenant)
    page = _kill_page(work, detail, name, action)
    reason = ((await work.form(ReasonForm)).data or ReasonForm()).reason
    try:
        if action == "kill":
            await overrides.kill(work.session, work.services.catalogue, work.actor, name, detail.id, reason=reason)
        else:
            await overrides.revive(work.session, work.actor, name, detail.id, reason=reason)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, again(page, reason, error)) from error
    renew(work)
    work.flash(_("The extension is stopped.") if action == "kill" else _("The extension works again."))
    return Redirect(tenant_url(detail.id))


@blueprint.get("/tenants/<tenant>/<any(suspend, reactivate):action>")
@operator_page
async def tenant_status_form(work: ConsoleWork, tenant: str, action: str) -> Result:
    """Say what it means, and ask why."""
    return _status_page(await find_tenant(work, tenant), action)


@blueprint.post("/tenants/<tenant>/<any(suspend, reactivate):action>")
@operator_page
async def set_tenant_status(work: ConsoleWork, tenant: str, action: str) -> Result:
    """Suspend the merchant, or let it work again."""
    detail = await find_tenant(work, tenant)
    reason = ((await work.form(ReasonForm)).data or ReasonForm()).reason
    status: Literal["active", "suspended"] = "suspended" if action == "suspend" else "active"
    try:
        await service.set_status(work.session, work.actor, detail.id, status, reason=reason)
    except (InvalidInput, Conflict) as error:
        raise TryAgain(work, again(_status_page(detail, action), reason, error)) from error
    renew(work)
    work.flash(_("The merchant is suspended.") if action == "suspend" else _("The merchant works again."))
    return Redirect(tenant_url(detail.id))


async def _offering_page(
    work: ConsoleWork, detail: TenantDetail, code: str, *, reason: str = "", error: str = ""
) -> OfferingPage:
    url = tenant_url(detail.id, "/offering")
    offerings = await list_offerings(work.session)
    tiles = [
        OfferingTile(one.code, _(one.title), f"{url}?to={one.code}", one.code == detail.offering, one.code == code)
        for one in offerings
    ]
    chosen = next((one for one in offerings if one.code == code and code != detail.offering), None)
    page = OfferingPage(name=detail.profile.name, url=tenant_url(detail.id), tiles=tiles)
    if chosen is None:
        return page if not error else replace(page, error=error, reason=reason)
    inputs = _inputs(detail, chosen)
    then = {one.feature.name for one in explain_features(work.services.catalogue, inputs) if one.on}
    limits = explain_limits(work.services.catalogue, inputs)
    return replace(
        page,
        chosen=next(tile for tile in tiles if tile.code == chosen.code),
        switched_on=[_(one.feature.title) for one in detail.features if not one.on and one.feature.name in then],
        switched_off=[_(one.feature.title) for one in detail.features if one.on and one.feature.name not in then],
        limits=[
            (_(now.title), limit_text(now.value), limit_text(later.value))
            for now, later in zip(detail.limits, limits, strict=True)
            if now.value != later.value
        ],
        notes=[
            _(
                "%(title)s: %(used)s are in use and %(allowed)s allowed. They all stay; new ones are refused.",
                title=_(one.title),
                used=detail.used[one.name],
                allowed=one.value,
            )
            for one in limits
            if one.value is not None and detail.used.get(one.name, 0) > one.value
        ],
        reason=reason,
        error=error,
    )


def _inputs(detail: TenantDetail, offering: OfferingInfo) -> Inputs:
    """All that would decide with another offering."""
    return Inputs(
        features=offering.features,
        limits=offering.limits,
        overrides=detail.overrides,
        switches={one.plugin: one.switched_on for one in detail.plugins if one.switched_on is not None},
        killed=[one.killed for one in detail.plugins if one.killed is not None],
        now=datetime.now(UTC),
    )


def _kill_page(work: ConsoleWork, detail: TenantDetail, name: str, action: str) -> ReasonPage:
    if name not in work.services.catalogue.plugins:
        raise NotFound
    title, url = _(work.services.plugins.plugin(name).manifest.title), tenant_url(detail.id)
    if action == "revive":
        return ReasonPage(
            title=_("Let “%(name)s” work again", name=title),
            crumbs=_crumbs(detail, title),
            effects=[_("It is in force again as far as offering and merchant want it. Its data is as it was.")],
            action=f"{url}/plugins/{name}/revive",
            cancel_url=url,
            confirm=_("Let it work again"),
            is_danger=False,
        )
    return ReasonPage(
        title=_("Stop “%(name)s” for %(merchant)s", name=title, merchant=detail.profile.name),
        crumbs=_crumbs(detail, title),
        effects=kill_effects(),
        action=f"{url}/plugins/{name}/kill",
        cancel_url=url,
        confirm=_("Stop the extension"),
    )


def kill_effects() -> Sequence[str]:
    """What a kill switch does, whoever it is for."""
    return [
        _("Menus, pages, API paths, rules and jobs of the extension stop within a second, on every process."),
        _("Extensions that need it stop too. Everything else goes on."),
        _("Its data stays, and the switch can be taken back at any time."),
    ]


def _status_page(detail: TenantDetail, action: str) -> ReasonPage:
    name, url = detail.profile.name, tenant_url(detail.id)
    if action == "reactivate":
        return ReasonPage(
            title=_("Let %(name)s work again", name=name),
            crumbs=_crumbs(detail, _("Reactivate")),
            effects=[_("Pages, terminal and API answer again. Nothing was lost.")],
            action=f"{url}/reactivate",
            cancel_url=url,
            confirm=_("Reactivate"),
            is_danger=False,
        )
    return ReasonPage(
        title=_("Suspend %(name)s", name=name),
        crumbs=_crumbs(detail, _("Suspend")),
        effects=[
            _("Customers, staff and API of this merchant and its sandbox are turned away from the next request on."),
            _("Everything stays stored. Reactivate the merchant and all goes on."),
        ],
        action=f"{url}/suspend",
        cancel_url=url,
        confirm=_("Suspend the merchant"),
    )


def _crumbs(detail: TenantDetail, last: str) -> Sequence[tuple[str, str]]:
    return [(_("Merchants"), "/tenants"), (detail.profile.name, tenant_url(detail.id)), (last, "")]
