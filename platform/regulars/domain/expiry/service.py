"""Releasing what has waited and expiring what is over, card by card, under the card's lock.

Both look at what is there and do what is due, so they can be done again, by several workers, or after one was killed in
the middle: what was booked once is not due any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from regulars.contracts.context import Context
from regulars.contracts.errors import IdempotencyInProgress
from regulars.contracts.events import UnitsExpiring
from regulars.contracts.ledger import EntryDraft
from regulars.domain.expiry import repository
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.lots import read_time, read_uuid
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.kernel.db.database import TenantSession


class Expiry:
    """Does to balances what time does.

    Args:
        ledger: the engine.
        notice: how long before it expires a member is told.
    """

    def __init__(self, ledger: Ledger, notice: timedelta) -> None:
        self._ledger = ledger
        self._notice = notice

    async def release(self, session: TenantSession, ctx: Context, card_id: UUID) -> int:
        """Put what has waited long enough on the card.

        Returns:
            How many entries were written.
        """
        opened = await self._open(session, ctx, card_id)
        if opened is None:
            return 0
        due = [one for one in opened.read["pending"] or () if datetime.fromisoformat(one["due_at"]) <= opened.now]
        posting = opened.posting("release")
        shared = posting.origin
        for one in due:
            place = {name: read_uuid(one[name]) for name in ("sale_id", "shop_id", "staff_id")}
            posting.origin = {**shared, **place}
            posting.earn(_draft(one), one["plugin"])
            opened.add("pending_change", {"id": one["id"], "amount": one["amount"], "status": "released"})
        return await self._write(opened, posting, "units.released")

    async def expire(self, session: TenantSession, ctx: Context, card_id: UUID, until: datetime) -> int:
        """Let go what is left of the card's lots whose time is over.

        Args:
            session: the transaction.
            ctx: who acts.
            card_id: whose lots.
            until: those that expire later stay.

        Returns:
            How many entries were written.
        """
        opened = await self._open(session, ctx, card_id)
        if opened is None:
            return 0
        gone = [lot for lot in opened.lots if lot.expires_at is not None and lot.expires_at <= until]
        posting = opened.posting("expiry")
        for unit in sorted({lot.unit for lot in gone}):
            owner = self._ledger.registry.unit_providers.get(unit)
            lots = [lot for lot in gone if lot.unit == unit]
            posting.expire(unit, lots, plugin=owner[0] if owner else unit)
        return await self._write(opened, posting, "units.expired")

    async def announce(
        self, session: TenantSession, program_id: UUID, until: datetime, after: UUID, size: int
    ) -> UUID | None:
        """Tell of what expires soon: one event for each card and unit, however often this is done.

        Args:
            session: the transaction.
            program_id: whose cards.
            until: the night from which days are counted.
            after: the card to begin with.
            size: accounts to look at; more than a card has.

        Returns:
            The card to go on with, `None` when that was all.
        """
        first = until + self._notice
        where = {"tenant": session.tenant_id, "program": program_id, "after": after, "size": size}
        rows = await session.rows(repository.EXPIRING, {**where, "first": first, "last": first + timedelta(days=1)})
        events = [_event(row._asdict(), until) for row in rows]
        if events:
            await session.execute(repository.ANNOUNCE, [{"tenant_id": session.tenant_id, **one} for one in events])
        return rows[-1].card_id if len(rows) == size else None

    async def _open(self, session: TenantSession, ctx: Context, card_id: UUID) -> OpenCard | None:
        """The card under its lock; `None` while another worker has it, who does the same."""
        attempt = Attempt(Claim("upkeep", str(card_id), b""), CardRef("id", card_id))
        try:
            opened = await self._ledger.open(session, ctx, attempt, extra="upkeep", values={})
        except IdempotencyInProgress:
            return None
        assert not isinstance(opened, Answer)  # nobody stores an answer under such a key
        return opened

    async def _write(self, opened: OpenCard, posting: Posting, action: str) -> int:
        if not posting.entries:
            return 0
        opened.add_posting(posting, is_activity=False)
        amounts = {entry.unit: abs(entry.amount) for entry in posting.entries}
        opened.add_audit(Subject(action, "card", opened.card.id), outcome="done", details=amounts)
        await self._ledger.write(opened, "upkeep")
        return len(posting.entries)


def _draft(pending: Mapping[str, Any]) -> EntryDraft:
    return EntryDraft(
        pending["unit"],
        pending["amount"],
        pending["rule"],
        pending["explanation"],
        counts_for_limits=pending["counts_for_limits"],
        expires_at=read_time(pending["expires_at"]),
    )


def _event(row: Mapping[str, Any], until: datetime) -> dict[str, Any]:
    event = UnitsExpiring(card_id=row["card_id"], unit=row["unit"], amount=row["amount"], expires_at=row["expires_at"])
    return {
        "id": uuid5(row["card_id"], f"expiring {row['unit']} {until.isoformat()}"),
        "name": event.name,
        "version": event.version,
        "order_key": row["card_id"],
        "payload": event.model_dump(mode="json"),
    }
