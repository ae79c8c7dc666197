"""Joining by a form on a phone: the card comes at once, and a form that is sent twice makes one card.

Whoever types the address of somebody who has a card already does not get to see that card: a link to it goes to the
address, and only there. The one exception is the form that made the card, sent again by a second tap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from regulars.contracts.context import Context
from regulars.domain.audit import service as audit
from regulars.domain.cards import joining_repository as repository
from regulars.domain.cards.enrolment import EnrolCommand, Enrolled, Enrolments
from regulars.domain.members.normalise import email_of
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock

LINK_MAIL = "mails/card_link"
_PRINCIPAL = "join_form"
_MAX_KEY = 64


@dataclass(frozen=True, slots=True)
class Joined:
    """The card that a form has made; whoever sent the form may see it."""

    member_id: UUID
    card_id: UUID


async def join(
    session: TenantSession, ctx: Context, enrolments: Enrolments, key: str, command: EnrolCommand
) -> Joined | None:
    """Enrol whoever filled a form in.

    Args:
        session: the transaction.
        ctx: nobody needs to be signed in.
        enrolments: makes member and card.
        key: secret of the form that was sent; the same one when it is sent again.
        command: what was filled in.

    Returns:
        The card, also when this very form is sent again. `None` when the address was known before: nothing was done,
        and only a mail may tell (`send_link`).

    Raises:
        InvalidInput: terms not accepted, bad e-mail or phone; field by field.
        Conflict: the tenant has no active program.
    """
    claim = _claim(key, command.email)
    await lock(session, claim["key"])
    stored = await session.scalar(repository.STORED, {"tenant": session.tenant_id, **claim})
    if stored is not None:
        return _known(stored)
    known = {"tenant": session.tenant_id, "email": email_of(command.email) or ""}
    if command.terms and await session.scalar(repository.MEMBER_BY_EMAIL, known) is not None:
        return None
    enrolled = await enrolments.enrol_stranger(session, ctx, command)
    if enrolled is None:
        return None
    await _store(session, claim, enrolled)
    return Joined(enrolled.member_id, enrolled.card_id)


async def send_link(session: TenantSession, ctx: Context, office: PostOffice, email: str) -> None:
    """Mail the link to a card to its member; nothing happens when the address has no card here.

    Args:
        session: the transaction.
        ctx: nobody needs to be signed in.
        office: writes the mail and signs the link.
        email: as typed.
    """
    found = await session.one_or_none(
        repository.CARD_BY_EMAIL, {"tenant": session.tenant_id, "email": email_of(email) or ""}
    )
    if found is None:
        return
    values = {"number": found.number, "program": found.program, "link": office.card_link(ctx.tenant, found.id)}
    await office.queue_for_member(session, ctx.tenant, LINK_MAIL, found.member_id, event_id=new_id(), values=values)
    await audit.record(session, ctx, "member.link_sent", "member", found.member_id)


def _claim(key: str, email: str) -> dict[str, str]:
    """The name under which a form's outcome is stored: another address on the same form is another person."""
    digest = sha256(f"{key[:_MAX_KEY]}\0{email_of(email) or ''}".encode("utf-8", "surrogatepass")).hexdigest()
    return {"principal": _PRINCIPAL, "key": digest}


def _known(stored: bytes) -> Joined:
    ids = json.loads(stored)
    return Joined(UUID(ids["member"]), UUID(ids["card"]))


async def _store(session: TenantSession, claim: dict[str, str], enrolled: Enrolled) -> None:
    body = json.dumps({"member": enrolled.member_id.hex, "card": enrolled.card_id.hex}).encode()
    row = {"tenant_id": session.tenant_id, **claim, "request_hash": b"", "status": 200, "body": body}
    await session.execute(repository.STORE, row)
