"""The audit log: who did what, when, from where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from regulars.contracts.context import Context
from regulars.contracts.pages import PageContext
from regulars.domain.audit import service
from regulars.domain.audit.service import AuditFilter, AuditLine
from regulars.kernel import ids
from regulars.kernel.db.database import Database
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import pgettext
from regulars.kernel.templating.chrome import Link
from regulars.web.actions import action_title, detail_pairs
from regulars.web.exports import csv_response
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.manage.blueprint import blueprint, manage_page
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import Work

LIST = "/manage/audit"
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
class AuditRow:
    """A line of the log, in words.

    Attributes:
        subject_url: page of what was acted on, empty where there is none.
        details: (name, value).
    """

    line: AuditLine
    moment: str
    title: str
    subject_url: str
    details: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(PageContext):
    """A page of the log.

    Attributes:
        rows: the latest first.
        filters: kinds of actions.
        kept: the filter, for the search box.
        export_url: the same lines as a file.
    """

    template: ClassVar[str] = "manage/audit.html"
    rows: Sequence[AuditRow]
    pager: Pager
    query: AuditQuery
    filters: Sequence[Link]
    kept: dict[str, str]
    export_url: str


@blueprint.get("/audit")
@manage_page("audit.view")
async def audit_log(work: Work) -> Result:
    """A page of the log."""
    query = work.query(AuditQuery)
    found = await service.list_lines(work.session, work.ctx, query.wanted, query.request(PAGE_SIZE))
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    return AuditPage(
        rows=[_row(line) for line in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=_filters(query),
        kept={name: value for name, value in query.kept(q="").items() if value},
        export_url=url_of(f"{LIST}/export", query.kept()),
    )


@blueprint.get("/audit/export")
@manage_page("audit.view")
async def export_audit(work: Work) -> Result:
    """The log as a file."""
    wanted = work.query(AuditQuery).wanted
    return csv_response(_lines(work.services.database, work.ctx, wanted), f"{work.ctx.tenant.slug}-audit.csv")


async def _lines(database: Database, ctx: Context, wanted: AuditFilter) -> AsyncIterator[Sequence[str]]:
    yield [
        _("When"),
        _("Who"),
        _("Kind"),
        _("Action"),
        _("Outcome"),
        pgettext("acted upon", "On"),
        _("Details"),
        _("IP"),
        _("Device"),
    ]
    async for line in service.all_lines(database, ctx, wanted):
        details = "; ".join(f"{name}: {value}" for name, value in detail_pairs(line.details))
        yield [
            *(line.created_at.isoformat(timespec="seconds"), line.actor_name, line.actor_kind, line.action),
            *(line.outcome, line.subject_kind, details, line.ip, line.device),
        ]


def _row(line: AuditLine) -> AuditRow:
    return AuditRow(
        line=line,
        moment=moment_words(line.created_at),
        title=action_title(line.action),
        subject_url=_subject_url(line),
        details=detail_pairs(line.details),
    )


def _subject_url(line: AuditLine) -> str:
    pages = {"member": ("members", ids.MEMBER), "shop": ("shops", ids.SHOP)}
    if line.subject_id is None or line.subject_kind not in pages:
        return ""
    path, prefix = pages[line.subject_kind]
    return f"/manage/{path}/{ids.show(prefix, line.subject_id)}"


def _filters(query: AuditQuery) -> Sequence[Link]:
    kinds = (
        ("", _("All")),
        ("sale.", _("Sales")),
        ("reward.", _("Rewards")),
        ("member.", _("Members")),
        ("card.", _("Cards")),
        ("staff.", _("Staff")),
        ("program.", _("Program")),
        ("settings.", _("Settings")),
        ("plugin.", _("Extensions")),
        ("apikey.", _("API keys")),
        ("tenant.", _("By the platform")),
    )
    return [
        Link(label=label, url=url_of(LIST, query.kept(action=start)), active=query.action == start)
        for start, label in kinds
    ]
