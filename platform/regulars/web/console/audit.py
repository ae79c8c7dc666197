"""The platform's audit log, and a merchant's as operators read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field
from quart import Response

from regulars.contracts.pages import PageContext
from regulars.contracts.paging import MAX_PAGE_SIZE, PageRequest
from regulars.domain.audit import service
from regulars.domain.audit.service import AuditFilter
from regulars.kernel.db.database import Database
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import pgettext
from regulars.kernel.templating.chrome import Link
from regulars.web.actions import action_title, actor_title, detail_pairs
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.console.tenants import find_tenant
from regulars.web.console.wording import tenant_url
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import ConsoleWork

LIST = "/audit"
PAGE_SIZE = 50


class AuditQuery(ListQuery):
    """The list's address; `action` is the start of an action's name."""

    action: str = Field(default="", max_length=60, pattern=r"^[a-z_.]*$")

    @property
    def wanted(self) -> AuditFilter:
        """What the service takes."""
        return AuditFilter(action=self.action, actor=self.q)

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "action": self.action, **changes}


@dataclass(frozen=True, slots=True)
class LogRow:
    """A line of a log, in words.

    Attributes:
        on: what was acted on.
        reason: the operator's words, empty in a merchant's log.
        is_refused: whether it was refused.
    """

    moment: str
    who: str
    kind: str
    title: str
    action: str
    on: str
    reason: str
    is_refused: bool
    details: Sequence[tuple[str, str]]
    ip: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage(PageContext):
    """A page of a log.

    Attributes:
        title: whose log.
        crumbs: the way to it, empty for the platform's own.
        export_url: the same lines as a file, empty where there is none.
    """

    template: ClassVar[str] = "console/audit.html"
    title: str
    path: str
    crumbs: Sequence[tuple[str, str]]
    rows: Sequence[LogRow]
    pager: Pager
    query: AuditQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]
    export_url: str


@blueprint.get("/audit")
@operator_page
async def platform_log(work: ConsoleWork) -> Result:
    """What operators and the platform's own jobs did."""
    query = work.query(AuditQuery)
    found = await service.list_platform(work.session, query.wanted, query.request(PAGE_SIZE))
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    return LogPage(
        title=_("Audit log"),
        path=LIST,
        crumbs=(),
        rows=[
            _row(line, on=line.subject if line.subject != "*" else _("everybody"), reason=line.reason)
            for line in found.items
        ],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=_filters(query, LIST, ("tenant.", "offering.", "plugin.", "operator.", "job.")),
        kept={name: value for name, value in query.kept(q="").items() if value},
        export_url=url_of(f"{LIST}/export", query.kept()),
    )


@blueprint.get("/audit/export")
@operator_page
async def export_platform_log(work: ConsoleWork) -> Response:
    """The log as a file."""
    return csv_response(_lines(work.services.database, work.query(AuditQuery).wanted), "platform-audit.csv")


@blueprint.get("/tenants/<tenant>/audit")
@operator_page
async def tenant_log(work: ConsoleWork, tenant: str) -> Result:
    """A merchant's own log."""
    detail = await find_tenant(work, tenant)
    query, path = work.query(AuditQuery), tenant_url(detail.id, "/audit")
    found = await service.list_lines_of(work.session, detail.id, query.wanted, query.request(PAGE_SIZE))
    if beyond := beyond_url(found, path, query.kept()):
        return Redirect(beyond)
    name = detail.profile.name
    return LogPage(
        title=_("Audit log of %(name)s", name=name),
        path=path,
        crumbs=[(_("Merchants"), "/tenants"), (name, tenant_url(detail.id)), (_("Audit log"), "")],
        rows=[
            _row(line, on=line.subject_kind, reason="", is_refused=line.outcome == "refused") for line in found.items
        ],
        pager=make_pager(found, path, query.kept()),
        query=query,
        filters=_filters(query, path, ("sale.", "reward.", "member.", "staff.", "settings.", "tenant.", "plugin.")),
        kept={name: value for name, value in query.kept(q="").items() if value},
        export_url="",
    )


async def _lines(database: Database, wanted: AuditFilter) -> AsyncIterator[Sequence[str]]:
    yield [
        _("When"),
        _("Who"),
        _("Action"),
        pgettext("acted upon", "On"),
        _("Reason"),
        _("Details"),
        _("IP"),
        _("Device"),
    ]
    number, last = 1, 1
    while number <= last:
        async with database.platform("console: export the audit log") as session:
            found = await service.list_platform(session, wanted, PageRequest(number, MAX_PAGE_SIZE))
        for line in found.items:
            details = "; ".join(f"{name}: {value}" for name, value in detail_pairs(line.details))
            moment = line.created_at.isoformat(timespec="seconds")
            yield [moment, line.actor_name, line.action, line.subject, line.reason, details, line.ip, line.device]
        number, last = number + 1, found.pages


def _row(line: Any, *, on: str, reason: str, is_refused: bool = False) -> LogRow:
    created: datetime = line.created_at
    return LogRow(
        moment=moment_words(created),
        who=line.actor_name or _("Visitor"),
        kind=actor_title(line.actor_kind),
        title=action_title(line.action),
        action=line.action,
        on=on,
        reason=reason,
        is_refused=is_refused,
        details=detail_pairs(line.details),
        ip=line.ip,
        device=line.device,
    )


def _filters(query: AuditQuery, path: str, starts: Sequence[str]) -> Sequence[Link]:
    titles = {
        "tenant.": _("Merchants"),
        "offering.": _("Offerings"),
        "plugin.": _("Extensions"),
        "operator.": _("Operators"),
        "job.": _("Jobs"),
        "sale.": _("Sales"),
        "reward.": _("Rewards"),
        "member.": _("Members"),
        "staff.": _("Staff"),
        "settings.": _("Settings"),
    }
    return [
        Link(
            label=titles[start] if start else _("All"),
            url=url_of(path, query.kept(action=start)),
            active=query.action == start,
        )
        for start in ("", *starts)
    ]
