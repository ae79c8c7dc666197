"""The ways in: a session for a member, and the mail with the link to a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from regulars.contracts.errors import RateLimited
from regulars.contracts.pages import PageContext
from regulars.domain.cards import joining
from regulars.domain.members.normalise import email_of
from regulars.domain.messaging.office import PostOffice
from regulars.domain.staff import sessions
from regulars.kernel.i18n import gettext as _
from regulars.kernel.ratelimit import Limit
from regulars.web.work import Work

LINKS = Limit("card_link", count=5, window=3600, fails="closed")
"""Mails with a link to one address: more than a person who has lost a card needs, fewer than a nuisance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSentPage(PageContext):
    """Says that a link is on its way if the address has a card; the same page for every address.

    Attributes:
        email: as typed.
    """

    template: ClassVar[str] = "portal/mail_sent.html"
    email: str


def office(work: Work) -> PostOffice:
    """Whoever writes and queues mails."""
    return PostOffice(work.services.config, work.services.templates)


async def let_in(work: Work, member_id: UUID) -> None:
    """Sign a member in on this browser."""
    opened = await sessions.open_session(work.session, work.ctx, sessions.Holder("member", member_id))
    work.sign_in(opened.token, sessions.LIFETIMES["member"])


async def mail_link(work: Work, email: str) -> MailSentPage:
    """Send the link to a card to its member, if there is one, and say nothing about that.

    Raises:
        Unavailable: tries cannot be counted at the moment.
    """
    try:
        await work.services.limiter.check(LINKS, work.ctx.tenant.id, email_of(email) or "")
    except RateLimited:
        return MailSentPage(email=email)
    await joining.send_link(work.session, work.ctx, office(work), email)
    return MailSentPage(email=email)


def too_often(error: RateLimited) -> str:
    """The sentence for somebody who has to wait."""
    return _("Too many tries from here. Please wait %(minutes)s minutes.", minutes=-(-error.retry_after // 60))
