"""The public list of changes of a program's rules: what holds since when, and what is to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.contracts.paging import Paged
from regulars.domain.programs import changes
from regulars.domain.programs.changes import Change
from regulars.kernel.i18n import gettext as _
from regulars.web.lists import ListQuery, Pager, beyond_url, make_pager
from regulars.web.portal.blueprint import blueprint, open_page
from regulars.web.results import Redirect, Result
from regulars.web.work import Work

LIST = "/program/changes"


@dataclass(frozen=True, slots=True)
class PublicChange:
    """A change as customers see it.

    Attributes:
        at: from when it holds.
        parts: what it is about.
        note: the merchant's words, perhaps none.
        is_planned: it is still to come.
        is_withdrawn: it was announced, and does not come.
    """

    at: datetime
    parts: str
    note: str
    is_planned: bool = False
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage(PageContext):
    """The list.

    Attributes:
        changes: the latest first.
        timezone: of the program.
    """

    template: ClassVar[str] = "portal/changes.html"
    changes: Sequence[PublicChange]
    timezone: str
    pager: Pager


@blueprint.get("/program/changes")
@open_page
async def program_changes(work: Work) -> Result:
    """Show the list, empty while there is no program."""
    request, timezone = work.query(ListQuery).request(), work.ctx.tenant.timezone
    try:
        program = (await work.services.programs.programs(work.session, work.ctx.tenant)).default
    except NotFound:
        found: Paged[Change] = Paged((), 0, request)
    else:
        found, timezone = await changes.list_public(work.session, program.id, request), program.timezone
    if beyond := beyond_url(found, LIST, {}):
        return Redirect(beyond)
    return ChangesPage(
        changes=[_public(work, one) for one in found.items],
        timezone=timezone,
        pager=make_pager(found, LIST, {}),
    )


def _public(work: Work, change: Change) -> PublicChange:
    registry = work.services.plugins
    titles = [_(registry.plugin(name).manifest.title) for name in change.values if name in registry.names]
    return PublicChange(
        at=change.effective_from,
        parts=", ".join(titles),
        note=change.note,
        is_planned=change.status == "planned",
        is_withdrawn=change.status == "withdrawn",
    )
