"""Exceptions from the offering for one merchant: grants, denials and limits, each with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.tenants import overrides
from regulars.domain.tenants.console import TenantDetail
from regulars.domain.tenants.overrides import Override
from regulars.kernel.i18n import gettext as _
from regulars.web.again import TryAgain, faults_of
from regulars.web.console.blueprint import ReasonForm, ReasonPage, again, blueprint, operator_page, renew
from regulars.web.console.tenants import find_tenant
from regulars.web.console.wording import tenant_url
from regulars.web.results import Redirect, Result
from regulars.web.work import ConsoleWork

Kind = Literal["grant", "deny", "limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionPage(PageContext):
    """Grant or deny a feature, or set a limit.

    Attributes:
        title: of the feature or limit.
        values: field → what is shown.
        errors: field → sentence.
    """

    template: ClassVar[str] = "console/tenant_exception.html"
    name: str
    url: str
    kind: Kind
    feature: str
    title: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class ExceptionForm(ReasonForm):
    """An exception.

    Attributes:
        value: of a limit; empty for unlimited.
        until: last day on which it holds, empty for ever.
    """

    value: str = Field(default="", max_length=20)
    until: str = Field(default="", max_length=20)


@blueprint.get("/tenants/<tenant>/exceptions/<name>/<any(grant, deny, limit):kind>")
@operator_page
async def exception_form(work: ConsoleWork, tenant: str, name: str, kind: Kind) -> Result:
    """Ask for value, end and reason."""
    detail = await find_tenant(work, tenant)
    return _exception_page(work, detail, name, kind, {}, {})


@blueprint.post("/tenants/<tenant>/exceptions/<name>/<any(grant, deny, limit):kind>")
@operator_page
async def put_exception(work: ConsoleWork, tenant: str, name: str, kind: Kind) -> Result:
    """Store the exception; it replaces an earlier one of that name."""
    detail = await find_tenant(work, tenant)
    form = await work.form(ExceptionForm)
    try:
        wanted = form.require()
        override = Override(kind, name, _limit_value(kind, wanted.value), _end(wanted.until, detail))
        await overrides.put_override(
            work.session, work.services.catalogue, work.actor, detail.id, override, reason=wanted.reason
        )
    except InvalidInput as error:
        page = _exception_page(work, detail, name, kind, form.values, faults_of(error))
        raise TryAgain(work, page) from error
    renew(work)
    work.flash(_("Saved. It holds from the merchant's next click."))
    return Redirect(tenant_url(detail.id))


@blueprint.get("/tenants/<tenant>/exceptions/<name>/remove")
@operator_page
async def remove_exception_form(work: ConsoleWork, tenant: str, name: str) -> Result:
    """Say what holds afterwards, and ask why."""
    return _remove_page(work, await find_tenant(work, tenant), name)


@blueprint.post("/tenants/<tenant>/exceptions/<name>/remove")
@operator_page
async def remove_exception(work: ConsoleWork, tenant: str, name: str) -> Result:
    """Take the exception back."""
    detail = await find_tenant(work, tenant)
    page = _remove_page(work, detail, name)
    reason = ((await work.form(ReasonForm)).data or ReasonForm()).reason
    try:
        await overrides.remove_override(work.session, work.actor, detail.id, name, reason=reason)
    except InvalidInput as error:
        raise TryAgain(work, again(page, reason, error)) from error
    renew(work)
    work.flash(_("The exception is removed."))
    return Redirect(tenant_url(detail.id))


def _exception_page(
    work: ConsoleWork,
    detail: TenantDetail,
    name: str,
    kind: Kind,
    values: Mapping[str, str],
    errors: Mapping[str, str],
) -> ExceptionPage:
    catalogue = work.services.catalogue
    known = catalogue.limits if kind == "limit" else {key: one.title for key, one in catalogue.features.items()}
    if name not in known:
        raise NotFound
    return ExceptionPage(
        name=detail.profile.name,
        url=tenant_url(detail.id),
        kind=kind,
        feature=name,
        title=_(known[name]),
        values=values,
        errors={("value" if field == "name" else field): text for field, text in errors.items()},
    )


def _limit_value(kind: Kind, text: str) -> int | None:
    if kind != "limit" or not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        sentence = _("A whole number is needed, or nothing for unlimited.")
        raise InvalidInput(sentence, fields={"value": sentence}) from None


def _end(text: str, detail: TenantDetail) -> datetime | None:
    """The end of the last day, in the merchant's time zone."""
    if not text.strip():
        return None
    try:
        day = datetime.fromisoformat(text.strip()).date()
    except ValueError:
        sentence = _("A date such as 2027-12-31 is needed.")
        raise InvalidInput(sentence, fields={"until": sentence}) from None
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(detail.profile.timezone))


def _remove_page(work: ConsoleWork, detail: TenantDetail, name: str) -> ReasonPage:
    if name not in {one.override.name for one in detail.overrides}:
        raise NotFound
    catalogue, url = work.services.catalogue, tenant_url(detail.id)
    title = _(catalogue.features[name].title if name in catalogue.features else catalogue.limits.get(name, name))
    return ReasonPage(
        title=_("Remove the exception for “%(name)s”", name=title),
        crumbs=[(_("Merchants"), "/tenants"), (detail.profile.name, url), (_("Remove the exception"), "")],
        effects=[_("What the offering says holds again, from the merchant's next click.")],
        action=f"{url}/exceptions/{name}/remove",
        cancel_url=url,
        confirm=_("Remove the exception"),
    )
