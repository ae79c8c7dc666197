"""The things that a till does to a card, each as one value: what it is called and how it is carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import IdempotencyInProgress, NotFound
from regulars.contracts.ledger import Purchase
from regulars.domain.cards.view import CardView, UnitView
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.redemptions.service import MoveCommand, RedeemCommand
from regulars.domain.sales.service import SaleCommand
from regulars.kernel import ids
from regulars.kernel.i18n import format_money
from regulars.kernel.i18n import gettext as _
from regulars.web.terminal.fields import read_purchase
from regulars.web.work import Work

_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)


class Act(Protocol):
    """One thing to do."""

    @property
    def name(self) -> str:
        """Last part of its address."""

    @property
    def fields(self) -> Mapping[str, str]:
        """What the form sends besides key, person and PIN."""

    def title(self, view: CardView) -> str:
        """What the PIN sheet asks to confirm."""

    def staff_id(self, view: CardView) -> UUID | None:
        """The only person who may do it, `None` for everybody."""

    async def carry_out(self, work: Work, ctx: Context, attempt: Attempt) -> Answer:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Add:
    """Record a sale that gives units."""

    unit: UnitView
    purchase: Purchase
    known: Mapping[str, str]
    name: str = "add"

    @property
    def fields(self) -> Mapping[str, str]:
        """Unit and the provider's own fields."""
        return {"unit": self.unit.unit, **self.known}

    def title(self, view: CardView) -> str:
        """`Add stamp`, with the number where there are several; `Add points: €25.00`."""
        words = self.unit.words
        if words is None:
            return _("Record a sale")
        if self.purchase.amount_minor is not None:
            amount = format_money(self.purchase.amount_minor, view.program.currency)
            return f"{words.action()}: {amount}"
        if self.purchase.quantity == 1 and self.counted == {self.unit.unit}:
            return words.action()
        return _("Add %(amount)s", amount=", ".join(self._amounts(view)) or words.amount(self.purchase.quantity))

    @property
    def counted(self) -> frozenset[str]:
        """The units that staff count for; the one of the form where they count for no single one."""
        counts = self.purchase.counts or {}
        return frozenset(unit for unit, count in counts.items() if count) or frozenset({self.unit.unit})

    def _amounts(self, view: CardView) -> list[str]:
        counts = self.purchase.counts or {}
        found = [(counts[one.unit], one.words) for one in view.units if one.words and counts.get(one.unit)]
        return [f"{count} × {words.title()}" for count, words in found] if len(counts) > 1 else []

    def staff_id(self, view: CardView) -> UUID | None:
        """Everybody may."""
        del view
        return None

    async def carry_out(self, work: Work, ctx: Context, attempt: Attempt) -> Answer:
        """Record the sale."""
        command = SaleCommand(attempt, self.unit.unit, self.purchase)
        return await work.services.sales.record(work.session, ctx, command)


@dataclass(frozen=True, slots=True)
class Redeem:
    """Hand a reward out."""

    unit: str
    reward: str
    text: str
    name: str = "redeem"

    @property
    def fields(self) -> Mapping[str, str]:
        """Which reward."""
        return {"unit": self.unit, "reward": self.reward}

    def title(self, view: CardView) -> str:
        """`Redeem: free coffee`."""
        del view
        return _("Redeem: %(reward)s", reward=self.text)

    def staff_id(self, view: CardView) -> UUID | None:
        """Everybody may."""
        del view
        return None

    async def carry_out(self, work: Work, ctx: Context, attempt: Attempt) -> Answer:
        """Redeem it."""
        command = RedeemCommand(attempt, self.unit, self.reward, wants_redemption=True)
        return await work.services.redemptions.redeem(work.session, ctx, command)


@dataclass(frozen=True, slots=True)
class HandOut:
    """Hand out a reward that was put aside.

    Attributes:
        redemption_id: which.
        text: of the reward.
    """

    redemption_id: UUID
    text: str
    name: str = "hand-out"

    @property
    def fields(self) -> Mapping[str, str]:
        """Which redemption."""
        return {"redemption": ids.show(ids.REDEMPTION, self.redemption_id)}

    def title(self, view: CardView) -> str:
        """`Hand out: free coffee`."""
        del view
        return _("Hand out: %(reward)s", reward=self.text)

    def staff_id(self, view: CardView) -> UUID | None:
        """Everybody may."""
        del view
        return None

    async def carry_out(self, work: Work, ctx: Context, attempt: Attempt) -> Answer:
        """Capture it."""
        command = MoveCommand(attempt, self.redemption_id, "capture")
        return await work.services.redemptions.move(work.session, ctx, command)


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last action back."""

    text: str
    name: str = "undo"

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing to say: it is the last action."""
        return {}

    def title(self, view: CardView) -> str:
        """`Take back: 1 stamp`."""
        del view
        return _("Take back: %(what)s", what=self.text) if self.text else _("Take back the last action")

    def staff_id(self, view: CardView) -> UUID | None:
        """Whoever did it."""
        return view.undoable.staff_id if view.undoable else None

    async def carry_out(self, work: Work, ctx: Context, attempt: Attempt) -> Answer:
        """Undo it."""
        return await work.services.sales.undo(work.session, ctx, attempt)


def add_of(view: CardView, unit: str, sent: Mapping[str, str]) -> Add:
    """What a form wants to add.

    Raises:
        NotFound: the card has no such unit (any more).
        InvalidInput: the provider's fields, one by one.
    """
    found = next((one for one in view.units if one.unit == unit), None)
    if found is None:
        raise NotFound(_("This cannot be collected here."))
    purchase, known = read_purchase(found.provider, sent, view.program.currency)
    return Add(found, purchase, known)


def redeem_of(view: CardView, unit: str, reward: str) -> Redeem:
    """What a form wants to redeem.

    Raises:
        NotFound: there is no such reward (any more).
    """
    kind, _separator, key = reward.partition("/")
    offer = next((one for one in view.offers if (one.unit, one.kind, one.key) == (unit, kind, key)), None)
    if offer is None:
        raise NotFound(_("There is no such reward."))
    return Redeem(unit, reward, offer.title)


def claim_of(ctx: Context, card_id: UUID, act: Act, key: str, staff: str) -> Claim:
    """The claim of a form on its effect: the same form sent twice has the same claim.

    The PIN is not part of the fingerprint, which is stored: four digits could be guessed from it.
    """
    parts = (act.name, card_id.hex, staff, *(f"{name}={value}" for name, value in sorted(act.fields.items())))
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return Claim(f"terminal:{ctx.principal.session_id}", key, digest)


def attempt_of(claim: Claim, card_id: UUID, staff: str, pin: str) -> Attempt:
    """Who says that they do it to which card."""
    return Attempt(claim, CardRef("id", card_id), staff_id=ids.read(ids.STAFF, staff), pin=pin or None)


async def patiently(carry_out: Callable[[], Awaitable[Answer]]) -> Answer:
    """Carry out; a second tap waits for the first one and gets its answer.

    Raises:
        IdempotencyInProgress: the first one takes too long.
    """
    for wait in _WAITS:
        try:
            return await carry_out()
        except IdempotencyInProgress:
            await asyncio.sleep(wait)
    return await carry_out()
