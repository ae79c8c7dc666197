"""Mails with a link to a new password, for the staff: at the sign-up, on "send again", and when it was forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.domain.audit.service import record
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.office import PostOffice
from regulars.domain.staff import links
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import N_, LazyText

PASSWORD_PATH = "/manage/password/"  # noqa: S105 -- an address
FORGOTTEN = "mails/password_link"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail with a link says.

    Attributes:
        template: path of the templates without ending; they get `link` besides the values.
        lifetime: of the link.
        footer: why the reader gets this mail.
    """

    template: str
    lifetime: timedelta
    values: Mapping[str, Any] = field(default_factory=dict)
    footer: LazyText | None = None


async def send(
    session: TenantSession, ctx: Context, office: PostOffice, staff_id: UUID, recipient: Recipient, letter: Letter
) -> None:
    """Queue the mail and record it.

    Args:
        session: the transaction; mail and link are there if and only if it commits.
        ctx: who asked for it.
        office: writes the mail.
        staff_id: whose password.
        recipient: the same person.
        letter: what it says.
    """
    link_id, token = await links.issue(session, staff_id, "password", letter.lifetime)
    await office.queue(
        session,
        ctx.tenant,
        letter.template,
        recipient,
        event_id=link_id,
        values={**letter.values, "link": office.url(ctx.tenant, f"{PASSWORD_PATH}{token}")},
        footer=[letter.footer] if letter.footer else (),
    )
    await record(session, ctx, "staff.link_sent", "staff", staff_id)


async def send_forgotten(session: TenantSession, ctx: Context, office: PostOffice, email: str) -> None:
    """Mail the link to whoever signs in with an address; nothing happens when nobody does.

    Args:
        session: the transaction.
        ctx: nobody needs to be signed in.
        office: writes the mail.
        email: as typed.
    """
    person = await links.addressee(session, email)
    if person is None:
        return
    footer = LazyText(N_("You get this mail because you work for %(brand)s."), {"brand": ctx.tenant.name})
    recipient = Recipient(person.email, person.name, ctx.locale)
    letter = Letter(FORGOTTEN, links.RESET_LIFETIME, footer=footer)
    await send(session, ctx, office, person.staff_id, recipient, letter)
