"""Refunding sales: what the rest of a sale would not have given is taken back, under the card's lock.

A refund by parts ends where one refund of the whole ends, and what it takes back never grows by being cut up. One that
comes before its sale waits for it; one that comes twice counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit.service import record
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.refunds import booking, repository
from regulars.domain.refunds.parts import ALL_THAT_IS_LEFT, Part
from regulars.domain.refunds.results import Refunded, answer_of
from regulars.domain.staff.permissions import require
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class RefundCommand:
    """A refund to book.

    Attributes:
        sale_id, sale_ref: the sale, by its id or by its name in the system that it came from.
        part: which part of it.
        redemptions: rewards that come back with it; those that were part of the sale come back with the whole of it.
        external_ref: the refund's name in the system that it comes from; counted once for ever.
        reason: why, for people.
        asks_pin: it is done at a till, whose staff confirm by PIN where the program wants one.
        staff_id, pin: who confirms.
    """

    claim: Claim
    sale_id: UUID | None = None
    sale_ref: str | None = None
    part: Part = ALL_THAT_IS_LEFT
    redemptions: tuple[UUID, ...] = ()
    external_ref: str | None = None
    reason: str = ""
    asks_pin: bool = False
    staff_id: UUID | None = None
    pin: str | None = None


class Refunds:
    """Refunds sales.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def refund(self, session: TenantSession, ctx: Context, command: RefundCommand) -> Answer:
        """Refund a sale or a part of it, or refuse it with a reason; both are to be committed.

        Returns:
            The answer that was stored under the claimed key; that of the first time for a refund that is known.

        Raises:
            NotFound: there is no such sale here.
            InvalidInput: the sale has no such part, or not so much of it is left.
            Forbidden, IdempotencyInProgress, IdempotencyMismatch, Conflict, PluginFault: nothing is kept.
        """
        require(ctx, "sales.refund")
        sale = await _find_sale(session, ctx, command)
        if sale is None:
            return await self._wait(session, ctx, command)
        attempt = Attempt(command.claim, CardRef("id", sale.card_id), command.staff_id, command.pin, sale.shop_id)
        opened = await self._open(session, ctx, attempt, sale, command.external_ref, command.redemptions)
        if isinstance(opened, Answer):
            return opened
        known = opened.read["known_refund"]
        if known is not None:
            return answer_of(Refunded.of((await _one(session, known))._asdict()), replayed=True)
        refusal = (self._ledger.check_pin(opened) if command.asks_pin else None) or booking.refusal_of(opened)
        if refusal is not None:
            answer = opened.refusal_answer(refusal, "sale.refund")
            opened.store(answer, sale_id=sale.id)
            await self._ledger.write(opened, "refuse")
            return answer
        answer = answer_of(self._book(opened, sale, command))
        opened.store(answer, sale_id=sale.id)
        await self._ledger.write(opened, "refund")
        return answer

    async def refund_share(
        self, session: TenantSession, ctx: Context, command: RefundCommand
    ) -> tuple[OpenCard, Refunded | None] | Answer:
        """Refund a share of a bill, as a part of something larger that stores the answer.

        Returns:
            Its card, and what it came to, `None` when nothing of it is left; the stored answer of a key that is known.
        """
        require(ctx, "sales.refund")
        sale = await _find_sale(session, ctx, command)
        if sale is None:
            raise NotFound(_("There is no such sale here."))
        attempt = Attempt(command.claim, CardRef("id", sale.card_id), shop_id=sale.shop_id)
        opened = await self._open(session, ctx, attempt, sale, None, ())
        if isinstance(opened, Answer):
            return opened
        if booking.refusal_of(opened) is not None:
            return opened, None
        refunded = self._book(opened, sale, command)
        await self._ledger.write(opened, "refund")
        return opened, refunded

    @staticmethod
    def _book(opened: OpenCard, sale: Row[Any], command: RefundCommand) -> Refunded:
        refund_id = new_id()
        plan = booking.plan(opened, command.part, command.redemptions)
        result = booking.book(opened, plan, sale.id, refund_id, command.reason)
        row = {
            "id": refund_id,
            "sale_id": sale.id,
            "sale_ref": sale.external_ref,
            "source": opened.ctx.source,
            "external_ref": command.external_ref,
            **_columns(command.part),
            "reason": command.reason,
            "status": "done",
            "result": result,
            "device": opened.ctx.device,
            "created_at": opened.now,
            "done_at": opened.now,
        }
        opened.add("refund", row)
        return Refunded.of({**row, "card_id": opened.card.id})

    async def settle(self, session: TenantSession, ctx: Context, sale_id: UUID) -> None:
        """Book the refunds that came before their sale; one of more than the sale is one of all of it.

        Args:
            session: the transaction; of the sale itself, or a later one.
            ctx: who acts.
            sale_id: the sale.
        """
        sale = await session.one_or_none(repository.SALE_BY_ID, {"tenant": session.tenant_id, "sale": sale_id})
        if sale is None:
            raise NotFound
        where = {"tenant": session.tenant_id, "source": sale.source, "ref": sale.external_ref}
        for waiting in await session.rows(repository.WAITING, where):
            await self._settle_one(session, ctx, sale, waiting)

    async def _settle_one(self, session: TenantSession, ctx: Context, sale: Row[Any], waiting: Row[Any]) -> None:
        attempt = Attempt(
            Claim("early_refund", str(waiting.id), b""), CardRef("id", sale.card_id), shop_id=sale.shop_id
        )
        opened = await self._open(session, ctx, attempt, sale, None, ())
        assert isinstance(opened, OpenCard)  # nobody stores an answer under such a key
        part, result = Part.of(waiting._asdict()), {}
        if booking.refusal_of(opened) is None:
            try:
                plan = booking.plan(opened, part, ())
            except InvalidInput:
                part = ALL_THAT_IS_LEFT
                plan = booking.plan(opened, part, ())
            result = booking.book(opened, plan, sale.id, waiting.id, waiting.reason)
            await self._ledger.write(opened, "refund")
        columns = _columns(part)
        settled = await session.execute(
            repository.SETTLE,
            {
                "tenant": session.tenant_id,
                "refund": waiting.id,
                "card": sale.card_id,
                "sale": sale.id,
                "amount": columns["amount_minor"],
                "pieces": columns["quantity"],
                "lines": columns["items"],
                "outcome": result,
            },
        )
        if settled.rowcount != 1:
            raise Conflict(_("Another request changed this card at the same moment. Please try again."))

    async def _open(
        self,
        session: TenantSession,
        ctx: Context,
        attempt: Attempt,
        sale: Row[Any],
        external_ref: str | None,
        redemptions: Sequence[UUID],
    ) -> OpenCard | Answer:
        values = {
            "sale_id": sale.id,
            "source": ctx.source,
            "external_ref": external_ref,
            "redemptions": list(redemptions),
        }
        return await self._ledger.open(session, ctx, attempt, extra="refund", values=values)

    async def _wait(self, session: TenantSession, ctx: Context, command: RefundCommand) -> Answer:
        """Keep a refund whose sale has not come yet."""
        if command.sale_ref is None:
            raise NotFound(_("There is no such sale here."))
        if command.external_ref is None:
            sentence = _("This sale is not known yet. Send external_ref, so that the refund is counted once.")
            raise InvalidInput(sentence, fields={"external_ref": sentence})
        if command.redemptions:
            sentence = _("This sale is not known yet: its rewards can be given back when it is.")
            raise InvalidInput(sentence, fields={"redemptions": sentence})
        row = {
            "tenant_id": session.tenant_id,
            "id": new_id(),
            "sale_ref": command.sale_ref,
            "source": ctx.source,
            "external_ref": command.external_ref,
            **_columns(command.part),
            "reason": command.reason,
            "status": "waiting",
            "device": ctx.device,
        }
        await session.execute(repository.WAIT, row)
        known = {"tenant": session.tenant_id, "source": ctx.source, "ref": command.external_ref}
        found = await session.one_or_none(repository.BY_REF, known)
        assert found is not None
        if found.id == row["id"]:
            await record(session, ctx, "sale.refund", "refund", found.id, {"status": "waiting"})
        return answer_of(Refunded.of(found._asdict()), status=202 if found.status == "waiting" else 200)


def _columns(part: Part) -> dict[str, Any]:
    lines = [{"line": one.line, "quantity": one.quantity} for one in part.lines]
    return {"amount_minor": part.amount_minor, "quantity": part.quantity, "items": lines or None}


async def _find_sale(session: TenantSession, ctx: Context, command: RefundCommand) -> Row[Any] | None:
    if command.sale_id is not None:
        return await session.one_or_none(repository.SALE_BY_ID, {"tenant": session.tenant_id, "sale": command.sale_id})
    where = {"tenant": session.tenant_id, "source": ctx.source, "ref": command.sale_ref}
    return await session.one_or_none(repository.SALE_BY_REF, where)


async def _one(session: TenantSession, refund_id: UUID) -> Row[Any]:
    row = await session.one_or_none(repository.ONE, {"tenant": session.tenant_id, "id": refund_id})
    assert row is not None
    return row
