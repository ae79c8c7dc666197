"""What merchants and the platform agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.web.results import Result
from regulars.web.site.blueprint import blueprint
from regulars.web.toolkit import site_page
from regulars.web.work import SiteWork


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTermsPage(PageContext):
    """The terms for merchants.

    Attributes:
        verify_within_days: days until a merchant's address must have proved right.
        contact: mail address for questions, may be empty.
    """

    template: ClassVar[str] = "site/terms.html"
    verify_within_days: int
    contact: str


@blueprint.get("/terms")
@site_page(transaction=False)
async def terms(work: SiteWork) -> Result:
    """Show them."""
    config = work.services.config
    return SiteTermsPage(verify_within_days=config.verify_within_days, contact=config.contact)
