"""Receipts: purchases without a card are kept for some days; whoever has number and amount claims one, once.

A claim is a sale with the receipt's own source and name, so a receipt counts once for ever whatever way it comes, a
refund by that name finds it, and one that came before waits for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Purchase, Refusal
from regulars.domain.adjustments.flags import is_own
from regulars.domain.audit import service as audit
from regulars.domain.ledger.commands import Answer, Attempt
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.evaluation import items_of, read_items
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.receipts import repository
from regulars.domain.refunds.service import Refunds
from regulars.domain.sales.service import CLOCKS_DIFFER, SaleCommand, Sales, happened
from regulars.domain.staff.permissions import require
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _

MOST_DAYS = 90
MISSES = 5
"""After so many wrong amounts a member cannot claim a receipt any more; the team can."""
UNKNOWN = Refusal(
    "receipt.unknown",
    N_("We found no open receipt with this number and amount. Check both, or ask the team."),
)
"""The same for a wrong number, a wrong amount, one that is over and one that somebody has: nothing can be guessed."""
OWN_CARD = Refusal("receipt.own_card", N_("This is your own card: another person has to do this."))


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A purchase without a card.

    Attributes:
        purchase: with its amount.
        external_ref: the receipt's number, as it stands on it.
        occurred_at: when it was made, `None` for now.
    """

    purchase: Purchase
    external_ref: str
    shop_id: UUID | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimCommand:
    """Somebody says that a receipt is theirs.

    Attributes:
        attempt: key and card.
        number, amount_minor: as they stand on the receipt.
    """

    attempt: Attempt
    number: str
    amount_minor: int


class Receipts:
    """Keeps receipts and gives what they give.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sales = Sales(ledger)
        self._refunds = Refunds(ledger)

    async def keep(self, session: TenantSession, ctx: Context, new: NewReceipt) -> Row[Any]:
        """Keep a receipt for as many days as the most generous program counts earlier purchases; twice is once.

        Raises:
            InvalidInput: no amount, no such shop, or a time that is too long ago or in the future.
            Conflict: no program counts earlier purchases, the sale was counted, or the number has another receipt.
        """
        require(ctx, "sales.record")
        shop_id = ctx.principal.shop_id or new.shop_id
        purchase = new.purchase
        if purchase.amount_minor is None or purchase.currency is None:
            raise InvalidInput(fields={"amount": _("The amount of the sale is needed.")})
        if shop_id and not await session.scalar(repository.SHOP, {"tenant": session.tenant_id, "shop": shop_id}):
            sentence = _("There is no such shop here.")
            raise InvalidInput(sentence, fields={"shop": sentence})
        at, until = await self._times(session, new)
        named = {"tenant": session.tenant_id, "of_source": ctx.source, "ref": new.external_ref}
        if await session.scalar(repository.SOLD, named):
            raise Conflict(_("This sale was counted before."))
        row = {
            "tenant_id": session.tenant_id,
            "id": new_id(),
            "shop_id": shop_id,
            "quantity": purchase.quantity,
            "amount_minor": purchase.amount_minor,
            "currency": purchase.currency,
            "items": items_of(purchase),
            "channel": purchase.channel,
            "source": ctx.source,
            "external_ref": new.external_ref,
            "occurred_at": at,
            "kept_until": until,
        }
        await session.execute(repository.KEEP, row)
        found = await session.one_or_none(repository.BY_REF, named)
        assert found is not None
        if (found.amount_minor, found.currency) != (purchase.amount_minor, purchase.currency):
            raise Conflict(_("Another receipt has this number."))
        if found.id == row["id"]:
            await audit.record(session, ctx, "receipt.kept", "receipt", found.id, {"number": new.external_ref})
        return found

    async def claim(self, session: TenantSession, ctx: Context, command: ClaimCommand) -> Answer:
        """Give a card what a receipt gives, or refuse it with a reason; both are to be committed.

        Args:
            session: the transaction.
            ctx: the card's member, whose tries the caller counts, or somebody with `sales.record` or `members.adjust`.
            command: the claim.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound: there is no such card, or a member names somebody else's.
            IdempotencyInProgress, IdempotencyMismatch, Conflict, PluginFault, Raced: nothing is kept.
        """
        is_member = ctx.principal.kind == "member"
        if not is_member:
            require(ctx, "sales.record", "members.adjust")
        where = {"tenant": session.tenant_id, "ref": command.number}
        rows = await session.rows(repository.FIND, {**where, "amount": command.amount_minor})
        receipt = rows[0] if len(rows) == 1 else None
        opened = await self._open(session, ctx, command, receipt)
        if isinstance(opened, Answer):
            return opened
        if is_member and opened.card.member_id != ctx.principal.id:
            raise NotFound(_("We could not find this card."))
        if receipt is None and is_member:
            await session.execute(repository.MISSED, where)
        refusal = opened.standing()
        if refusal is None and (receipt is None or self._is_out(opened, receipt, is_member=is_member)):
            refusal = UNKNOWN
        if refusal is None and not is_member and await is_own(session, opened.card.id, ctx.principal.id):
            refusal = OWN_CARD
        if refusal is not None or receipt is None:
            return await self._refuse(opened, refusal or UNKNOWN)
        return await self._give(session, ctx, command, receipt, opened)

    async def set_days(self, session: TenantSession, ctx: Context, program_id: UUID, days: int) -> None:
        """Say for how many days a program counts earlier purchases; 0 for none.

        Raises:
            InvalidInput: no such number.
            NotFound: there is no such program.
        """
        require(ctx, "programs.manage")
        if not 0 <= days <= MOST_DAYS:
            sentence = _("Enter a number from %(least)s to %(most)s.", least=0, most=MOST_DAYS)
            raise InvalidInput(sentence, fields={"claim_days": sentence})
        where = {"tenant": session.tenant_id, "program": program_id, "new_days": days}
        if (await session.execute(repository.SET_DAYS, where)).rowcount != 1:
            raise NotFound(_("We could not find this program."))
        await audit.record(session, ctx, "program.receipts_set", "program", program_id, {"claim_days": days})

    async def _times(self, session: TenantSession, new: NewReceipt) -> tuple[datetime, datetime]:
        """When it was bought, and until when it is kept."""
        days = max(
            (row.claim_days for row in await session.rows(repository.DAYS, {"tenant": session.tenant_id})), default=0
        )
        if not days:
            raise Conflict(_("No program here counts earlier purchases. Say for how many days first."))
        now = await session.scalar(repository.CLOCK)
        at = new.occurred_at or now
        if not now - timedelta(days=days) <= at <= now + CLOCKS_DIFFER:
            sentence = _("The purchase must be of the last %(days)s days.", days=days)
            raise InvalidInput(sentence, fields={"occurred_at": sentence})
        return at, at + timedelta(days=days)

    async def _open(
        self, session: TenantSession, ctx: Context, command: ClaimCommand, receipt: Row[Any] | None
    ) -> OpenCard | Answer:
        """The card, as the system that sent the receipt would open it: the sale is of its source and its shop."""
        values = {"source": ctx.source, "external_ref": None}
        attempt = replace(command.attempt, staff_id=None, pin=None)
        if receipt is not None:
            values = {"source": receipt.source, "external_ref": receipt.external_ref}
            ctx = replace(ctx, source=receipt.source, principal=replace(ctx.principal, shop_id=receipt.shop_id))
            attempt = replace(attempt, shop_id=receipt.shop_id)
        return await self._ledger.open(session, ctx, attempt, extra="sale", values=values)

    @staticmethod
    def _is_out(opened: OpenCard, receipt: Row[Any], *, is_member: bool) -> bool:
        """Whether nobody can claim the receipt for this card any more."""
        too_old = opened.now - receipt.occurred_at > timedelta(days=opened.rules.claim_days)
        guessed = is_member and receipt.misses >= MISSES
        return too_old or guessed or opened.read["known_sale"] is not None

    async def _give(
        self, session: TenantSession, ctx: Context, command: ClaimCommand, receipt: Row[Any], opened: OpenCard
    ) -> Answer:
        items = read_items(receipt.items)
        purchase = Purchase(receipt.quantity, receipt.amount_minor, receipt.currency, items, receipt.channel)
        sale = SaleCommand(command.attempt, "", purchase, receipt.external_ref, receipt.occurred_at)
        happened(opened, receipt.occurred_at)
        opened.continues = True  # its number proves that it is another purchase
        verdict = self._sales.check_sale(opened, sale)
        if isinstance(verdict, Refusal):
            return await self._refuse(opened, verdict)
        sale_id = new_id()
        posting, _benefits = self._sales.post(opened, sale, sale_id, for_receipt=True)
        of_staff = await session.scalar(repository.OF_STAFF, {"tenant": session.tenant_id, "card": opened.card.id})
        details = {"number": receipt.external_ref, **({"flags": ["own_card"]} if of_staff else {})}
        opened.add_audit(Subject("receipt.claim", "sale", sale_id), outcome="done", details=details)
        earned: Counter[str] = Counter()
        for entry in posting.entries:
            earned[entry.unit] += entry.amount
        content = {
            "sale": ids.show(ids.SALE, sale_id),
            "card": ids.show(ids.CARD, opened.card.id),
            "amount_minor": receipt.amount_minor,
            "currency": receipt.currency,
            "occurred_at": receipt.occurred_at,
            "earned": dict(earned),
            "balances": {unit: state.balance for unit, state in opened.shared(posting.accounts).items()},
        }
        answer = Answer(200, to_json(content).encode())
        opened.store(answer, sale_id=sale_id)
        await self._ledger.write(opened, "earn")
        if opened.read["early_refund"]:
            await self._refunds.settle(session, ctx, sale_id)
        return answer

    async def _refuse(self, opened: OpenCard, refusal: Refusal) -> Answer:
        answer = opened.refusal_answer(refusal, "receipt.claim")
        opened.store(answer)
        await self._ledger.write(opened, "refuse")
        return answer
