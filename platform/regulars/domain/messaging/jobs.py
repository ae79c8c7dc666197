"""Jobs of mail: sending what is queued, and the mails that events bring about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

import structlog

from regulars.contracts.events import MemberEnrolled, PinLocked
from regulars.contracts.manifest import Subscription
from regulars.domain.messaging import repository
from regulars.domain.messaging.composing import Recipient
from regulars.domain.messaging.office import PostOffice
from regulars.domain.messaging.smtp import Envelope, MailDeferred, MailRefused, deliver
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import N_, LazyText
from regulars.kernel.jobs import JobWork, job
from regulars.kernel.observability.metrics import MAILS

log = structlog.get_logger(__name__)

SUBSCRIPTIONS = (
    Subscription(MemberEnrolled.name, "welcome_mail"),
    Subscription(PinLocked.name, "pin_locked_mail"),
)
"""Which of these jobs run for which events."""
Status = Literal["queued", "sending", "sent", "kept", "failed"]


class AnotherTry(Exception):
    """Somebody else moved the mail in the meantime; nothing is sent here."""


@job("send_mail", external=True, timeout=180.0, for_unproved=True)
async def send_mail(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Send one queued mail, at most once. That it is on its way is committed before its text leaves.

    Args:
        work: offers the `PostOffice`.
        payload: `mail`, the id.

    Raises:
        MailDeferred: the server cannot take it now; the job is tried again.
    """
    mail = _Mail(work, UUID(payload["mail"]))
    server = work.service(PostOffice).server
    envelope = await mail.begin()
    if envelope is None:
        return
    if server is None:
        await mail.move("queued", "kept")
        MAILS.labels("kept").inc()
        return
    try:
        outcome = await deliver(server, envelope, mail.on_its_way)
    except MailRefused as error:
        MAILS.labels("failed").inc()
        await mail.move(mail.status, "failed", str(error))
    except MailDeferred as error:
        last = work.attempt >= send_mail.max_attempts
        MAILS.labels("failed" if last else "deferred").inc()
        await mail.move(mail.status, "failed" if last else "queued", str(error))
        raise
    else:
        MAILS.labels(outcome).inc()
        await mail.move("sending", "sent", "" if outcome == "sent" else "the server's answer was lost")


class _Mail:
    """One mail's row; every move is a transaction of its own."""

    def __init__(self, work: JobWork, mail_id: UUID) -> None:
        self._work = work
        self._key = {"of_tenant": work.context.tenant.id, "mail": mail_id}
        self.status: Status = "queued"

    async def begin(self) -> Envelope | None:
        """Count the try. `None` when there is nothing to send: done before, or on its way when its sender died."""
        async with self._work.step() as session:
            row = await session.one_or_none(repository.BEGIN_TRY, self._key)
            if row is None:
                await self._move(session, "sending", "sent", "interrupted while it was sent")
                return None
        return Envelope(
            message_id=str(self._key["mail"]),
            sender_name=self._work.context.tenant.name,
            recipient=row.recipient,
            subject=row.subject,
            text=row.text_body,
            html=row.html_body,
        )

    async def on_its_way(self) -> None:
        """Commit that the text is about to leave."""
        async with self._work.step() as session:
            if not await self._move(session, "queued", "sending", ""):
                raise AnotherTry
        self.status = "sending"

    async def move(self, before: Status, after: Status, error: str = "") -> None:
        """Commit what became of it."""
        async with self._work.step() as session:
            await self._move(session, before, after, error)
        if error:
            log.warning("mail_not_plainly_sent", mail_id=str(self._key["mail"]), status=after, error=error)

    async def _move(self, session: TenantSession, before: Status, after: Status, error: str) -> bool:
        statement = repository.MOVE_SENT if after == "sent" else repository.MOVE
        values = {**self._key, "from_status": before, "to_status": after, "new_error": error}
        return (await session.execute(statement, values)).rowcount == 1


@job("welcome_mail")
async def welcome_mail(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Welcome a new member with number and link of the card."""
    event = MemberEnrolled.model_validate(payload)
    tenant, office = work.context.tenant, work.service(PostOffice)
    assert work.event is not None
    card = await work.session.one_or_none(repository.CARD, {"of_tenant": tenant.id, "card": event.card_id})
    if card is None:
        return
    footer = [LazyText(N_("You get this mail because you joined %(program)s."), {"program": card.name})]
    values = {"number": card.number, "program": card.name, "link": office.card_link(tenant, event.card_id)}
    await office.queue_for_member(
        work.session, tenant, "mails/welcome", event.member_id, event_id=work.event.id, values=values, footer=footer
    )


@job("pin_locked_mail")
async def pin_locked_mail(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell the owners that somebody's PIN was locked."""
    event = PinLocked.model_validate(payload)
    tenant, office = work.context.tenant, work.service(PostOffice)
    assert work.event is not None
    key = {"of_tenant": tenant.id}
    name = await work.session.scalar(repository.STAFF_NAME, {**key, "staff": event.staff_id})
    values = {"staff": name, "until": event.locked_until, "link": office.url(tenant, "/manage/staff")}
    footer = [LazyText(N_("You get this mail as an owner of %(brand)s."), {"brand": tenant.name})]
    for owner in await work.session.rows(repository.OWNERS, key):
        recipient = Recipient(owner.email, owner.name, owner.locale or "")
        await office.queue(
            work.session, tenant, "mails/pin_locked", recipient, event_id=work.event.id, values=values, footer=footer
        )


@job("plugin_stopped_mail")
async def plugin_stopped_mail(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell an operator that a plugin was stopped for a merchant."""
    tenant, office = work.context.tenant, work.service(PostOffice)
    values = {
        "plugin": payload["plugin"],
        "reason": payload["reason"],
        "link": office.console_url(f"/tenants/{ids.show(ids.TENANT, tenant.id)}"),
    }
    await office.queue(
        work.session,
        tenant,
        "mails/plugin_stopped",
        Recipient(payload["email"], payload["name"], payload["locale"] or ""),
        event_id=UUID(payload["id"]),
        values=values,
        footer=[LazyText(N_("You get this mail as an operator of the platform."))],
    )
