"""One bill, several members: each share is a sale of its own, all of them or none.

All cards are locked in the order of their ids. The checks go from share to share in the order of the bill; the first
refusal refuses the bill.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.ledger import Purchase, Refusal
from regulars.domain.bills import repository
from regulars.domain.bills.shares import Wanted, divide
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.ledger.posting import Posting
from regulars.domain.refunds.results import Refunded, content_of
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.domain.transfers.service import card_id_of
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class BillCommand:
    """A bill to record.

    Attributes:
        bill: the whole of it.
        shares: who pays what.
        external_ref: the bill's name in the system it comes from; counted once for ever.
    """

    claim: Claim
    bill: Purchase
    shares: Sequence[tuple[CardRef, Wanted]]
    staff_id: UUID | None = None
    pin: str | None = None
    shop_id: UUID | None = None
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class _Share:
    """A share on its card, and what it came to."""

    sale_id: UUID
    opened: OpenCard
    purchase: Purchase
    posting: Posting
    benefits: Sequence[Mapping[str, Any]]


class Bills:
    """Records bills.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sales = Sales(ledger)
        self._refunds = Refunds(ledger)

    async def record(self, session: TenantSession, ctx: Context, command: BillCommand) -> Answer:
        """Record a bill, or refuse it with a reason; both are to be committed.

        Returns:
            The answer that was stored under the claimed key.

        Raises:
            InvalidInput: the shares are not the bill, or one card has two of them.
            NotFound: one of the cards is not there.
            IdempotencyInProgress, IdempotencyMismatch, Conflict, PluginFault: nothing is kept.
        """
        purchases = divide(command.bill, [wanted for _card, wanted in command.shares])
        card_ids = [await card_id_of(session, card) for card, _wanted in command.shares]
        if len(set(card_ids)) < len(card_ids):
            sentence = _("Each card can have one share of the bill.")
            raise InvalidInput(sentence, fields={"shares": sentence})
        opened = await self._open(session, ctx, command, card_ids)
        if isinstance(opened, Answer):
            return opened
        commands = [self._command(command, place, purchase) for place, purchase in enumerate(purchases)]
        for card_id, share in zip(card_ids, commands, strict=True):
            verdict = self._sales.check(opened[card_id], share)
            if isinstance(verdict, Refusal):
                return await self._refuse(opened[card_id], verdict)
        bill_id = new_id()
        shares: list[_Share] = []
        for card_id, share in zip(card_ids, commands, strict=True):
            now = await self._again(session, ctx, command, card_id, share) if shares else opened[card_id]
            sale_id = new_id() if shares else bill_id
            posting, benefits = self._sales.post(now, share, sale_id, bill_id=bill_id)
            shares.append(_Share(sale_id, now, share.purchase, posting, benefits))
            if len(shares) == len(commands):
                answer = _answer(bill_id, command.bill, shares)
                now.store(answer, sale_id=bill_id)
            await self._ledger.write(now, "earn")
        if shares[0].opened.read["early_refund"]:
            await self._refunds.settle(session, ctx, bill_id)
        return answer

    async def refund(self, session: TenantSession, ctx: Context, claim: Claim, sale_id: UUID, reason: str) -> Answer:
        """Refund all that is left of a bill: each share gives back what it got.

        Args:
            session: the transaction.
            ctx: who acts; needs `sales.refund`.
            claim: the caller's key.
            sale_id: any share of the bill; a sale that was not split is a bill of its own.
            reason: why, for people.

        Returns:
            The answer that was stored under the claimed key.

        Raises:
            NotFound: there is no such bill.
            Conflict: all of it was taken back before.
            Forbidden, IdempotencyInProgress, IdempotencyMismatch, PluginFault: nothing is kept.
        """
        where = {"tenant": session.tenant_id, "sale": sale_id}
        sales = await session.rows(repository.SHARES, where)
        if not sales:
            raise NotFound(_("There is no such bill here."))
        refunds: list[Refunded] = []
        first: OpenCard | None = None
        for sale in sales:
            found = await self._refunds.refund_share(session, ctx, RefundCommand(claim, sale.id, reason=reason))
            if isinstance(found, Answer):
                return found
            first = first or found[0]
            refunds += [found[1]] if found[1] is not None else []
        if not refunds or first is None:
            raise Conflict(_("This bill was taken back already."))
        bill_id = sales[0].bill_id or sale_id
        content = {"bill": ids.show(ids.SALE, bill_id), "refunds": [content_of(one) for one in refunds]}
        answer = Answer(200, to_json(content).encode())
        first.rows.clear()  # they are written
        first.store(answer, sale_id=bill_id)
        await self._ledger.write(first, "refuse")
        return answer

    async def _open(
        self, session: TenantSession, ctx: Context, command: BillCommand, card_ids: Sequence[UUID]
    ) -> dict[UUID, OpenCard] | Answer:
        values = {"source": ctx.source, "external_ref": command.external_ref}
        # before the first of them brings the PIN's row along: a sale has its card, too, when it asks for that
        await session.execute(repository.LOCK_CARDS, {"tenant": session.tenant_id, "cards": card_ids})
        opened = {}
        for card_id in sorted(card_ids):
            attempt = Attempt(command.claim, CardRef("id", card_id), command.staff_id, command.pin, command.shop_id)
            found = await self._ledger.open(session, ctx, attempt, extra="sale", values=values)
            if isinstance(found, Answer):
                return found
            opened[card_id] = found
        return opened

    async def _again(
        self, session: TenantSession, ctx: Context, command: BillCommand, card_id: UUID, share: SaleCommand
    ) -> OpenCard:
        """Read a locked card once more: what the shares before it took of budgets and limits counts."""
        attempt = Attempt(command.claim, CardRef("id", card_id), command.staff_id, command.pin, command.shop_id)
        values = {"source": ctx.source, "external_ref": None}
        opened = await self._ledger.open(session, ctx, attempt, extra="sale", values=values)
        assert isinstance(opened, OpenCard)  # the answer is stored with the last share
        if isinstance(self._sales.check(opened, share), Refusal):
            raise Conflict(_("The shares of this bill do not go together. Please record them one by one."))
        return opened

    @staticmethod
    def _command(command: BillCommand, place: int, purchase: Purchase) -> SaleCommand:
        """A share as a sale; the first one has the bill's name elsewhere."""
        attempt = Attempt(command.claim, command.shares[place][0])
        return SaleCommand(attempt, "", purchase, None if place else command.external_ref)

    async def _refuse(self, opened: OpenCard, refusal: Refusal) -> Answer:
        answer = opened.refusal_answer(refusal, "sale.record")
        opened.store(answer)
        await self._ledger.write(opened, "refuse")
        return answer


def _answer(bill_id: UUID, bill: Purchase, shares: Sequence[_Share]) -> Answer:
    content = {
        "bill": ids.show(ids.SALE, bill_id),
        "amount_minor": sum(one.purchase.amount_minor or 0 for one in shares),
        "currency": bill.currency,
        "shares": [_shown(one) for one in shares],
    }
    return Answer(200, to_json(content).encode())


def _shown(one: _Share) -> dict[str, Any]:
    currency = one.purchase.currency or one.opened.rules.program.currency
    earned: Counter[str] = Counter()
    for entry in one.posting.entries:
        earned[entry.unit] += entry.amount
    return {
        "sale": ids.show(ids.SALE, one.sale_id),
        "card": ids.show(ids.CARD, one.opened.card.id),
        "amount_minor": one.purchase.amount_minor,
        "earned": dict(earned),
        "balances": {unit: state.balance for unit, state in one.posting.accounts.items()},
        "benefits": [{**benefit, "currency": currency} for benefit in one.benefits],
    }
