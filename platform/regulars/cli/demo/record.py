"""Recording a plan through the real services, many steps in a transaction, the database's clock moved for each.

Only the migrator may move the clock, so the demo's transactions are the migrator's; the statements are those of every
sale. The clock that is moved is the connection's own, so several merchants are recorded at the same time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from json import loads
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from regulars.cli.demo.people import Person
from regulars.cli.demo.plan import Step
from regulars.cli.demo.repository import MOVE_CLOCK, PUBLISHED, START_CLOCK, STOP_CLOCK
from regulars.contracts.context import ANONYMOUS, Context, Principal, Source
from regulars.domain.cards.enrolment import EnrolCommand, Enrolments
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.redemptions.service import RedeemCommand, Redemptions
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.kernel.db.database import Credentials, TenantSession, enter

BATCH = 250
REDEEM_SHARE = 0.85
DEVICES = ("Terminal 1", "Terminal 2", "Tablet at the bar")
WRONG_PIN = "0000"
SAVERS = 0.3
"""Above it people wait for the dearest prize."""
BALANCES = {"stamps": "stamp_count", "points": "points_balance"}
"""Unit → where the till's answer says what is on the card."""


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody at the till."""

    id: UUID
    name: str
    pin: str


@dataclass(slots=True)
class Card:
    """A member's card as the recorder remembers it."""

    number: str
    balance: int = 0


@dataclass(slots=True)
class Counts:
    """What was recorded."""

    members: int = 0
    sales: int = 0
    refused: int = 0
    redeemed: int = 0
    undone: int = 0


@dataclass(frozen=True, slots=True)
class Prize:
    """A reward that people ask for at the till.

    Attributes:
        reward: kind and key, `None` for the unit's own.
    """

    unit: str
    cost: int
    reward: str | None = None


@dataclass(slots=True)
class Recorder:
    """Records the steps of one tenant.

    Attributes:
        engine: of the migrator role.
        prizes: what can be had over the counter, the cheapest first; all for one unit.
    """

    engine: AsyncEngine
    ledger: Ledger
    ctx: Context
    people: Sequence[Person]
    staff: Sequence[Helper]
    shops: Sequence[UUID]
    prizes: Sequence[Prize]
    cards: dict[int, Card] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    keys: int = 0

    async def record(self, steps: Sequence[Step]) -> Counts:
        """Record all steps.

        Args:
            steps: oldest first.
        """
        for batch in _batches(steps):
            async with self.session() as session:
                for step in batch:
                    await self.move_clock(session, step.at)
                    await self._step(session, step)
        return self.counts

    @staticmethod
    async def move_clock(session: TenantSession, at: datetime) -> None:
        """Let it be another moment, in this transaction."""
        await session.run(MOVE_CLOCK, {"at": at})

    @property
    def at_desk(self) -> Context:
        """Of the owner, at the merchant's pages."""
        return replace(self.ctx, source="manage", device="Desk")

    @property
    def at_home(self) -> Context:
        """Of somebody without an account, at home."""
        return replace(self.ctx, source="portal", device="Phone", principal=ANONYMOUS)

    async def settle(self, before: datetime) -> None:
        """Take the events before a moment as published long ago."""
        async with self.engine.begin() as connection:
            await connection.execute(PUBLISHED, {"tenant_id": self.ctx.tenant.id, "before": before})

    @asynccontextmanager
    async def session(self) -> AsyncIterator[TenantSession]:
        """A transaction whose clock can be moved."""
        async with self.engine.begin() as connection:
            session = await enter(connection, self.ctx.tenant.id, Credentials())
            await session.execute(START_CLOCK)
            yield session
            await session.execute(STOP_CLOCK)

    async def _step(self, session: TenantSession, step: Step) -> None:
        if step.kind == "enrol":
            await self._enrol(session, step)
        elif step.member in self.cards:
            await self._at_the_till(session, step, self.cards[step.member])

    async def _enrol(self, session: TenantSession, step: Step) -> None:
        person = self.people[step.member]
        at_till = step.staff < 0.25
        command = EnrolCommand(
            person.email,
            name=person.name,
            phone=person.phone,
            locale=person.locale,
            terms=True,
            marketing=step.shop < 0.4,
        )
        ctx = self._context("terminal" if at_till else "portal", step)
        enrolled = await Enrolments(self.ledger).enrol(session, ctx, command)
        self.cards[step.member] = Card(enrolled.number)
        self.counts.members += 1

    async def _at_the_till(self, session: TenantSession, step: Step, card: Card) -> None:
        ctx = self._context("terminal", step)
        sales = Sales(self.ledger)
        if step.kind == "undo":
            answer = await sales.undo(session, ctx, self._attempt(step, card))
            self.counts.undone += not answer.refused
            card.balance = 0 if not answer.refused else card.balance
            return
        prize = self._wanted(card, step) if step.kind == "sale" else None
        if prize is not None:
            command = RedeemCommand(self._attempt(step, card), prize.unit, prize.reward)
            redeemed = await Redemptions(self.ledger).redeem(session, ctx, command)
            self.counts.redeemed += not redeemed.refused
        pin = WRONG_PIN if step.kind == "wrong_pin" else None
        attempt = self._attempt(step, card, pin)
        answer = await sales.record(session, ctx, SaleCommand(attempt, self.prizes[0].unit, step.purchase))
        self._note(card, answer)

    def _wanted(self, card: Card, step: Step) -> Prize | None:
        """The dearest prize that the card can pay, for most; some save on."""
        within = [prize for prize in self.prizes if prize.cost <= card.balance]
        if not within or step.staff >= REDEEM_SHARE or (len(within) < len(self.prizes) and step.shop > SAVERS):
            return None
        return within[-1]

    def _note(self, card: Card, answer: Answer) -> None:
        if answer.refused:
            self.counts.refused += 1
            return
        self.counts.sales += 1
        card.balance = loads(answer.body)[BALANCES[self.prizes[0].unit]]

    def _attempt(self, step: Step, card: Card, pin: str | None = None) -> Attempt:
        helper = self._helper(step)
        self.keys += 1
        claim = Claim("demo", f"demo-{self.keys}", b"")
        return Attempt(claim, CardRef("number", card.number), helper.id, pin or helper.pin, self._shop(step))

    def _context(self, source: Source, step: Step) -> Context:
        if source == "portal":
            return self.at_home
        helper = self._helper(step)
        principal = Principal("staff", helper.id, helper.name, "staff", shop_id=self._shop(step))
        return replace(self.ctx, source=source, device=DEVICES[int(step.shop * len(DEVICES))], principal=principal)

    def _helper(self, step: Step) -> Helper:
        return self.staff[int(step.staff * len(self.staff))]

    def _shop(self, step: Step) -> UUID:
        return self.shops[int(step.shop * len(self.shops))]


def _batches(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    for start in range(0, len(steps), BATCH):
        yield steps[start : start + BATCH]
