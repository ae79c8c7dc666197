"""Cards: finding the one that is meant, blocking and unblocking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Executable, Row

from regulars.contracts.context import CardInfo, Context
from regulars.contracts.errors import Conflict, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.cards import numbers, repository
from regulars.domain.ledger.topics import card_topic
from regulars.domain.members.normalise import email_of, phone_of
from regulars.domain.staff.permissions import require
from regulars.domain.wallets.soon import refresh_soon
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import like_patterns

Status = Literal["active", "blocked", "closed"]
MIN_QUERY = 2
_LOOK_UP = ("terminal.use", "members.view")


@dataclass(frozen=True, slots=True)
class CardHit:
    """A card with whom it belongs to and what is on it.

    Attributes:
        number: 12 digits; `numbers.format_number` shows them.
        balances: unit → balance.
        created_at: of the card; the person is a member since `enrolled_at`.
    """

    id: UUID
    number: str
    token: str
    status: Status
    program_id: UUID
    created_at: datetime
    has_merged: bool
    household_id: UUID | None
    member_id: UUID
    name: str
    email: str
    phone: str
    birthday: date | None
    enrolled_at: datetime
    last_activity_at: datetime
    balances: Mapping[str, int]

    @property
    def info(self) -> CardInfo:
        """The card as hooks see it."""
        return CardInfo(
            id=self.id,
            number=self.number,
            status=self.status,
            member_id=self.member_id,
            program_id=self.program_id,
            created_at=self.created_at,
            has_merged=self.has_merged,
            household_id=self.household_id,
        )


async def find(session: TenantSession, ctx: Context, query: str, limit: int = 10) -> Sequence[CardHit]:
    """Cards that somebody at the till may mean.

    A QR code (the token or an address with it), a whole number, its first eight digits and an e-mail address are looked
    up as such; what nobody has, and everything else, is a phone number or parts of name, address and phone.

    Args:
        session: the transaction.
        ctx: who asks; needs `terminal.use` or `members.view`.
        query: what was scanned or typed, any text.
        limit: most hits to return.

    Returns:
        What was found exactly, else whoever came last first; nothing for less than two characters.
    """
    require(ctx, *_LOOK_UP)
    exact = _exact(query)
    if exact is not None:
        statement, parameters = exact
        hits = await _hits(session, statement, parameters, limit)
        if hits or "/" in query:
            return hits
    patterns = like_patterns(query)
    if not patterns or len(query.strip()) < MIN_QUERY:
        return []
    parameters = {"phone": phone_of(query, ctx.tenant.country), "patterns": patterns}
    return await _hits(session, repository.SEARCH, parameters, limit)


async def by_code(session: TenantSession, ctx: Context, text: str) -> CardHit:
    """The card of a code that a camera has read: the token, an address with it, or the number; else nothing.

    Args:
        session: the transaction.
        ctx: who asks; needs `terminal.use` or `members.view`.
        text: what the code says.

    Raises:
        NotFound: the tenant has no such card.
    """
    require(ctx, *_LOOK_UP)
    token, number = numbers.token_of(text), numbers.normalise(text)
    if token is not None:
        return _one(await _hits(session, repository.BY_TOKEN, {"token": token}))
    if number is None:
        raise NotFound(_("We could not find this card."))
    return _one(await _hits(session, repository.BY_NUMBER, {"number": number}))


async def recent(session: TenantSession, ctx: Context, limit: int = 8) -> Sequence[CardHit]:
    """The cards that were used last in the principal's shop or by the principal, last ones first.

    Args:
        session: the transaction.
        ctx: who asks; needs `terminal.use` or `members.view`.
        limit: most hits to return.
    """
    require(ctx, *_LOOK_UP)
    who = ctx.principal
    parameters = {"shop": who.shop_id, "staff": who.id if who.kind == "staff" else None}
    return await _hits(session, repository.RECENT, parameters, limit)


async def get(session: TenantSession, card_id: UUID) -> CardHit:
    """One card; who may see it is for the caller to check.

    Raises:
        NotFound: the tenant has no such card.
    """
    return _one(await _hits(session, repository.GET, {"card": card_id}))


async def by_token(session: TenantSession, token: str) -> CardHit:
    """The card of a QR token; the token itself is the right to see it.

    Raises:
        NotFound: the tenant has no such card.
    """
    found = numbers.token_of(token)
    if found is None:
        raise NotFound(_("We could not find this card."))
    return _one(await _hits(session, repository.BY_TOKEN, {"token": found}))


async def set_status(session: TenantSession, ctx: Context, card_id: UUID, status: Literal["active", "blocked"]) -> None:
    """Block a card, or make it usable again; what is on it stays.

    Raises:
        Conflict: the card is closed for ever.
        NotFound: the tenant has no such card.
    """
    require(ctx, "members.manage")
    before = await session.scalar(repository.LOCK, {"tenant": session.tenant_id, "card": card_id})
    if before is None:
        raise NotFound(_("We could not find this card."))
    if before == "closed":
        raise Conflict(_("This card is closed and cannot be used again."))
    if before == status:
        return
    await session.execute(repository.SET_STATUS, {"tenant": session.tenant_id, "card": card_id, "new_status": status})
    action = "card.blocked" if status == "blocked" else "card.unblocked"
    await audit.record(session, ctx, action, "card", card_id)
    session.announce(card_topic(card_id))
    await refresh_soon(session, card_id)


def _exact(query: str) -> tuple[Executable, dict[str, Any]] | None:
    """The look-up for what has the form of one thing only."""
    if (number := numbers.normalise(query)) is not None:
        return repository.BY_NUMBER, {"number": number}
    if (short := numbers.short_of(query)) is not None:
        return repository.BY_SHORT, {"short": short}
    if (token := numbers.token_of(query)) is not None:
        return repository.BY_TOKEN, {"token": token}
    if (email := email_of(query)) is not None:
        return repository.BY_EMAIL, {"email": email}
    return None


async def _hits(
    session: TenantSession, statement: Executable, parameters: Mapping[str, Any], limit: int = 1
) -> list[CardHit]:
    rows = await session.rows(statement, {"tenant": session.tenant_id, "size": limit, **parameters})
    return [_hit(row) for row in rows]


def _one(hits: Sequence[CardHit]) -> CardHit:
    if not hits:
        raise NotFound(_("We could not find this card."))
    return hits[0]


def _hit(row: Row[Any]) -> CardHit:
    return CardHit(**row._mapping)
