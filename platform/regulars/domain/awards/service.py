"""Giving without a sale: birthdays, referrals, and whatever else a shop rewards.

The plugins are asked as for a sale (`check_earn`, `earn`, `adjust_earn`, `sale_posted`), under the card's lock.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.ledger import Birthday, Custom, Referral, Refusal
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import Subject
from regulars.kernel.db.database import TenantSession

Awarded = Birthday | Referral | Custom


class Awards:
    """Awards occasions.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def award(
        self, session: TenantSession, ctx: Context, card_id: UUID, occasion: Awarded, key: str
    ) -> Refusal | None:
        """Give a card what an occasion gives, once.

        Args:
            session: the transaction of whoever knows that it has happened, who also keeps that it was awarded.
            ctx: who awards.
            card_id: which card.
            occasion: what happened.
            key: name of this very occasion; a second award under it does nothing as long as answers are kept.

        Returns:
            Why nothing was given, `None` when it was, or had been before.

        Raises:
            NotFound: the tenant has no such card.
            PluginFault: a plugin failed; nothing is kept.
        """
        claim = Claim("award", key, sha256(key.encode()).digest())
        opened = await self._ledger.open(session, ctx, Attempt(claim, CardRef("id", card_id)), extra="", values={})
        if isinstance(opened, Answer):
            return None
        verdict = opened.standing() or opened.check_earn(occasion)
        if isinstance(verdict, Refusal):
            return verdict
        name = type(occasion).__name__.lower()
        posting = opened.posting(name)
        proposals = opened.evaluate(occasion)
        opened.earn(posting, proposals)
        opened.add_posting(posting)
        opened.add_sale_outcomes(occasion, tuple(posting.entries), proposals)
        earned = {unit: posting.earned(unit) for unit in {entry.unit for entry in posting.entries}}
        opened.add_audit(Subject(f"award.{name}", "card", card_id), outcome="done", details=earned)
        opened.store(Answer(200, b"{}"))
        await self._ledger.write(opened, "award")
        return None
