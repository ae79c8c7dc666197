"""Handing one mail to the mail server, so that nobody gets it twice.

Everything up to the recipient's acceptance can be tried again. Then the caller writes down that the mail is on its
way, and only then its text is sent; from there on silence counts as sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Literal, Self

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from regulars.kernel.config import Config
from regulars.kernel.text import one_line

TIMEOUT = 20.0
"""Seconds to wait for each answer of the server."""
_TLS_PORT = 465
_GREETING_SECONDS = 5.0
_PERMANENT = 500

Outcome = Literal["sent", "unknown"]


class MailRefused(Exception):
    """The server will never take this mail."""


class MailDeferred(Exception):
    """The server cannot be reached or wants to be asked again; it has not taken the mail."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in.

    Attributes:
        starttls: whether the connection must be encrypted before anything is said; port 465 always is.
        sender: address that mails come from.
    """

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    starttls: bool = True
    timeout: float = TIMEOUT

    @classmethod
    def of(cls, config: Config) -> Self | None:
        """The configured server, `None` without one."""
        if config.smtp_host is None:
            return None
        return cls(
            host=config.smtp_host,
            port=config.smtp_port,
            sender=config.mail_from,
            user=config.smtp_user,
            password=config.smtp_password,
            starttls=config.smtp_starttls,
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail as it goes out.

    Attributes:
        message_id: stays the same however often the mail is tried.
        sender_name: shown beside the sender's address: the merchant.
    """

    message_id: str
    sender_name: str
    recipient: str
    subject: str
    text: str
    html: str


def build_message(envelope: Envelope, sender: str) -> EmailMessage:
    """The mail as text and HTML; line breaks in names and subject become spaces.

    Args:
        envelope: what to send.
        sender: address that it comes from.

    Raises:
        ValueError: an address is none.
    """
    user, _, domain = sender.rpartition("@")
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = Address(one_line(envelope.sender_name), user, domain)
    to_user, _, to_domain = envelope.recipient.rpartition("@")
    message["To"] = Address("", to_user, to_domain.encode("idna").decode())
    message["Subject"] = one_line(envelope.subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{envelope.message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(envelope.text)
    message.add_alternative(envelope.html, subtype="html")
    return message


async def deliver(server: MailServer, envelope: Envelope, on_accepted: Callable[[], Awaitable[None]]) -> Outcome:
    """Hand a mail over.

    Args:
        server: where to.
        envelope: what.
        on_accepted: called when the server has accepted sender and recipient, just before the text is sent; what it
            raises ends the delivery with nothing sent.

    Returns:
        `sent`, or `unknown` when the connection broke while or after the text was sent.

    Raises:
        MailRefused: for good; nothing was sent.
        MailDeferred: for now; nothing was sent.
    """
    try:
        message = build_message(envelope, server.sender)
    except (ValueError, UnicodeError) as error:
        raise MailRefused(f"the address cannot be written to: {error}") from error
    client = _client(server)
    try:
        await _introduce(client, server, str(message["To"]))
        await on_accepted()
        return await _send(client, message)
    finally:
        client.close()


async def greet(server: MailServer) -> None:
    """Connect, encrypt and log in as for a mail, and leave again.

    Args:
        server: which one.

    Raises:
        MailDeferred: that does not go.
    """
    client = _client(replace(server, timeout=_GREETING_SECONDS))
    try:
        await client.connect()
        await client.quit()
    except (SMTPException, OSError, ValueError) as error:
        raise MailDeferred(str(error) or type(error).__name__) from error
    finally:
        client.close()


def _client(server: MailServer) -> SMTP:
    return SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.port == _TLS_PORT,
        start_tls=server.starttls and server.port != _TLS_PORT,
        timeout=server.timeout,
    )


async def _introduce(client: SMTP, server: MailServer, recipient: str) -> None:
    options = [] if recipient.isascii() else ["SMTPUTF8"]
    encoding = "ascii" if recipient.isascii() else "utf-8"
    try:
        await client.connect()
        if options:
            await client.ehlo()
            if not client.supports_extension("smtputf8"):
                raise MailRefused("the mail server does not take addresses with such letters")
        await client.mail(server.sender, options=options, encoding=encoding)
        await client.rcpt(recipient, encoding=encoding)
    except SMTPRecipientRefused as error:
        kind = MailRefused if error.code >= _PERMANENT else MailDeferred
        raise kind(f"{error.code} {error.message}") from error
    except (SMTPException, OSError, ValueError) as error:
        raise MailDeferred(str(error) or type(error).__name__) from error


async def _send(client: SMTP, message: EmailMessage) -> Outcome:
    policy = SMTP_POLICY if str(message["To"]).isascii() else SMTP_POLICY.clone(utf8=True)
    try:
        await client.data(message.as_bytes(policy=policy))
    except SMTPDataError as error:
        kind = MailRefused if error.code >= _PERMANENT else MailDeferred
        raise kind(f"{error.code} {error.message}") from error
    except (SMTPTimeoutError, SMTPServerDisconnected, OSError):
        return "unknown"
    return "sent"
