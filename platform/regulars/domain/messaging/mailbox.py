"""The console's mailbox: every mail of every tenant, whatever became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars.contracts.errors import NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.messaging import repository
from regulars.kernel.db.database import PlatformSession
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class MailFilter:
    """Which mails are wanted.

    Attributes:
        status: one of the statuses, empty for all.
        text: part of the recipient, the subject or the tenant's slug, in any case; empty for all.
    """

    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail in the list."""

    tenant_id: UUID
    id: UUID
    slug: str
    template: str
    recipient: str
    subject: str
    status: str
    error: str
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail with what it says."""

    line: MailLine
    text: str
    html: str


async def list_mails(session: PlatformSession, wanted: MailFilter, page: PageRequest) -> Paged[MailLine]:
    """Mails, newest first."""
    where = {"status": wanted.status, "text": wanted.text}
    rows = await session.rows(repository.MAILBOX, {**where, "size": page.size, "offset": page.offset})
    total = await session.scalar(repository.MAILBOX_COUNT, where)
    return Paged([MailLine(**row._mapping) for row in rows], total, page)


async def get_mail(session: PlatformSession, tenant_id: UUID, mail_id: UUID) -> MailView:
    """One mail.

    Raises:
        NotFound: there is no such mail.
    """
    row = await session.one_or_none(repository.ONE_MAIL, {"of_tenant": tenant_id, "mail": mail_id})
    if row is None:
        raise NotFound(_("There is no such mail."))
    values = dict(row._mapping)
    text, html = values.pop("text_body"), values.pop("html_body")
    return MailView(MailLine(**values), text, html)
