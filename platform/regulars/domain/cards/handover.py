"""Handing a new card to a phone: a ticket short enough for a QR code that a camera reads at once. Pure functions.

The link in a mail lives long and is a JSON Web Token of three hundred characters; a code with it has modules too small
for a camera across a counter. A ticket is 48 characters and good for minutes.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

LIFETIME = timedelta(minutes=30)
LENGTH = 48
_SEAL_BYTES = 16
_PURPOSE = b"card_ticket"


def make_ticket(secret: str, tenant_id: UUID, card_id: UUID, *, now: datetime | None = None) -> str:
    """A ticket that opens one card of one tenant.

    Args:
        secret: the installation's secret key.
        tenant_id: whose card it is.
        card_id: which card.
        now: for tests.

    Returns:
        48 characters, safe in addresses.
    """
    until = int(((now or datetime.now(UTC)) + LIFETIME).timestamp())
    content = card_id.bytes + until.to_bytes(4)
    return urlsafe_b64encode(content + _seal(secret, tenant_id, content)).decode()


def read_ticket(secret: str, tenant_id: UUID, ticket: str, *, now: datetime | None = None) -> UUID | None:
    """The card that a ticket opens.

    Args:
        secret: the installation's secret key.
        tenant_id: on whose host it came in.
        ticket: as it came in.
        now: for tests.

    Returns:
        The card's id; `None` for a ticket that is damaged, too old, or another tenant's.
    """
    if len(ticket) != LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(ticket.encode("ascii"))
    except ValueError:
        return None
    content, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(secret, tenant_id, content)):
        return None
    if int.from_bytes(content[16:]) < (now or datetime.now(UTC)).timestamp():
        return None
    return UUID(bytes=content[:16])


def _seal(secret: str, tenant_id: UUID, content: bytes) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + tenant_id.bytes + content, "sha256")[:_SEAL_BYTES]
