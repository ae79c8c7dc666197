"""What the merchant knows of a member, and signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.cards import service as cards
from regulars.domain.cards.view import cards_of_member
from regulars.kernel.i18n import gettext as _
from regulars.web.portal.blueprint import blueprint, member_page
from regulars.web.results import Result
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(PageContext):
    """The member's own data.

    Attributes:
        merchant: whose member it is.
        name, phone: empty where they were not given.
        since: when the member enrolled.
        numbers: of all cards, 12 digits.
    """

    template: ClassVar[str] = "portal/account.html"
    merchant: str
    name: str
    email: str
    phone: str
    since: datetime
    numbers: tuple[str, ...]


@blueprint.get("/account")
@member_page
async def account(work: Work) -> Result:
    """Show the member's data."""
    assert work.ctx.principal.id is not None
    owned = await cards_of_member(work.session, work.ctx.principal.id)
    if not owned:
        raise NotFound(_("You have no card here."))
    first = await cards.get(work.session, owned[0].id)
    return AccountPage(
        merchant=work.ctx.tenant.name,
        name=first.name,
        email=first.email,
        phone=first.phone,
        since=first.enrolled_at,
        numbers=tuple(one.number for one in owned),
    )
