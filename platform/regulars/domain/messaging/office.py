"""The post office: what other parts ask to send a mail. It is written and queued at once, and sent by a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from regulars.contracts.context import TenantSnapshot
from regulars.domain.messaging import repository
from regulars.domain.messaging.composing import Recipient, write
from regulars.domain.messaging.smtp import MailServer
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import LazyText
from regulars.kernel.jobs import enqueue
from regulars.kernel.templating.engine import TemplateEngine
from regulars.kernel.tokens import sign

SEND_MAIL = "core.send_mail"
CARD_LINK_PURPOSE = "card_link"
CARD_LINK_PATH = "/card/open/"
CARD_LINK_LIFETIME = timedelta(days=180)
UNPROVED_MAILS = 50
"""Mails to members that a merchant may send before an owner's address has proved right."""
HELD_BACK = "held back: no owner's address has proved right"


class PostOffice:
    """Writes and queues mails; jobs get it as a service.

    Args:
        config: sender, server, scheme and port of links, key of signed links.
        engine: for the templates.
    """

    def __init__(self, config: Config, engine: TemplateEngine) -> None:
        self._config = config
        self._engine = engine
        self.server = MailServer.of(config)

    async def queue(
        self,
        session: TenantSession,
        tenant: TenantSnapshot,
        template: str,
        recipient: Recipient,
        *,
        event_id: UUID,
        values: Mapping[str, Any],
        footer: Sequence[LazyText] = (),
    ) -> UUID | None:
        """Write a mail and queue it in the caller's transaction: it is sent if and only if that commits.

        Args:
            session: the tenant's.
            tenant: in whose name.
            template: path of the templates without ending, see `composing.write`.
            recipient: who gets it.
            event_id: what it is about; one person gets one mail per template and event, however often it is queued.
            values: for the templates.
            footer: lines at the end; why the reader gets this mail comes first.

        Returns:
            The mail's id, `None` when it was queued before.
        """
        return await _put(session, self._row(tenant, template, recipient, event_id, values, footer))

    async def queue_for_member(
        self,
        session: TenantSession,
        tenant: TenantSnapshot,
        template: str,
        member_id: UUID,
        *,
        event_id: UUID,
        values: Mapping[str, Any],
        footer: Sequence[LazyText] = (),
    ) -> UUID | None:
        """As `queue`, for a member in the member's own language.

        The first mails of a merchant that has just signed up are sent; further ones are held back as failed, where
        operators see them, until an owner's address has proved right. Nobody sends the world mail by signing up.

        Returns:
            The mail's id, `None` when it was queued before, is held back, or the member is not active any more.
        """
        row = await session.one_or_none(repository.MEMBER, {"of_tenant": tenant.id, "member": member_id})
        if row is None:
            return None
        recipient = Recipient(row.email, row.name, row.locale or "")
        mail = self._row(tenant, template, recipient, event_id, values, footer)
        if await _may_mail_members(session, tenant):
            return await _put(session, mail)
        await session.execute(repository.ADD, {**mail, "status": "failed", "error": HELD_BACK})
        return None

    def _row(
        self,
        tenant: TenantSnapshot,
        template: str,
        recipient: Recipient,
        event_id: UUID,
        values: Mapping[str, Any],
        footer: Sequence[LazyText],
    ) -> dict[str, Any]:
        """A mail, written."""
        home_url = self._config.url(tenant.host)
        text = write(self._engine, tenant, template, recipient, home_url=home_url, footer=footer, values=values)
        return {
            "tenant_id": tenant.id,
            "id": new_id(),
            "template": template,
            "recipient": recipient.email,
            "event_id": event_id,
            "subject": text.subject,
            "text_body": text.text,
            "html_body": text.html,
        }

    def url(self, tenant: TenantSnapshot, path: str) -> str:
        """An address of the tenant, built from its record, never from a request."""
        return self._config.url(tenant.host, path)

    def console_url(self, path: str) -> str:
        """An address of the operators' console."""
        return self._config.url(self._config.console_host, path)

    def card_link(self, tenant: TenantSnapshot, card_id: UUID) -> str:
        """A signed address that opens one card; good for half a year."""
        token = sign(
            self._config.secret_key,
            purpose=CARD_LINK_PURPOSE,
            tenant_id=tenant.id,
            subject=str(card_id),
            lifetime=CARD_LINK_LIFETIME,
        )
        return self.url(tenant, f"{CARD_LINK_PATH}{token}")


async def _may_mail_members(session: TenantSession, tenant: TenantSnapshot) -> bool:
    if tenant.verify_by is None:
        return True
    return bool(await session.scalar(repository.MAILS, {"of_tenant": tenant.id}) < UNPROVED_MAILS)


async def _put(session: TenantSession, mail: Mapping[str, Any]) -> UUID | None:
    """Queue a written mail, `None` when it was queued before."""
    mail_id: UUID | None = await session.scalar(repository.ADD, mail)
    if mail_id is not None:
        await enqueue(session, SEND_MAIL, {"mail": mail_id}, dedup_key=str(mail_id))
    return mail_id
