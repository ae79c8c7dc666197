"""The merchant's home: the brand, what there is to win, and the way to a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.contracts.slots import ProgramSlot
from regulars.web.portal.blueprint import blueprint, open_page
from regulars.web.portal.navigation import CARD
from regulars.web.portal.program import Promise, promise_of
from regulars.web.results import Redirect, Result
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage(PageContext):
    """The first page that somebody sees of a merchant.

    Attributes:
        name: of the merchant.
        tagline: one line under it, empty for none.
        promise: what the program gives, `None` when there is none to join.
        preview: data of the slot that shows a card as it looks shortly before the reward.
    """

    template: ClassVar[str] = "portal/home.html"
    name: str
    tagline: str
    promise: Promise | None
    preview: ProgramSlot | None


@blueprint.get("/")
@open_page
async def home(work: Work) -> Result:
    """Welcome strangers; members go on to their card."""
    if work.ctx.principal.kind == "member":
        return Redirect(CARD)
    promise = await promise_of(work)
    tenant = work.ctx.tenant
    return HomePage(
        name=tenant.name,
        tagline=tenant.branding.tagline,
        promise=promise,
        preview=ProgramSlot(promise.program) if promise else None,
    )
