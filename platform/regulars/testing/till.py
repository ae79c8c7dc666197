"""A till for tests: sales, redemptions and undos of a world through the services, without the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from json import loads
from typing import Any
from uuid import UUID

from regulars.contracts.context import Source
from regulars.contracts.ledger import Purchase
from regulars.domain.cards.enrolment import EnrolCommand, Enrolled, Enrolments
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim, principal_of
from regulars.domain.ledger.engine import Ledger
from regulars.domain.merges.service import MergeCommand, Merges
from regulars.domain.redemptions.service import RedeemCommand, Redemptions
from regulars.domain.refunds.parts import Part
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.kernel import ids
from regulars.kernel.db.database import Database
from regulars.testing.world import Person, TestCard, World

_keys = count(1)


@dataclass
class Till:
    """A till of one tenant.

    Attributes:
        source: door that the actions come through.
    """

    world: World
    database: Database
    ledger: Ledger
    source: Source = "api"

    async def sale(
        self,
        quantity: int = 1,
        *,
        card: TestCard | None = None,
        staff: Person | None = None,
        pin: str | None = None,
        key: str | None = None,
        external_ref: str | None = None,
        unit: str = "stamps",
        purchase: Purchase | None = None,
    ) -> Answer:
        """Record a sale in a unit of work of its own.

        Args:
            quantity: stamps, items or visits.
            card, staff, pin, key: those of the world by default, and a key of its own.
            external_ref: the sale's name elsewhere.
            unit: of which the answer speaks.
            purchase: more than a quantity.
        """
        bought = purchase or Purchase(quantity)
        attempt = self.attempt(card, staff, pin, key, body=f"sale {bought} {external_ref}")
        command = SaleCommand(attempt, unit, bought, external_ref)
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Sales(self.ledger).record(session, self.world.context(self.source), command)

    async def redeem(
        self,
        *,
        card: TestCard | None = None,
        staff: Person | None = None,
        pin: str | None = None,
        key: str | None = None,
        unit: str = "stamps",
    ) -> Answer:
        """Redeem the card's first reward of a unit."""
        command = RedeemCommand(self.attempt(card, staff, pin, key, body="redeem"), unit)
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Redemptions(self.ledger).redeem(session, self.world.context(self.source), command)

    async def undo(
        self,
        *,
        card: TestCard | None = None,
        staff: Person | None = None,
        pin: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Undo the card's last action."""
        attempt = self.attempt(card, staff, pin, key, body="undo")
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Sales(self.ledger).undo(session, self.world.context(self.source), attempt)

    async def refund(
        self,
        sale_id: UUID,
        *,
        quantity: int | None = None,
        amount_minor: int | None = None,
        redemptions: Sequence[UUID] = (),
    ) -> Answer:
        """Refund a sale, or so much of it; rewards can come back with it."""
        claim = Claim(principal_of(self.world.context(self.source)), f"key-{next(_keys)}", b"refund")
        part = Part(amount_minor=amount_minor, quantity=quantity)
        command = RefundCommand(claim, sale_id, part=part, redemptions=tuple(redemptions))
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Refunds(self.ledger).refund(session, self.world.context(self.source), command)

    async def merge(self, source: TestCard, target: TestCard) -> Answer:
        """Merge the member of a card into that of another one."""
        claim = Claim(principal_of(self.world.context(self.source)), f"key-{next(_keys)}", b"merge")
        command = MergeCommand(claim, source.member_id, target.member_id, "a test")
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Merges(self.ledger).merge(session, self.world.context(self.source), command)

    async def unmerge(self, merged: Answer) -> Answer:
        """Undo a merge."""
        claim = Claim(principal_of(self.world.context(self.source)), f"key-{next(_keys)}", b"unmerge")
        merge_id = ids.read(ids.MERGE, content(merged)["id"])
        assert merge_id is not None
        async with self.database.tenant(self.world.tenant.id) as session:
            return await Merges(self.ledger).unmerge(session, self.world.context(self.source), claim, merge_id)

    async def enrol(self, email: str, **values: Any) -> Enrolled:
        """Enrol a member."""
        async with self.database.tenant(self.world.tenant.id) as session:
            command = EnrolCommand(email, terms=True, **values)
            return await Enrolments(self.ledger).enrol(session, self.world.context("portal"), command)

    def attempt(
        self, card: TestCard | None, staff: Person | None, pin: str | None, key: str | None, *, body: str
    ) -> Attempt:
        """An attempt with a key of its own unless one is given."""
        person = staff or self.world.anna
        claim = Claim(
            principal_of(self.world.context(self.source)), key or f"key-{next(_keys)}", sha256(body.encode()).digest()
        )
        number = (card or self.world.card).number
        return Attempt(claim, CardRef.parse(number), person.id, pin or person.pin, self.world.shop_id)


def content(answer: Answer) -> Mapping[str, Any]:
    """The JSON of an answer."""
    parsed: Mapping[str, Any] = loads(answer.body)
    return parsed
