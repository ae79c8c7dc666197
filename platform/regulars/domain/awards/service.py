"""Giving without a sale: birthdays, referrals, and whatever else a shop rewards.

The plugins are asked as for a sale (`check_earn`, `earn`, `adjust_earn`, `sale_posted`), under the card's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.events import AwardTakenBack
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import Birthday, Custom, Proposal, Referral, Refusal
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.drafts import cut_pending
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.extra_statements import AWARD
from regulars.domain.ledger.history import words_of
from regulars.domain.ledger.lots import posted
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json

Awarded = Birthday | Referral | Custom
KNOWN = Refusal("event.already_counted", N_("This was counted before."))
NOTHING = Refusal("event.nothing", N_("No rule gives anything for this, or not any more."))


@dataclass(frozen=True, slots=True)
class EventCommand:
    """Something that a shop's own system reports.

    Attributes:
        name: the shop's word for what happened, as its rules name it.
        reference: the event's own name there; counted once for ever for each card and word.
    """

    attempt: Attempt
    name: str
    reference: str


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
        """Give a card what an occasion gives, once for ever.

        Args:
            session: the transaction.
            ctx: who awards.
            card_id: which card.
            occasion: what happened.
            key: tells this very occasion from others of its kind; `take_back` asks for it.

        Returns:
            Why nothing may be given; `None` when it was, had been before, or no rule gives anything.

        Raises:
            NotFound: the tenant has no such card.
            IdempotencyInProgress: somebody else awards it at this moment.
            PluginFault: a plugin failed; nothing is kept.
        """
        attempt = Attempt(Claim("award", f"{card_id} {key}", sha256(key.encode()).digest()), CardRef("id", card_id))
        opened = await self._open(session, ctx, attempt, occasion, key)
        if isinstance(opened, Answer):
            return None
        given = _give(opened, occasion, key)
        if isinstance(given, Refusal):
            return None if given in (KNOWN, NOTHING) else given
        opened.store(Answer(200, b"{}"))
        await self._ledger.write(opened, "award")
        return None

    async def report(self, session: TenantSession, ctx: Context, command: EventCommand) -> Answer:
        """Give a card what an event gives that the shop's own system has seen, or refuse it with a reason.

        Returns:
            The answer that was stored under the attempt's key.

        Raises:
            NotFound, IdempotencyInProgress, IdempotencyMismatch, PluginFault: nothing is kept.
        """
        occasion = Custom(command.name)
        opened = await self._open(session, ctx, command.attempt, occasion, command.reference)
        if isinstance(opened, Answer):
            return opened
        given = _give(opened, occasion, command.reference)
        if isinstance(given, Refusal):
            answer = opened.refusal_answer(given, "award.custom")
            opened.store(answer)
            await self._ledger.write(opened, "refuse")
            return answer
        answer = self._answer(command.name, given)
        opened.store(answer)
        await self._ledger.write(opened, "award")
        return answer

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

    async def _open(
        self, session: TenantSession, ctx: Context, attempt: Attempt, occasion: Awarded, key: str
    ) -> OpenCard | Answer:
        values = {"award_occasion": _kind(occasion), "award_name": _name(occasion), "award_key": key}
        return await self._ledger.open(session, ctx, attempt, extra="occasion", values=values)

    def _answer(self, name: str, given: Mapping[str, int]) -> Answer:
        said = {unit: words_of(self._ledger.registry, unit) for unit in given}
        message = ", ".join(words.amount(given[unit]) for unit, words in said.items() if words is not None)
        return Answer(201, to_json({"success": True, "event": name, "given": given, "message": message}).encode())


def _give(opened: OpenCard, occasion: Awarded, key: str) -> Mapping[str, int] | Refusal:
    """Add the rows of what an occasion gives; unit → units, those that wait included."""
    if opened.read["occasion"]["known"]:
        return KNOWN
    if isinstance(occasion, Custom):
        occasion = replace(occasion, earlier=opened.read["occasion"]["earlier"])
    verdict = opened.standing() or opened.check_earn(occasion)
    if isinstance(verdict, Refusal):
        return verdict
    kind = _kind(occasion)
    posting, proposals = opened.posting(kind), [_named(one, key) for one in opened.evaluate(occasion)]
    given: Counter[str] = Counter()
    for one in proposals:
        given[one.draft.unit] += one.draft.amount
    if not +given:
        return NOTHING
    opened.earn(posting, proposals)
    opened.add_posting(posting)
    opened.add_sale_outcomes(occasion, tuple(posting.entries), proposals)
    opened.add("award", {"occasion": kind, "name": _name(occasion), "key": key, "created_at": opened.now})
    opened.add_audit(Subject(f"award.{kind}", "card", opened.card.id), outcome="done", details=dict(given))
    return given


def _kind(occasion: Awarded) -> str:
    return type(occasion).__name__.lower()


def _name(occasion: Awarded) -> str:
    return occasion.name if isinstance(occasion, Custom) else ""


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
