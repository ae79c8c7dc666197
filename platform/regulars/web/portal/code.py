"""Where the QR code of a card leads when a phone's camera reads it instead of a till.

The code names a card and opens nothing: a photograph of it must not show anybody's history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regulars.contracts.pages import PageContext
from regulars.web.portal.blueprint import blueprint, open_page
from regulars.web.results import Result
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePage(PageContext):
    """Says what the code is for; the team goes on to the till from here.

    Attributes:
        merchant: whose card it is.
        till_url: opens the card at the till, for staff who are signed in on this device.
        mine: whether the reader is signed in as a member.
    """

    template: ClassVar[str] = "portal/code.html"
    merchant: str
    till_url: str
    mine: bool


@blueprint.get("/c/<token>")
@open_page
async def code(work: Work, token: str) -> Result:
    """Explain the code, known or not."""
    return CodePage(
        merchant=work.ctx.tenant.name,
        till_url=f"/terminal/scan/{token}",
        mine=work.ctx.principal.kind == "member",
    )
