"""The merchant's page of the plugin: who has reached which milestone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regulars.sdk import PageContext
from regulars.sdk.web import Blueprint, ListQuery, Pager, Result, Work, make_pager, page
from regulars_stamps import queries
from regulars_stamps.queries import ReachedMilestone

PATH = "/manage/p/stamps/"
bp = Blueprint("stamps", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestonesPage(PageContext):
    """Milestones that were reached, newest first.

    Attributes:
        rows: one page of them.
        pager: the way to the others.
    """

    template: ClassVar[str] = "stamps/manage/milestones.html"
    rows: Sequence[ReachedMilestone]
    pager: Pager


@bp.get("/")
@page(audience="staff", permission="stamps.view")
async def milestones(work: Work) -> Result:
    """The list."""
    wanted = work.query(ListQuery).request()
    paged = await queries.reached_milestones(work.session, wanted)
    return MilestonesPage(rows=paged.items, pager=make_pager(paged, PATH, {}))
