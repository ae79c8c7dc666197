"""Recording and undoing sales.

The checks of a sale, in this order, each with its own sentence: card active, program active, PIN, then the plugins'
(cooldown, daily limit). All of it happens under the card's lock and ends as one write statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import PluginFault
from regulars.contracts.events import SaleRecorded, SaleUndone
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Benefit, Clearance, Purchase, Refusal
from regulars.contracts.reversals import Reversal, RuleKey
from regulars.domain.ledger.commands import Answer, Attempt
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.evaluation import evaluation_of, items_of
from regulars.domain.ledger.history import FOR_RECEIPT
from regulars.domain.ledger.lots import AlreadySpentError, Posted, posted, read_uuid
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.domain.redemptions.life import after
from regulars.domain.redemptions.moving import Moving, moving_of
from regulars.domain.refunds.service import Refunds
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _

UNDO_WINDOW = timedelta(minutes=10)
CLOCKS_DIFFER = timedelta(minutes=5)
"""So much later than ours may the clock of a shop's system be."""


@dataclass(frozen=True, slots=True)
class SaleCommand:
    """A sale to record.

    Attributes:
        unit: which unit's answer the caller wants; a sale gives whatever the program's plugins give.
        external_ref: the sale's name in the system it comes from; counted once for ever.
        occurred_at: when it happened, if not now.
    """

    attempt: Attempt
    unit: str
    purchase: Purchase
    external_ref: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastAction:
    """The card's last sale or redemption, as far as undoing it needs.

    Attributes:
        pending: what of it waits outside of the balance.
    """

    sale_id: UUID | None
    redemption_id: UUID | None
    staff_id: UUID | None
    at: datetime
    entries: tuple[Posted, ...]
    pending: tuple[Mapping[str, Any], ...]
    redemption: Moving | None

    @classmethod
    def of(cls, opened: OpenCard) -> Self | None:
        """Read it from an open card, `None` when there is nothing to undo."""
        last = opened.read["last"]
        if last is None:
            return None
        return cls(
            sale_id=read_uuid(last["sale_id"]),
            redemption_id=read_uuid(last["redemption_id"]),
            staff_id=read_uuid(last["staff_id"]),
            at=datetime.fromisoformat(last["created_at"]),
            entries=tuple(posted(entry) for entry in last["entries"] or ()),
            pending=tuple(last["pending"] or ()),
            redemption=moving_of(last["entries"] or ()),
        )

    @property
    def taken(self) -> Mapping[RuleKey, int]:
        """What it gave, by whoever gave it."""
        found: Counter[RuleKey] = Counter()
        for one in self.entries:
            found[one.entry.plugin, one.entry.unit, one.entry.rule] += one.entry.amount
        for row in self.pending:
            found[row["plugin"], row["unit"], row["rule"]] += row["amount"]
        return found


class Sales:
    """Records and undoes sales.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._refunds = Refunds(ledger)

    async def record(self, session: TenantSession, ctx: Context, command: SaleCommand) -> Answer:
        """Record a sale, or refuse it with a reason; both are to be committed.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound, InvalidInput, IdempotencyInProgress, IdempotencyMismatch, Conflict, PluginFault: nothing is kept.
        """
        values = {"source": ctx.source, "external_ref": command.external_ref}
        opened = await self._ledger.open(session, ctx, command.attempt, extra="sale", values=values)
        if isinstance(opened, Answer):
            return opened
        happened(opened, command.occurred_at)
        verdict = self.check(opened, command)
        if isinstance(verdict, Refusal):
            answer = opened.refusal_answer(verdict, "sale.record")
            opened.store(answer)
            await self._ledger.write(opened, "refuse")
            return answer
        sale_id = new_id()
        posting, benefits = self.post(opened, command, sale_id)
        answer = self._answer(opened, command, posting, benefits, verdict.next_at)
        opened.store(answer, sale_id=sale_id)
        await self._ledger.write(opened, "earn")
        if opened.read["early_refund"]:
            await self._refunds.settle(session, ctx, sale_id)
        return answer

    async def undo(self, session: TenantSession, ctx: Context, attempt: Attempt) -> Answer:
        """Take back the card's last sale or redemption, if it is one's own and recent.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound, InvalidInput, IdempotencyInProgress, IdempotencyMismatch, Conflict, PluginFault: nothing is kept.
        """
        opened = await self._ledger.open(session, ctx, attempt, extra="last", values={})
        if isinstance(opened, Answer):
            return opened
        action = LastAction.of(opened)
        refusal = self._ledger.check_pin(opened) or undo_refusal(opened, action)
        if refusal is None and action is not None:
            try:
                posting = self._reverse(opened, action)
            except AlreadySpentError:
                refusal = Refusal("undo.already_spent", N_("This was spent in the meantime and cannot be undone."))
            else:
                answer = self._undone_answer(posting)
                opened.store(answer, sale_id=action.sale_id, redemption_id=action.redemption_id)
                await self._ledger.write(opened, "undo")
                return answer
        assert refusal is not None
        answer = opened.refusal_answer(refusal, "sale.undo")
        opened.store(answer)
        await self._ledger.write(opened, "refuse")
        return answer

    def check(self, opened: OpenCard, command: SaleCommand) -> Refusal | Clearance:
        """Whether a sale may be recorded on the open card: the checks in their order."""
        return self.check_visit(opened) or self.check_sale(opened, command)

    def check_visit(self, opened: OpenCard) -> Refusal | None:
        """The checks that are the same for all sales of one visit: card, program, PIN."""
        return opened.standing() or self._ledger.check_pin(opened)

    def check_sale(self, opened: OpenCard, command: SaleCommand) -> Refusal | Clearance:
        """The checks of a sale itself."""
        refusal = None
        if opened.read["known_sale"] is not None:
            refusal = Refusal("sale.already_counted", N_("This sale was counted before."))
        return (
            refusal
            or _wrong_time(opened, command.occurred_at)
            or wrong_currency(opened, command.purchase)
            or _unknown_unit(opened, command)
            or opened.check_earn(command.purchase)
        )

    def post(
        self,
        opened: OpenCard,
        command: SaleCommand,
        sale_id: UUID,
        *,
        bill_id: UUID | None = None,
        for_receipt: bool = False,
    ) -> tuple[Posting, list[dict[str, Any]]]:
        """Add the rows of a sale that may be recorded.

        Args:
            opened: the card.
            command: the sale.
            sale_id: its id.
            bill_id: of a part of a bill: the bill's first sale.
            for_receipt: it was paid without the card, so nothing can be taken off or handed over any more.

        Returns:
            Its entries, and what the till takes off or hands over.
        """
        purchase = command.purchase
        posting = opened.posting("purchase", sale_id=sale_id)
        proposals = opened.evaluate(purchase)
        opened.earn(posting, proposals, reason=FOR_RECEIPT if for_receipt else "")
        found = opened.add_sale_outcomes(purchase, tuple(posting.entries), proposals)
        benefits = [] if for_receipt else benefits_of(purchase, found)
        at = command.occurred_at or opened.now
        opened.add(
            "sale",
            {
                "id": sale_id,
                "shop_id": opened.shop_id,
                "staff_id": opened.staff_id,
                "quantity": purchase.quantity,
                "amount_minor": purchase.amount_minor,
                "currency": purchase.currency,
                "items": items_of(purchase),
                "benefits": benefits or None,
                "channel": purchase.channel,
                "counts": purchase.counts,
                "source": opened.ctx.source,
                "external_ref": command.external_ref,
                "bill_id": bill_id,
                "device": opened.ctx.device,
                "occurred_at": at,
                "created_at": opened.now,
            },
        )
        opened.add("evaluation", evaluation_of(opened, sale_id, proposals))
        opened.add_posting(posting)
        opened.add_event(
            SaleRecorded(
                sale_id=sale_id,
                card_id=opened.card.id,
                shop_id=opened.shop_id,
                staff_id=opened.staff_id,
                occurred_at=at,
            )
        )
        earned = {unit: posting.earned(unit) for unit in {entry.unit for entry in posting.entries}}
        opened.add_audit(Subject("sale.record", "sale", sale_id), outcome="done", details=earned)
        return posting, benefits

    def _answer(
        self,
        opened: OpenCard,
        command: SaleCommand,
        posting: Posting,
        benefits: list[dict[str, Any]],
        next_at: datetime | None,
    ) -> Answer:
        plugin, provider = self._ledger.registry.unit_providers[command.unit]
        context = opened.ledger_context(plugin, opened.shared(posting.accounts))
        earned = posting.earned(command.unit)
        model = provider.answer_earn(context, context.account(command.unit), earned, next_at)
        if not benefits:
            return Answer(200, model.model_dump_json().encode())
        currency = command.purchase.currency or opened.rules.program.currency
        shown = [{**benefit, "currency": currency} for benefit in benefits]
        return Answer(200, to_json({**model.model_dump(mode="json"), "benefits": shown}).encode())

    def _reverse(self, opened: OpenCard, action: LastAction) -> Posting:
        if action.redemption is not None:
            return action.redemption.move(opened, "undo", action.entries)
        posting = opened.posting("undo", sale_id=action.sale_id)
        for entry in action.entries:
            posting.reverse(entry, reason="undo")
        cancelled = [{"id": one["id"], "amount": one["amount"], "status": "cancelled"} for one in action.pending]
        opened.add("pending_change", *cancelled)
        opened.add_posting(posting)
        assert action.sale_id is not None
        opened.add("sale_undone", {"id": action.sale_id, "undone_at": opened.now})
        opened.add_event(SaleUndone(sale_id=action.sale_id, card_id=opened.card.id))
        reversed_entries = tuple(one.entry for one in action.entries)
        reversal = Reversal(taken=action.taken)
        opened.add_outcomes("reversal_posted", tuple(posting.entries), reversed_entries, None, reversal)
        opened.add_audit(Subject("sale.undo", "sale", action.sale_id), outcome="done", details={})
        return posting

    @staticmethod
    def _undone_answer(posting: Posting) -> Answer:
        content = {
            "success": True,
            "message": _("The last action was undone."),
            "entries": [
                {"id": ids.show(ids.ENTRY, e.id), "unit": e.unit, "amount": e.amount, "balance": e.balance_after}
                for e in posting.entries
            ],
        }
        return Answer(200, to_json(content).encode())


def happened(opened: OpenCard, at: datetime | None) -> None:
    """Place a sale in time: rules go by its moment, and what was bought before there was a card is no second scan."""
    opened.occurred_at = at
    opened.continues = at is not None and at < opened.card.created_at


def _wrong_time(opened: OpenCard, at: datetime | None) -> Refusal | None:
    """An earlier purchase counts for as many days as the program says, one of the future never."""
    if at is None:
        return None
    if at > opened.now + CLOCKS_DIFFER:
        return Refusal("sale.in_future", N_("This purchase lies in the future."), status=422)
    days = opened.rules.claim_days
    if opened.now - at <= max(timedelta(days=days), CLOCKS_DIFFER):
        return None
    if not days:
        return Refusal("sale.too_old", N_("This program counts a purchase when it is made, not later."), status=422)
    message = N_("This program counts purchases of the last {days} days.")
    return Refusal("sale.too_old", message, {"days": days}, status=422)


def wrong_currency(opened: OpenCard, purchase: Purchase) -> Refusal | None:
    """An amount in other money than the program's would be counted as if it were its own."""
    wanted = opened.rules.program.currency
    if purchase.currency is None or purchase.currency == wanted:
        return None
    message = N_("This program counts in {wanted}, not in {sent}.")
    return Refusal("sale.currency", message, {"wanted": wanted, "sent": purchase.currency}, status=422)


def _unknown_unit(opened: OpenCard, command: SaleCommand) -> Refusal | None:
    """What is counted for a unit must be counted for one that the program has."""
    for unit in (command.unit, *(command.purchase.counts or ())):
        if unit and opened.lacks(unit):
            return Refusal("sale.unknown_unit", N_("This program has no “{unit}”."), {"unit": unit}, status=422)
    return None


def undo_refusal(opened: OpenCard, action: LastAction | None) -> Refusal | None:
    """Why the last action cannot be undone by whoever acts, `None` when it can."""
    if action is None:
        return Refusal("undo.nothing", N_("There is nothing to undo on this card."))
    if action.staff_id is None or action.staff_id != opened.staff_id:
        return Refusal("undo.not_yours", N_("Only the person who did it can undo it."), status=403)
    if opened.now - action.at > UNDO_WINDOW:
        minutes = int(UNDO_WINDOW.total_seconds() // 60)
        return Refusal("undo.too_late", N_("An action can be undone for {minutes} minutes."), {"minutes": minutes})
    possible = after(action.redemption.state, "undo") if action.redemption else None
    return possible if isinstance(possible, Refusal) else None


def benefits_of(purchase: Purchase, found: Iterable[tuple[str, Benefit]]) -> list[dict[str, Any]]:
    """What the till takes off or hands over, as it is stored and shown.

    Args:
        purchase: the sale.
        found: (plugin, benefit).

    Raises:
        PluginFault: more money would be taken off than the sale has.
    """
    left, benefits = purchase.amount_minor or 0, []
    for plugin, benefit in found:
        if not 0 <= benefit.amount_minor <= left:
            raise PluginFault(plugin, f"it takes {benefit.amount_minor} off a bill of {left}")
        left -= benefit.amount_minor
        benefits.append({"plugin": plugin, **asdict(benefit)})
    return benefits
