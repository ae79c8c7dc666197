"""Jobs: waiting, running, dead with their errors, and the last runs of scheduled tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.operators import jobs
from regulars.domain.operators.jobs import JobFilter, JobLine, LastRun
from regulars.kernel import ids
from regulars.kernel.i18n import format_number
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.console.wording import Badge, tenant_url
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.results import Redirect, Result
from regulars.web.when import moment_words
from regulars.web.work import ConsoleWork, read_id

LIST = "/jobs"
PAGE_SIZE = 50
_LONGEST_ERROR = 160


class JobsQuery(ListQuery):
    """The list's address."""

    status: Literal["", "queued", "running", "dead", "done"] = ""

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "status": self.status, **changes}


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job, in words.

    Attributes:
        error: the first line of it; `whole_error` is all.
        retry_url: of a dead one, else empty.
        progress: `120 / 500`, empty where it does not say.
    """

    line: JobLine
    state: Badge
    moment: str
    tenant_url: str
    error: str
    whole_error: str
    retry_url: str
    progress: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """The last run of a scheduled task, in words."""

    run: LastRun
    scheduled: str
    finished: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage(PageContext):
    """The list.

    Attributes:
        counts: status → how many.
        runs: of scheduled tasks.
    """

    template: ClassVar[str] = "console/jobs.html"
    rows: Sequence[JobRow]
    pager: Pager
    query: JobsQuery
    counts: Mapping[str, int]
    filters: Sequence[Link]
    kept: Mapping[str, str]
    runs: Sequence[RunRow]


@blueprint.get("/jobs")
@operator_page
async def job_list(work: ConsoleWork) -> Result:
    """The list."""
    query = work.query(JobsQuery)
    counts = await jobs.count_jobs(work.session)
    found = await jobs.list_jobs(work.session, JobFilter(query.status, query.q), query.request(PAGE_SIZE))
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    return JobsPage(
        rows=[_row(line) for line in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        counts=counts,
        filters=_filters(query, counts),
        kept={name: value for name, value in query.kept(q="").items() if value},
        runs=[
            RunRow(run, moment_words(run.scheduled_at), moment_words(run.finished_at) if run.finished_at else "")
            for run in await jobs.last_runs(work.session)
        ],
    )


@blueprint.post("/jobs/<tenant>/<job>/retry")
@operator_page
async def retry_job(work: ConsoleWork, tenant: str, job: str) -> Result:
    """Queue a dead job once more."""
    try:
        job_id = UUID(hex=job)
    except ValueError:
        raise NotFound from None
    await jobs.retry(work.session, work.actor, read_id(ids.TENANT, tenant), job_id)
    work.flash(_("The job is queued again."))
    return Redirect(LIST)


def _row(line: JobLine) -> JobRow:
    states: Mapping[str, Badge] = {
        "queued": (_("Waiting"), "info", "clock"),
        "running": (_("Running"), "primary", "loader"),
        "dead": (_("Dead"), "error", "skull"),
        "done": (_("Done"), "success", "check"),
    }
    first = line.error.strip().partition("\n")[0]
    return JobRow(
        line=line,
        state=states.get(line.status, (line.status, "", "")),
        moment=moment_words(line.finished_at or line.run_at),
        tenant_url=tenant_url(line.tenant_id),
        error=first[:_LONGEST_ERROR],
        whole_error=line.error.strip(),
        retry_url=f"{LIST}/{ids.show(ids.TENANT, line.tenant_id)}/{line.id.hex}/retry" if line.status == "dead" else "",
        progress=_progress(line),
    )


def _progress(line: JobLine) -> str:
    if line.progress is None:
        return ""
    done = format_number(line.progress)
    return done if line.progress_total is None else f"{done} / {format_number(line.progress_total)}"


def _filters(query: JobsQuery, counts: Mapping[str, int]) -> Sequence[Link]:
    titles = (
        ("", _("All")),
        ("queued", _("Waiting")),
        ("running", _("Running")),
        ("dead", _("Dead")),
        ("done", _("Done")),
    )
    return [
        Link(
            label=label,
            url=url_of(LIST, query.kept(status=status)),
            active=query.status == status,
            badge=format_number(counts[status]) if status else "",
        )
        for status, label in titles
    ]
