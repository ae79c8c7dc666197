"""The merchant's page: who has brought whom, and who was refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from pydantic import Field

from regulars.sdk import Context, PageContext
from regulars.sdk.db import TenantSession
from regulars.sdk.i18n import _
from regulars.sdk.web import Blueprint, Download, ListQuery, Pager, Result, Work, csv_bytes, make_pager, page
from regulars_referrals import repository
from regulars_referrals.repository import Row

PATH = "/manage/p/referrals/"
bp = Blueprint("referrals", __name__)


class InvitationsQuery(ListQuery):
    """The list's address."""

    status: str = Field(default="", pattern="^(waiting|bought|rewarded|refused)?$")

    def kept(self, **changes: str) -> dict[str, str]:
        """Search and filter for other addresses of the list."""
        return {"q": self.q, "status": self.status, **changes}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationsPage(PageContext):
    """Invitations, newest first.

    Attributes:
        rows: each with its status in words.
        filters: (label, address, whether it is chosen).
        kept: the filter, for the search box.
        export_url: the list as a file, empty for readers who may not take it away.
    """

    template: ClassVar[str] = "referrals/manage/invitations.html"
    rows: Sequence[tuple[Row, str]]
    pager: Pager
    query: InvitationsQuery
    filters: Sequence[tuple[str, str, bool]]
    kept: Mapping[str, str]
    export_url: str


@bp.get("/")
@page(audience="staff", permission="referrals.view")
async def referrals(work: Work) -> Result:
    """The list."""
    query = work.query(InvitationsQuery)
    found = await repository.invitations(work.session, query.status, query.q, query.request())
    statuses = (("", _("All")), ("waiting", _("Waiting")), ("bought", _("Has bought")))
    chips = (*statuses, ("rewarded", _("Rewarded")), ("refused", _("Refused")))
    return InvitationsPage(
        rows=[(row, _words(row)) for row in found.items],
        pager=make_pager(found, PATH, query.kept()),
        query=query,
        filters=[(label, _url(PATH, query.kept(status=name)), query.status == name) for name, label in chips],
        kept={"status": query.status} if query.status else {},
        export_url=_url(f"{PATH}export", query.kept()) if work.principal.may("referrals.export") else "",
    )


@bp.get("/export")
@page(audience="staff", permission="referrals.export")
async def export(work: Work) -> Result:
    """The list as a file."""
    query = work.query(InvitationsQuery)
    heading = [_("Member"), _("E-mail"), _("Friend"), _("E-mail"), _("Status"), _("Since")]

    async def lines(session: TenantSession) -> AsyncIterator[Sequence[str]]:
        yield heading
        async for row in repository.all_invitations(session, query.status, query.q):
            people = [row.member, row.member_email, row.friend, row.friend_email]
            yield [*people, _words(row), row.created_at.date().isoformat()]

    def chunks(session: TenantSession, _ctx: Context) -> AsyncIterator[bytes]:
        return csv_bytes(lines(session))

    return Download(f"{work.ctx.tenant.slug}-referrals.csv", "text/csv; charset=utf-8", chunks)


def _words(row: Row) -> str:
    """A status, or why it was refused."""
    statuses = {"waiting": _("Waiting"), "bought": _("Has bought"), "rewarded": _("Rewarded")}
    reasons = {
        "oneself": _("The same person"),
        "ring": _("Invited each other"),
        "same_place": _("From one connection, shortly after"),
        "closed": _("A card was closed"),
    }
    if row.is_same and row.status != "rewarded":
        return reasons["oneself"]
    words = statuses.get(row.status) or reasons.get(row.reason, row.reason)
    return _("Rewarded, the member had reached the limit") if row.limited else words


def _url(path: str, query: Mapping[str, str]) -> str:
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path
