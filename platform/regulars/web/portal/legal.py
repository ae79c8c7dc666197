"""Terms and privacy: plain texts that are true of every merchant here, filled with what the merchant says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.domain.shops import service as shops
from regulars.web.portal.blueprint import blueprint, open_page
from regulars.web.portal.program import Promise, promise_of
from regulars.web.results import Result
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalPage(PageContext):
    """What both texts are filled with.

    Attributes:
        merchant: the name of whoever is responsible.
        places: (name, address) of the open shops; the address may be empty.
        promise: the program, `None` when there is none yet.
    """

    merchant: str
    places: tuple[tuple[str, str], ...]
    promise: Promise | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsPage(LegalPage):
    """The terms of the loyalty program."""

    template: ClassVar[str] = "portal/terms.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyPage(LegalPage):
    """What is stored about members, why, and what they can ask for."""

    template: ClassVar[str] = "portal/privacy.html"


@blueprint.get("/terms")
@open_page
async def terms(work: Work) -> Result:
    """Show the terms."""
    return TermsPage(merchant=work.ctx.tenant.name, places=await _places(work), promise=await promise_of(work))


@blueprint.get("/privacy")
@open_page
async def privacy(work: Work) -> Result:
    """Show the privacy notice."""
    return PrivacyPage(merchant=work.ctx.tenant.name, places=await _places(work), promise=await promise_of(work))


async def _places(work: Work) -> tuple[tuple[str, str], ...]:
    found = await shops.list_shops(work.session)
    return tuple((shop.name, shop.address) for shop in found if shop.status == "active")
