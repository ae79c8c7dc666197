"""The platform at a glance: four figures, programs by kind, and every program with how busy it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from regulars.contracts.pages import PageContext
from regulars.domain.tenants import console
from regulars.domain.tenants.console import PlatformStats, ProgramFilter, ProgramLine
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.console.wording import Badge, activity_badge, amounts, kind_title, state_badge, tenant_url
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.results import Redirect, Result
from regulars.web.work import ConsoleWork

PAGE_SIZE = 25


class OverviewQuery(ListQuery):
    """The table's address."""

    kind: Literal["", "stamps", "points", "hybrid"] = ""
    status: Literal["", "active", "setup", "inactive"] = ""

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filters for other addresses of the table."""
        return {"q": self.q, "kind": self.kind, "status": self.status, **changes}


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """A program, in words."""

    line: ProgramLine
    url: str
    kind: str
    activity: Badge
    state: Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage(PageContext):
    """The overview.

    Attributes:
        saved: worth of all rewards, in words.
        shares: programs by kind, as the component `share` takes them.
        filters: kinds and states.
    """

    template: ClassVar[str] = "console/overview.html"
    stats: PlatformStats
    saved: str
    shares: Sequence[Mapping[str, object]]
    rows: Sequence[ProgramRow]
    pager: Pager
    query: OverviewQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]


@blueprint.get("/")
@operator_page
async def overview(work: ConsoleWork) -> Result:
    """Show it."""
    query = work.query(OverviewQuery)
    stats = await console.platform_stats(work.session)
    wanted = ProgramFilter(text=query.q, kind=query.kind, status=query.status)
    found = await console.list_programs(work.session, wanted, query.request(PAGE_SIZE))
    if beyond := beyond_url(found, "/", query.kept()):
        return Redirect(beyond)
    return OverviewPage(
        stats=stats,
        saved=amounts(stats.saved),
        shares=[{"label": kind_title(one.kind), "value": one.total, "percent": one.share} for one in stats.kinds],
        rows=[_row(line) for line in found.items],
        pager=make_pager(found, "/", query.kept()),
        query=query,
        filters=_filters(query),
        kept={name: value for name, value in query.kept(q="").items() if value},
    )


def _row(line: ProgramLine) -> ProgramRow:
    return ProgramRow(
        line=line,
        url=tenant_url(line.tenant_id),
        kind=kind_title(line.kind),
        activity=activity_badge(line.activity),
        state=state_badge(line.status),
    )


def _filters(query: OverviewQuery) -> Sequence[Link]:
    states = (("", _("All")), ("active", _("Active")), ("setup", _("Setup")), ("inactive", _("Closed")))
    return [
        Link(label=label, url=url_of("/", query.kept(status=state)), active=query.status == state)
        for state, label in states
    ]
