"""What the merchant knows of a member, and whether news are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from regulars.contracts.errors import NotFound
from regulars.contracts.pages import PageContext
from regulars.domain.cards import service as cards
from regulars.domain.cards.view import MemberCard, cards_of_member
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.domain.members import consents
from regulars.kernel.i18n import gettext as _
from regulars.kernel.i18n import language_name
from regulars.web.portal.blueprint import blueprint, member_page
from regulars.web.portal.navigation import ACCOUNT
from regulars.web.results import Redirect, Result
from regulars.web.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(PageContext):
    """The member's own data.

    Attributes:
        merchant: whose member it is.
        name, phone: empty where they were not given.
        since: when the member enrolled.
        numbers: of all cards, 12 digits.
        news: whether the member has agreed to news.
        locale: language of pages and mails.
        locales: (code, name) of the languages to choose from.
        has_households: whether one of the cards can share.
    """

    template: ClassVar[str] = "portal/account.html"
    merchant: str
    name: str
    email: str
    phone: str
    since: datetime
    numbers: tuple[str, ...]
    news: bool
    locale: str
    locales: Sequence[tuple[str, str]]
    has_households: bool


class NewsForm(BaseModel):
    """Whether news are wanted."""

    wanted: bool = False


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
        news=await consents.is_granted(work.session, work.ctx.principal.id, "marketing"),
        locale=work.ctx.locale,
        locales=[(code, language_name(code)) for code in work.ctx.tenant.locales],
        has_households=await _has_households(work, owned),
    )


@blueprint.post("/account/news")
@member_page
async def news(work: Work) -> Result:
    """Agree to news, or end them; one tap each."""
    wanted = (await work.form(NewsForm)).require().wanted
    await consents.change(work.session, work.ctx, "marketing", granted=wanted)
    work.flash(_("You get our news from now on.") if wanted else _("You get no news any more."), "info")
    return Redirect(ACCOUNT)


async def _has_households(work: Work, owned: Sequence[MemberCard]) -> bool:
    if not work.ctx.tenant.has(HOUSEHOLDS):
        return False
    programs = await work.services.programs.programs(work.session, work.ctx.tenant)
    return any(programs.get(one.program_id).household_size for one in owned)
