"""Merchants: the list, its export, and one in detail with where each of its features comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field
from quart import Response

from regulars.contracts.pages import PageContext
from regulars.contracts.paging import MAX_PAGE_SIZE, PageRequest
from regulars.domain.audit import service as audit
from regulars.domain.audit.service import AuditFilter
from regulars.domain.domains.naming import show_name
from regulars.domain.domains.service import list_domains
from regulars.domain.staff.permissions import ROLE_TITLES
from regulars.domain.tenants import console
from regulars.domain.tenants.console import PluginSwitch, TenantDetail, TenantFilter, TenantLine
from regulars.domain.tenants.effective import EffectiveFeature, EffectiveLimit
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings
from regulars.kernel import ids
from regulars.kernel.db.database import Database
from regulars.kernel.i18n import format_date
from regulars.kernel.i18n import gettext as _
from regulars.kernel.plugins.presentation import BreakerState
from regulars.kernel.templating.chrome import Link
from regulars.web.actions import action_title
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.console.wording import Badge, activity_badge, limit_text, state_badge, tenant_url
from regulars.web.domain_words import domain_state
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.results import Redirect, Result
from regulars.web.when import day_words, moment_words
from regulars.web.work import ConsoleWork, read_id

LIST = "/tenants"
PAGE_SIZE = 25
LATEST_LINES = 8


class TenantsQuery(ListQuery):
    """The list's address."""

    offering: str = Field(default="", max_length=40)
    status: Literal["", "active", "setup", "unproved", "suspended", "closed"] = ""
    sandboxes: bool = False

    @property
    def wanted(self) -> TenantFilter:
        """What the service takes."""
        return TenantFilter(self.q, self.offering, self.status, sandboxes=self.sandboxes)

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filters for other addresses of the list."""
        sandboxes = "1" if self.sandboxes else ""
        return {"q": self.q, "offering": self.offering, "status": self.status, "sandboxes": sandboxes, **changes}


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A merchant in the list.

    Attributes:
        offering: its title.
        last_activity: in words, empty for none.
    """

    line: TenantLine
    url: str
    offering: str
    activity: Badge
    state: Badge
    last_activity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantsPage(PageContext):
    """The list.

    Attributes:
        states, offerings: filters.
        sandboxes: shows or hides sandboxes.
        export_url: the same list as a file.
    """

    template: ClassVar[str] = "console/tenants.html"
    rows: Sequence[TenantRow]
    pager: Pager
    query: TenantsQuery
    states: Sequence[Link]
    offerings: Sequence[Link]
    sandboxes: Link
    kept: Mapping[str, str]
    export_url: str


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature, with where its state comes from.

    Attributes:
        origin: in words.
        until: when an exception ends, empty for never.
        has_exception: whether a grant or denial is stored that can be removed.
    """

    effective: EffectiveFeature
    title: str
    origin: Badge
    until: str
    has_exception: bool
    url: str


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit; `used` is empty for those that the host does not count."""

    effective: EffectiveLimit
    title: str
    value: str
    used: str
    until: str
    url: str


@dataclass(frozen=True, slots=True)
class PluginRow:
    """An extension for one merchant.

    Attributes:
        permissions: (title, roles that hold it from the start).
        own: what the merchant has chosen, in words.
        is_on: whether it is in force.
        faults: faults in a row on this merchant's pages, in this process.
        last_fault: the last one, empty for none.
        is_off_by_faults: whether its contributions to pages are left out because of them.
    """

    name: str
    title: str
    version: str
    permissions: Sequence[tuple[str, str]]
    own: str
    is_on: bool
    switch: PluginSwitch
    faults: int
    last_fault: str
    is_off_by_faults: bool
    url: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the merchant's audit log, in words."""

    moment: str
    who: str
    title: str
    action: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPage(PageContext):
    """One merchant.

    Attributes:
        address: where customers find it.
        sibling_url: of its sandbox or live side, empty for none.
        domains: its own ones as people read them, and how each stands.
        lines: the latest of its audit log.
        origin: who made it, and whether its owner's address has proved right.
    """

    template: ClassVar[str] = "console/tenant.html"
    detail: TenantDetail
    url: str
    address: str
    state: Badge
    offering: str
    sibling_url: str
    domains: Sequence[tuple[str, Badge]]
    features: Sequence[FeatureRow]
    limits: Sequence[LimitRow]
    plugins: Sequence[PluginRow]
    lines: Sequence[LogLine]
    origin: str


@blueprint.get("/tenants")
@operator_page
async def tenant_list(work: ConsoleWork) -> Result:
    """A page of the list."""
    query = work.query(TenantsQuery)
    offerings = await list_offerings(work.session)
    titles = {one.code: _(one.title) for one in offerings}
    found = await console.list_tenants(work.session, query.wanted, query.request(PAGE_SIZE))
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    return TenantsPage(
        rows=[_row(line, titles) for line in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        states=_states(query),
        offerings=_offerings(query, offerings),
        sandboxes=Link(
            label=_("Sandboxes too"),
            url=url_of(LIST, query.kept(sandboxes="" if query.sandboxes else "1")),
            icon="flask-conical",
            active=query.sandboxes,
        ),
        kept={name: value for name, value in query.kept(q="").items() if value},
        export_url=url_of(f"{LIST}/export", query.kept()),
    )


@blueprint.get("/tenants/export")
@operator_page
async def export_tenants(work: ConsoleWork) -> Response:
    """The list as a file."""
    wanted = work.query(TenantsQuery).wanted
    return csv_response(_lines(work.services.database, wanted), "merchants.csv")


@blueprint.get("/tenants/<tenant>")
@operator_page
async def tenant_page(work: ConsoleWork, tenant: str) -> Result:
    """One merchant."""
    detail = await find_tenant(work, tenant)
    offerings = {one.code: _(one.title) for one in await list_offerings(work.session)}
    latest = await audit.list_lines_of(work.session, detail.id, AuditFilter(), PageRequest(1, LATEST_LINES))
    url, sibling = tenant_url(detail.id), detail.sandbox_id or detail.live_id
    return TenantPage(
        detail=detail,
        url=url,
        address=work.services.config.url(detail.hosts[0], "/") if detail.hosts else "",
        state=state_badge(detail.status),
        offering=offerings.get(detail.offering, detail.offering),
        sibling_url=tenant_url(sibling) if sibling else "",
        domains=[(show_name(one.host), domain_state(one)) for one in await list_domains(work.session, detail.id)],
        features=[_feature(one, detail, url) for one in detail.features],
        limits=[_limit(one, detail, url) for one in detail.limits],
        plugins=[_plugin(work, one, detail, url) for one in detail.plugins],
        lines=[
            LogLine(
                moment_words(line.created_at),
                line.actor_name or _("Visitor"),
                action_title(line.action),
                line.action,
                line.outcome == "refused",
            )
            for line in latest.items
        ],
        origin=_origin(detail),
    )


def _origin(detail: TenantDetail) -> str:
    if detail.signed_up_at is None:
        return _("an operator")
    if detail.verify_by is None:
        return _("sign-up")
    return _("sign-up; address to be proved by %(day)s", day=format_date(detail.verify_by))


async def find_tenant(work: ConsoleWork, text: str) -> TenantDetail:
    """The merchant that an address names.

    Raises:
        NotFound: there is none.
    """
    return await console.tenant_detail(work.session, work.services.catalogue, read_id(ids.TENANT, text))


async def _lines(database: Database, wanted: TenantFilter) -> AsyncIterator[Sequence[str]]:
    yield [
        *(_("Name"), _("Address"), _("Offering"), _("Status"), _("Members"), _("Cards"), _("Activity"), _("Since")),
        *(_("Signed up"), _("Address to be proved by")),
    ]
    number, last = 1, 1
    while number <= last:
        async with database.platform("console: export merchants") as session:
            found = await console.list_tenants(session, wanted, PageRequest(number, MAX_PAGE_SIZE))
        for line in found.items:
            figures = [str(line.members), str(line.cards), line.activity, line.created_at.date().isoformat()]
            own = [moment.date().isoformat() if moment else "" for moment in (line.signed_up_at, line.verify_by)]
            yield [line.name, line.host, line.offering, line.state, *figures, *own]
        number, last = number + 1, found.pages


def _row(line: TenantLine, titles: Mapping[str, str]) -> TenantRow:
    return TenantRow(
        line=line,
        url=tenant_url(line.id),
        offering=titles.get(line.offering, line.offering),
        activity=activity_badge(line.activity),
        state=state_badge(line.state),
        last_activity=day_words(line.last_activity_at) if line.last_activity_at else "",
    )


def _states(query: TenantsQuery) -> Sequence[Link]:
    states = (
        ("", _("All")),
        ("active", _("Active")),
        ("setup", _("Setup")),
        ("unproved", _("Address not proved")),
        ("suspended", _("Suspended")),
    )
    return [
        Link(label=label, url=url_of(LIST, query.kept(status=state)), active=query.status == state)
        for state, label in states
    ]


def _offerings(query: TenantsQuery, offerings: Sequence[OfferingInfo]) -> Sequence[Link]:
    return [
        Link(
            label=_(one.title),
            url=url_of(LIST, query.kept(offering="" if query.offering == one.code else one.code)),
            active=query.offering == one.code,
        )
        for one in offerings
    ]


def _feature(one: EffectiveFeature, detail: TenantDetail, url: str) -> FeatureRow:
    origins: Mapping[str, Badge] = {
        "offering": (_("Offering"), "", "package"),
        "grant": (_("Granted"), "info", "circle-plus"),
        "denial": (_("Denied"), "warning", "circle-minus"),
        "not_included": (_("Not in the offering"), "", "minus"),
        "switched_off": (_("Switched off by the merchant"), "", "power-off"),
        "kill_switch": (_("Kill switch"), "error", "octagon-x"),
        "requirement_missing": (_("Needs another extension"), "warning", "link-2-off"),
        "plugin_off": (_("Its extension is off"), "", "minus"),
    }
    stored = {override.override.name for override in detail.overrides if override.override.kind != "limit"}
    return FeatureRow(
        effective=one,
        title=_(one.feature.title),
        origin=origins[one.origin],
        until=format_date(one.expires_at) if one.expires_at else "",
        has_exception=one.feature.name in stored,
        url=f"{url}/exceptions/{one.feature.name}",
    )


def _limit(one: EffectiveLimit, detail: TenantDetail, url: str) -> LimitRow:
    return LimitRow(
        effective=one,
        title=_(one.title),
        value=limit_text(one.value),
        used=str(detail.used[one.name]) if one.name in detail.used else "",
        until=format_date(one.expires_at) if one.expires_at else "",
        url=f"{url}/exceptions/{one.name}",
    )


def _plugin(work: ConsoleWork, switch: PluginSwitch, detail: TenantDetail, url: str) -> PluginRow:
    plugin = work.services.plugins.plugin(switch.plugin)
    own = {True: _("on"), False: _("off"), None: _("no choice (on)")}
    state = next((one for one in _faults(work, detail.id) if one.plugin == switch.plugin), None)
    titles: dict[str, str] = {role: _(title) for role, title in ROLE_TITLES.items()}
    return PluginRow(
        name=switch.plugin,
        title=_(plugin.manifest.title),
        version=plugin.candidate.version,
        permissions=[
            (_(one.title), ", ".join(titles[role] for role in ("owner", *one.roles)))
            for one in plugin.manifest.permissions
        ],
        own=own[switch.switched_on],
        is_on=any(one.on for one in detail.features if one.feature.name == switch.plugin),
        switch=switch,
        faults=state.faults if state else 0,
        last_fault=state.last if state else "",
        is_off_by_faults=state is not None and state.is_off,
        url=f"{url}/plugins/{switch.plugin}",
    )


def _faults(work: ConsoleWork, tenant_id: UUID) -> Sequence[BreakerState]:
    return [one for one in work.services.presenter.breaker.states() if one.tenant_id == tenant_id]
