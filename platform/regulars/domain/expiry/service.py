"""Releasing what has waited and expiring what is over, card by card, under the card's lock.

Both look at what is there and do what is due, so they can be done again, by several workers, or after one was killed in
the middle: what was booked once is not due any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from regulars.contracts.context import Context
from regulars.contracts.errors import IdempotencyInProgress
from regulars.contracts.events import UnitsExpiring
from regulars.contracts.ledger import EntryDraft
from regulars.domain.expiry import repository
from regulars.domain.expiry.clocks import UnitClock, last_day, unit_clocks
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.history import words_of
from regulars.domain.ledger.lots import read_time, read_uuid
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.domain.messaging.office import PostOffice
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import N_, LazyText

FIRST = UUID(int=0)


class Expiry:
    """Does to balances what time does.

    Args:
        ledger: the engine.
        notice: how long before its units expire a member is told, for units whose provider does not say.
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

    async def clocks(self, session: TenantSession, ctx: Context, program_id: UUID) -> Sequence[UnitClock]:
        """How the units of a program expire."""
        return await unit_clocks(session, ctx, self._ledger, program_id, self._notice)

    async def expire(
        self, session: TenantSession, ctx: Context, card_id: UUID, until: datetime, clocks: Sequence[UnitClock] = ()
    ) -> int:
        """Let go what is left of the card's lots whose time is over, or of all when the card was not used for too long.

        Args:
            session: the transaction.
            ctx: who acts.
            card_id: whose lots.
            until: those that expire later stay.
            clocks: of the card's program.

        Returns:
            How many entries were written.
        """
        opened = await self._open(session, ctx, card_id)
        if opened is None or opened.pause is not None:
            return 0
        used = opened.read["last_use"]
        idle = {one.unit for one in clocks if one.idle and one.idle.ends(used, one.zone) <= until}
        gone = [
            lot for lot in opened.lots if lot.unit in idle or (lot.expires_at is not None and lot.expires_at <= until)
        ]
        posting = opened.posting("expiry")
        for unit in sorted({lot.unit for lot in gone}):
            owner = self._ledger.registry.unit_providers.get(unit)
            lots = [lot for lot in gone if lot.unit == unit]
            posting.expire(unit, lots, plugin=owner[0] if owner else unit, rule="idle" if unit in idle else "expiry")
        return await self._write(opened, posting, "units.expired")

    async def announce(
        self, session: TenantSession, program_id: UUID, clock: UnitClock, until: datetime, after: UUID, size: int
    ) -> UUID | None:
        """Tell of what expires soon: one event for each card, unit and last day, however often this is done.

        Args:
            session: the transaction.
            program_id: whose cards.
            clock: of the unit.
            until: the night from which days are counted.
            after: the card to begin with.
            size: most events; more than a card can have at once.

        Returns:
            The card to go on with, `None` when that was all.
        """
        where = {
            "tenant": session.tenant_id,
            "program": program_id,
            "unit": clock.unit,
            "zone": clock.zone,
            "until": until,
            "last": until + clock.notice,
            "after": after,
            "size": size,
        }
        found = [await session.rows(repository.EXPIRING, where)]
        if clock.idle is not None:
            idle = {"days": clock.idle.days, "since": clock.idle.since}
            found.append(await session.rows(repository.EXPIRING_IDLE, {**where, **idle}))
        events = [_event(clock.unit, row._asdict()) for rows in found for row in rows]
        if events:
            await session.execute(repository.ANNOUNCE, [{"tenant_id": session.tenant_id, **one} for one in events])
        return min((rows[-1].card_id for rows in found if len(rows) == size), default=None)

    async def remind(self, session: TenantSession, ctx: Context, office: PostOffice, event: UnitsExpiring) -> None:
        """Write to a member what expires and when; in vain where nobody knows how to speak of the unit.

        Args:
            session: the transaction, which holds the queued mail.
            ctx: the tenant.
            office: sends it.
            event: what was announced.
        """
        words = words_of(self._ledger.registry, event.unit)
        holder = await session.one_or_none(repository.HOLDER, {"tenant": session.tenant_id, "card": event.card_id})
        if words is None or holder is None:
            return
        day = last_day(event.expires_at, holder.timezone)
        why = LazyText(N_("You get this mail because you have a card of %(brand)s."), {"brand": ctx.tenant.name})
        await office.queue_for_member(
            session,
            ctx.tenant,
            "mails/expiring",
            holder.member_id,
            event_id=uuid5(event.card_id, f"{event.unit} {day}"),
            values={
                "words": words,
                "number": event.amount,
                "last_day": day,
                "link": office.card_link(ctx.tenant, event.card_id),
            },
            footer=[why],
        )

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


def _event(unit: str, row: Mapping[str, Any]) -> dict[str, Any]:
    event = UnitsExpiring(card_id=row["card_id"], unit=unit, amount=row["amount"], expires_at=row["expires_at"])
    return {
        "id": row["id"],
        "name": event.name,
        "version": event.version,
        "order_key": row["card_id"],
        "payload": event.model_dump(mode="json"),
    }
