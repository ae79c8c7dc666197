"""What callers say and get: a claim on an idempotency key, a reference to a card, an answer."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.domain.cards import numbers
from regulars.domain.ledger.read_statements import CardBy
from regulars.kernel import ids


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one effect.

    Attributes:
        principal: whose key it is; keys of one principal never answer another's request.
        key: the caller's Idempotency-Key.
        request_hash: over method, route and body; same key with another hash is refused. It is stored, so it must not
            give a PIN away: keyed with a secret, or made without the PIN.
    """

    principal: str
    key: str
    request_hash: bytes

    def lock_number(self, tenant_id: UUID) -> int:
        """The number of the advisory lock that stands for this claim: signed, 64 bits."""
        digest = sha256(b"\0".join((tenant_id.bytes, self.principal.encode(), self.key.encode()))).digest()
        return int.from_bytes(digest[:8], signed=True)


@dataclass(frozen=True, slots=True)
class CardRef:
    """How a card is named: by id, 12-digit number, QR token, or the first 8 digits where they are unique."""

    by: CardBy
    value: UUID | str

    @classmethod
    def parse(cls, text: str) -> CardRef:
        """Read what a till, scanner or caller sent.

        Args:
            text: `card_…`, a number with or without dashes, its first 8 digits, or the QR code's text.

        Raises:
            NotFound: when it cannot be any of these.
        """
        card_id = ids.read(ids.CARD, text.strip())
        if card_id is not None:
            return cls("id", card_id)
        if (number := numbers.normalise(text)) is not None:
            return cls("number", number)
        if (short := numbers.short_of(text)) is not None:
            return cls("short", short)
        if (token := numbers.token_of(text)) is not None:
            return cls("token", token)
        raise NotFound


@dataclass(frozen=True, slots=True)
class Attempt:
    """What every card transaction starts from.

    Attributes:
        staff_id, pin: who says that they do it; the PIN is needed where the program wants one.
        shop_id: where; the principal's shop when it is bound to one.
    """

    claim: Claim
    card: CardRef
    staff_id: UUID | None = None
    pin: str | None = None
    shop_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is stored and sent: the same bytes again for the same key.

    Attributes:
        status: HTTP status.
        body: UTF-8 JSON, the success model or an RFC 9457 problem.
        refused: a designed "no"; its traces are committed like a success.
        replayed: stored earlier.
    """

    status: int
    body: bytes
    refused: bool = False
    replayed: bool = False


def principal_of(ctx: Context) -> str:
    """The principal's name in claims."""
    return f"{ctx.principal.kind}:{ctx.principal.id}"
