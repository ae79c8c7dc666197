"""A shop that gives coins, through the services: sales with an amount, refunds, rewards, and what is on a card."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from asyncpg import Connection

from regulars.contracts.ledger import Item, Purchase
from regulars.domain.ledger.commands import Answer, Claim, principal_of
from regulars.domain.ledger.engine import Ledger
from regulars.domain.redemptions.service import RedeemCommand, Redemptions
from regulars.domain.refunds.parts import Part
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.kernel.db.database import Database
from regulars.testing.till import Till, content
from regulars.testing.world import TestCard, World

_keys = count(1)
BALANCE = "SELECT coalesce(sum(balance), 0)::int FROM core.account WHERE card_id = $1 AND unit = 'coins'"
ENTRIES = "SELECT kind, amount::int, balance_after::int FROM core.ledger_entry WHERE card_id = $1 ORDER BY seq"
LOTS = "SELECT amount::int, amount_left::int FROM core.ledger_lot WHERE card_id = $1 ORDER BY created_at, id"
PENDING = "SELECT amount::int, status FROM core.ledger_pending WHERE card_id = $1 ORDER BY created_at, id"
LAST_SALE = "SELECT id FROM core.sale WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1"
REDEMPTION = "SELECT id FROM core.redemption WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1"


@dataclass
class Bank:
    """One tenant's shop.

    Attributes:
        sql: sees everything, for looking at results.
        looking: one looks after the other where sales come at once.
    """

    world: World
    database: Database
    ledger: Ledger
    sql: Connection
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sale(
        self, amount: int | None, *items: Item, card: TestCard | None = None, ref: str | None = None, quantity: int = 1
    ) -> Any:
        """Record a sale and say its id."""
        attempt = self._till.attempt(card, None, None, None, body=f"sale {amount} {ref}")
        purchase = Purchase(quantity, amount, "EUR" if amount is not None else None, items)
        async with self.database.tenant(self.world.tenant.id) as session:
            command = SaleCommand(attempt, "coins", purchase, ref)
            answer = await Sales(self.ledger).record(session, self.world.context(), command)
        assert answer.status == 200, answer.body
        async with self.looking:
            return await self.sql.fetchval(LAST_SALE, self.world.tenant.id)

    async def mug(self, *, card: TestCard | None = None) -> Any:
        """Redeem the reward and say the redemption's id."""
        answer = await self.try_mug(card=card)
        assert answer.status == 200, answer.body
        return await self.sql.fetchval(REDEMPTION, self.world.tenant.id)

    async def try_mug(self, *, card: TestCard | None = None) -> Answer:
        """Redeem the reward, or be refused."""
        command = RedeemCommand(self._till.attempt(card, None, None, None, body="mug"), "coins")
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Redemptions(self.ledger).redeem(session, self.world.context(), command)

    async def refund(
        self, sale_id: Any = None, *, part: Part | None = None, key: str | None = None, **more: Any
    ) -> Answer:
        """Refund a sale or a part of it."""
        context = self.world.context()
        claim = Claim(principal_of(context), key or f"refund-{next(_keys)}", f"{sale_id} {part} {more}".encode())
        command = RefundCommand(claim, sale_id, part=part or Part(), **more)
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Refunds(self.ledger).refund(session, context, command)

    async def refunded(self, *arguments: Any, **more: Any) -> Mapping[str, Any]:
        """Refund, and say what was taken, let go and given back."""
        answer = await self.refund(*arguments, **more)
        assert answer.status == 200, answer.body
        return {name: content(answer)[name] for name in ("taken", "let_go", "given_back") if content(answer)[name]}

    async def balance(self, card: TestCard | None = None) -> int:
        """Coins on a card."""
        found: int = await self.sql.fetchval(BALANCE, (card or self.world.card).id)
        return found

    async def entries(self, card: TestCard | None = None) -> list[tuple[Any, ...]]:
        """(kind, amount, balance after) of all entries."""
        return [tuple(row) for row in await self.sql.fetch(ENTRIES, (card or self.world.card).id)]

    async def lots(self, card: TestCard | None = None) -> list[tuple[Any, ...]]:
        """(amount, what is left) of all lots."""
        return [tuple(row) for row in await self.sql.fetch(LOTS, (card or self.world.card).id)]

    async def pending(self, card: TestCard | None = None) -> list[tuple[Any, ...]]:
        """(amount, status) of what waits and waited."""
        return [tuple(row) for row in await self.sql.fetch(PENDING, (card or self.world.card).id)]

    @property
    def _till(self) -> Till:
        return Till(self.world, self.database, self.ledger)
