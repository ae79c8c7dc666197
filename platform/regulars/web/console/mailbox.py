"""The mailbox: every mail of every merchant, with what became of it. Without a mail server it is where mails end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from quart import Response

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.messaging import mailbox
from regulars.domain.messaging.mailbox import MailFilter, MailLine, MailView
from regulars.kernel import ids
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Link
from regulars.web.console.blueprint import blueprint, operator_page
from regulars.web.console.wording import Badge, tenant_url
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager, url_of
from regulars.web.results import Redirect, Result
from regulars.web.toolkit import console_page
from regulars.web.when import moment_words
from regulars.web.work import ConsoleWork, read_id

LIST = "/mail"
PAGE_SIZE = 50
_POLICY = (
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src http: https: data:",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
    "sandbox allow-popups allow-popups-to-escape-sandbox",
)
LOCKED_IN = "; ".join(_POLICY)
"""Policy of a mail's HTML: no script, no form, an origin of its own; links may open a page of their own."""


class MailQuery(ListQuery):
    """The list's address."""

    status: Literal["", "queued", "sending", "sent", "kept", "failed"] = ""

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "status": self.status, **changes}


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail in the list, in words."""

    line: MailLine
    url: str
    state: Badge
    moment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxPage(PageContext):
    """The list.

    Attributes:
        has_server: whether mails leave this installation.
    """

    template: ClassVar[str] = "console/mailbox.html"
    rows: Sequence[MailRow]
    pager: Pager
    query: MailQuery
    filters: Sequence[Link]
    kept: Mapping[str, str]
    has_server: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPage(PageContext):
    """One mail.

    Attributes:
        html_url: its HTML part, for the frame.
    """

    template: ClassVar[str] = "console/mail.html"
    mail: MailView
    state: Badge
    created: str
    sent: str
    html_url: str
    tenant_url: str


@blueprint.get("/mail")
@operator_page
async def mail_list(work: ConsoleWork) -> Result:
    """The list."""
    query = work.query(MailQuery)
    found = await mailbox.list_mails(work.session, MailFilter(query.status, query.q), query.request(PAGE_SIZE))
    if beyond := beyond_url(found, LIST, query.kept()):
        return Redirect(beyond)
    return MailboxPage(
        rows=[MailRow(line, _url(line), _state(line), moment_words(line.created_at)) for line in found.items],
        pager=make_pager(found, LIST, query.kept()),
        query=query,
        filters=_filters(query),
        kept={name: value for name, value in query.kept(q="").items() if value},
        has_server=work.services.config.smtp_host is not None,
    )


@blueprint.get("/mail/<tenant>/<mail>")
@console_page(transaction=False)
async def mail_page(work: ConsoleWork, tenant: str, mail: str) -> Result:
    """One mail."""
    found = await _find(work, tenant, mail)
    return MailPage(
        mail=found,
        state=_state(found.line),
        created=moment_words(found.line.created_at),
        sent=moment_words(found.line.sent_at) if found.line.sent_at else "",
        html_url=f"{_url(found.line)}/html",
        tenant_url=tenant_url(found.line.tenant_id),
    )


@blueprint.get("/mail/<tenant>/<mail>/html")
@console_page(transaction=False)
async def mail_html(work: ConsoleWork, tenant: str, mail: str) -> Result:
    """A mail's HTML part, locked in; its links open in a page of their own."""
    found = await _find(work, tenant, mail)
    html = found.html.replace("<head>", '<head><base target="_blank">', 1)
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = LOCKED_IN
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


async def _find(work: ConsoleWork, tenant: str, mail: str) -> MailView:
    tenant_id = read_id(ids.TENANT, tenant)
    try:
        mail_id = UUID(hex=mail)
    except ValueError:
        raise NotFound from None
    async with work.services.database.platform("console: read a mail") as session:
        return await mailbox.get_mail(session, tenant_id, mail_id)


def _url(line: MailLine) -> str:
    return f"{LIST}/{ids.show(ids.TENANT, line.tenant_id)}/{line.id.hex}"


def _state(line: MailLine) -> Badge:
    states: Mapping[str, Badge] = {
        "queued": (_("Waiting"), "info", "clock"),
        "sending": (_("On its way"), "primary", "send"),
        "sent": (_("Sent"), "success", "check"),
        "kept": (_("Kept here"), "", "inbox"),
        "failed": (_("Failed"), "error", "circle-x"),
    }
    return states.get(line.status, (line.status, "", ""))


def _filters(query: MailQuery) -> Sequence[Link]:
    titles = (
        ("", _("All")),
        ("queued", _("Waiting")),
        ("sent", _("Sent")),
        ("kept", _("Kept here")),
        ("failed", _("Failed")),
    )
    return [
        Link(label=label, url=url_of(LIST, query.kept(status=status)), active=query.status == status)
        for status, label in titles
    ]
