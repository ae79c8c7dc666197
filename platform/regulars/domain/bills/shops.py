"""One bill, several shops: a card's sales at several shops of the merchant in one call, each a sale of its own shop.

Each is decided after those before it were written, so what they took of budgets and limits counts. It is one visit:
card, program and PIN are asked once, and a cooldown too. All are recorded or none, or each by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from json import loads
from typing import Any
from uuid import UUID

from regulars.contracts.context import AccountState, Context
from regulars.contracts.errors import Forbidden, InvalidInput
from regulars.contracts.ledger import Purchase, Refusal
from regulars.domain.bills import repository
from regulars.domain.ledger.commands import Answer, Attempt
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.refunds.service import Refunds
from regulars.domain.sales.service import SaleCommand, Sales, happened
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _

MOST = 20
"""Shops of one bill."""


@dataclass(frozen=True, slots=True)
class ShopPart:
    """What was bought at one shop.

    Attributes:
        external_ref: the sale's name in the system it comes from; counted once for ever.
        occurred_at: when it happened, if not now.
    """

    shop_id: UUID
    purchase: Purchase
    external_ref: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShopBillCommand:
    """Sales of one card at several shops.

    Attributes:
        attempt: key, card and who acts; its shop is not looked at.
        parts: 1 to `MOST`, each of another shop.
        all_or_nothing: a refusal of one is one of all; else the others are recorded.
    """

    attempt: Attempt
    parts: Sequence[ShopPart]
    all_or_nothing: bool = True


@dataclass(slots=True)
class _Told:
    """What has become of the parts so far.

    Attributes:
        early: sales whose refunds have come before them.
        refused: the answer of the first part that was refused.
    """

    parts: list[dict[str, Any]] = field(default_factory=list)
    bill_id: UUID | None = None
    early: list[UUID] = field(default_factory=list)
    refused: Answer | None = None


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class ShopBills:
    """Records bills of several shops.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sales = Sales(ledger)
        self._refunds = Refunds(ledger)

    async def record(self, session: TenantSession, ctx: Context, command: ShopBillCommand) -> Answer:
        """Record the sales, or refuse them with a reason; both are to be committed.

        Returns:
            The answer that was stored under the attempt's key. When no part could be recorded it is the refusal of the
            first that was refused, whose `part` says which, from 1.

        Raises:
            Forbidden: the key belongs to one shop, and another one is named.
            InvalidInput: there is no such shop, or one is named twice.
            NotFound, IdempotencyInProgress, IdempotencyMismatch, Conflict, PluginFault, Raced: nothing is kept.
        """
        await _check_shops(session, ctx, command)
        first = await self._open(session, ctx, command, 0)
        if isinstance(first, Answer):
            return first
        refusal = self._sales.check_visit(first)
        if refusal is not None:
            return await self._refuse(first, refusal)
        told = _Told()
        try:
            async with session.all_or_nothing():
                answer = await self._record(session, ctx, command, first, told)
        except _Refused as refused:
            first.rows.clear()  # what the first part had added was taken back
            return await self._refuse(first, self._sales.check_visit(first) or refused.refusal)
        for sale_id in told.early:
            await self._refunds.settle(session, ctx, sale_id)
        return answer

    async def _record(
        self, session: TenantSession, ctx: Context, command: ShopBillCommand, first: OpenCard, told: _Told
    ) -> Answer:
        for place, part in enumerate(command.parts):
            opened = await self._open(session, ctx, command, place) if place else first
            assert isinstance(opened, OpenCard)  # the answer is stored with the last part
            happened(opened, part.occurred_at)
            opened.continues = opened.continues or told.bill_id is not None
            sale = SaleCommand(command.attempt, "", part.purchase, part.external_ref, part.occurred_at)
            verdict = self._sales.check_sale(opened, sale)
            accounts: Mapping[str, AccountState] = opened.accounts
            if isinstance(verdict, Refusal):
                refusal = replace(verdict, params={**verdict.params, "part": place + 1})
                if command.all_or_nothing:
                    raise _Refused(refusal)
                self._tell_refusal(told, opened, sale, refusal)
            else:
                accounts = self._post(told, opened, sale)
            if place == len(command.parts) - 1:
                answer = _answer(told, opened, accounts)
                opened.store(answer, sale_id=told.bill_id)
            await self._ledger.write(opened, "refuse" if isinstance(verdict, Refusal) else "earn")
        return answer

    def _post(self, told: _Told, opened: OpenCard, sale: SaleCommand) -> Mapping[str, AccountState]:
        """Add the rows of one part; gives the accounts after it."""
        sale_id = new_id()
        told.bill_id = told.bill_id or sale_id
        posting, benefits = self._sales.post(opened, sale, sale_id, bill_id=told.bill_id)
        earned: Counter[str] = Counter()
        for entry in posting.entries:
            earned[entry.unit] += entry.amount
        currency = sale.purchase.currency or opened.rules.program.currency
        part = {
            **_named(opened, sale.external_ref),
            "sale": ids.show(ids.SALE, sale_id),
            "earned": dict(earned),
            "benefits": [{**benefit, "currency": currency} for benefit in benefits],
            "refusal": None,
        }
        told.parts.append(part)
        if opened.read["early_refund"]:
            told.early.append(sale_id)
        return posting.accounts

    @staticmethod
    def _tell_refusal(told: _Told, opened: OpenCard, sale: SaleCommand, refusal: Refusal) -> None:
        answer = opened.refusal_answer(refusal, "sale.record")
        told.refused = told.refused or answer
        outcome = {"sale": None, "earned": {}, "benefits": [], "refusal": loads(answer.body)}
        told.parts.append({**_named(opened, sale.external_ref), **outcome})

    async def _open(
        self, session: TenantSession, ctx: Context, command: ShopBillCommand, place: int
    ) -> OpenCard | Answer:
        part = command.parts[place]
        values = {"source": ctx.source, "external_ref": part.external_ref}
        attempt = replace(command.attempt, shop_id=part.shop_id)
        return await self._ledger.open(session, ctx, attempt, extra="sale", values=values)

    async def _refuse(self, opened: OpenCard, refusal: Refusal) -> Answer:
        answer = opened.refusal_answer(refusal, "sale.record")
        opened.store(answer)
        await self._ledger.write(opened, "refuse")
        return answer


async def _check_shops(session: TenantSession, ctx: Context, command: ShopBillCommand) -> None:
    """Each shop is one of the tenant's, may be named by whoever asks, and comes once: one visit is one sale a shop."""
    wanted = [part.shop_id for part in command.parts]
    own = ctx.principal.shop_id
    if own is not None and set(wanted) != {own}:
        raise Forbidden(_("This key belongs to one shop and cannot record sales of another one."))
    rows = await session.rows(repository.SHOPS, {"tenant": session.tenant_id, "shops": wanted})
    known = {row.id for row in rows}
    faults = {}
    for place, shop_id in enumerate(wanted):
        if shop_id not in known:
            faults[f"parts.{place}.shop"] = _("There is no such shop here.")
        elif shop_id in wanted[:place]:
            faults[f"parts.{place}.shop"] = _("Each shop can have one sale of the bill.")
    if faults:
        raise InvalidInput(" ".join(dict.fromkeys(faults.values())), fields=faults)


def _named(opened: OpenCard, external_ref: str | None) -> dict[str, Any]:
    assert opened.shop_id is not None
    return {"shop": ids.show(ids.SHOP, opened.shop_id), "external_ref": external_ref}


def _answer(told: _Told, opened: OpenCard, accounts: Mapping[str, AccountState]) -> Answer:
    if told.bill_id is None:
        assert told.refused is not None
        return told.refused
    content = {
        "bill": ids.show(ids.SALE, told.bill_id),
        "card": ids.show(ids.CARD, opened.card.id),
        "parts": told.parts,
        "balances": {unit: state.balance for unit, state in opened.shared(accounts).items()},
    }
    return Answer(200, to_json(content).encode())
