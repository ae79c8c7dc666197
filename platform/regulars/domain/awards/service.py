"""Giving without a sale: birthdays, referrals, and whatever else a shop rewards.

The plugins are asked as for a sale (`check_earn`, `earn`, `adjust_earn`, `sale_posted`), under the card's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.events import AwardTakenBack
from regulars.contracts.ledger import Birthday, Custom, Proposal, Referral, Refusal
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.drafts import cut_pending
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.extra_statements import AWARD
from regulars.domain.ledger.lots import posted
from regulars.domain.ledger.opened import Subject
from regulars.domain.ledger.posting import Posting
from regulars.kernel.db.database import TenantSession

Awarded = Birthday | Referral | Custom


class Awards:
    """Awards occasions, and takes awards back.

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
            key: name of this very occasion, which `take_back` asks for; a second award under it does nothing as long as
                answers are kept.

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
        proposals = [_named(one, key) for one in opened.evaluate(occasion)]
        opened.earn(posting, proposals)
        opened.add_posting(posting)
        opened.add_sale_outcomes(occasion, tuple(posting.entries), proposals)
        earned = {unit: posting.earned(unit) for unit in {entry.unit for entry in posting.entries}}
        opened.add_audit(Subject(f"award.{name}", "card", card_id), outcome="done", details=earned)
        opened.store(Answer(200, b"{}"))
        await self._ledger.write(opened, "award")
        return None

    async def take_back(self, session: TenantSession, ctx: Context, card_id: UUID, key: str) -> None:
        """Take back what an award gave; what was spent becomes a debt or is let go, as the unit's provider says.

        Whoever gives it anew needs another key. Taking back twice takes back once.

        Args:
            session, ctx: as for `award`.
            card_id: which card.
            key: the award's.

        Raises:
            NotFound: the tenant has no such card.
            PluginFault: a plugin failed; nothing is kept.
        """
        claim = Claim("award_back", key, sha256(key.encode()).digest())
        values = {"award_key": key}
        opened = await self._ledger.open(
            session, ctx, Attempt(claim, CardRef("id", card_id)), extra="award", values=values
        )
        if isinstance(opened, Answer):
            return
        posting, originals = opened.posting("award_back"), []
        for one in map(posted, opened.read["award"]["entries"] or ()):
            floor = opened.floor(one.entry.unit)
            amount = 0 if one.is_reversed else one.entry.amount
            if amount and posting.take_back(one, amount, opened.lots, floor=floor, reason="award") is not None:
                originals.append(one.entry)
        waiting = opened.read["award"]["pending"] or ()
        if not originals and not waiting:
            return
        opened.add("pending_change", *(cut_pending(row, row["amount"]) for row in waiting))
        opened.add_posting(posting, is_activity=False)
        opened.add_outcomes("reversal_posted", tuple(posting.entries), tuple(originals), None, None)
        opened.add_event(AwardTakenBack(card_id=card_id, key=key))
        opened.add_audit(Subject("award.take_back", "card", card_id), outcome="done", details=_sums(posting, waiting))
        opened.store(Answer(200, b"{}"))
        await self._ledger.write(opened, "award_back")


def _named(proposal: Proposal, key: str) -> Proposal:
    """What is given carries the award's key, so that it can be found again."""
    draft = proposal.draft
    return replace(proposal, draft=replace(draft, explanation={**draft.explanation, AWARD: key}))


def _sums(posting: Posting, waiting: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    taken: Counter[str] = Counter()
    for entry in posting.entries:
        taken[entry.unit] -= entry.amount
    for row in waiting:
        taken[row["unit"]] += row["amount"]
    return dict(taken)
