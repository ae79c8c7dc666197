"""Moving units from one card to another: two entries that sum to nothing, lots that keep their dates.

Both cards are locked in the order of their ids, so that transfers in opposite directions never wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import MAX_AMOUNT, Refusal
from regulars.domain.adjustments.service import no_such_unit
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.posting import Posting
from regulars.domain.staff.permissions import require
from regulars.domain.transfers import repository
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class TransferCommand:
    """Units to move.

    Attributes:
        source, target: the cards.
        amount: units, above 0.
        reason: why, for whoever reads the cards' histories.
    """

    claim: Claim
    source: CardRef
    target: CardRef
    unit: str
    amount: int
    reason: str


class Transfers:
    """Moves units between cards.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def transfer(self, session: TenantSession, ctx: Context, command: TransferCommand) -> Answer:
        """Move units, or refuse it with a reason; both are to be committed.

        Returns:
            The answer that was stored under the claimed key.

        Raises:
            InvalidInput: no reason, no amount, one card twice, or a unit that nobody provides here.
            NotFound: one of the cards is not there.
            Forbidden, IdempotencyInProgress, IdempotencyMismatch, Conflict: nothing is kept.
        """
        require(ctx, "members.adjust")
        self._check(ctx, command)
        source_id = await card_id_of(session, command.source)
        target_id = await card_id_of(session, command.target)
        if source_id == target_id:
            sentence = _("Choose two different cards.")
            raise InvalidInput(sentence, fields={"to": sentence})
        opened: dict[UUID, OpenCard] = {}
        for card_id in sorted((source_id, target_id)):
            attempt = Attempt(command.claim, CardRef("id", card_id))
            found = await self._ledger.open(session, ctx, attempt, extra="lots", values={})
            if isinstance(found, Answer):
                return found
            opened[card_id] = found
        source, target = opened[source_id], opened[target_id]
        if source.lacks(command.unit) or target.lacks(command.unit):
            raise no_such_unit()
        refusal = _refusal(source, target, command)
        if refusal is not None:
            answer = source.refusal_answer(refusal, "points.transfer")
            source.store(answer)
            await self._ledger.write(source, "refuse")
            return answer
        given, taken = self._post(source, target, command)
        answer = _answer(source, target, command, given, taken)
        source.store(answer)
        await self._ledger.write(source, "adjust")
        await self._ledger.write(target, "adjust")
        return answer

    def _check(self, ctx: Context, command: TransferCommand) -> None:
        faults = {}
        if not 0 < len(command.reason.strip()) <= MAX_REASON:
            faults["reason"] = _("Say why, in at most %(count)s characters.", count=MAX_REASON)
        if not 0 < command.amount <= MAX_AMOUNT:
            faults["amount"] = _("Enter a number from 1.")
        found = self._ledger.registry.unit_providers.get(command.unit)
        if found is None or found[0] not in ctx.tenant.enabled:
            faults["unit"] = _("There is no such unit here.")
        if faults:
            raise InvalidInput(" ".join(faults.values()), fields=faults)

    def _post(self, source: OpenCard, target: OpenCard, command: TransferCommand) -> tuple[Posting, Posting]:
        owner, reason, unit = (
            self._ledger.registry.unit_providers[command.unit][0],
            command.reason.strip(),
            command.unit,
        )
        given, taken = source.posting("transfer"), target.posting("transfer")
        portions = given.hand_out(unit, command.amount, source.lots, plugin=owner, reason=reason)
        taken.take_in(unit, portions, plugin=owner, reason=reason)
        for opened, posting, other in ((source, given, target), (target, taken, source)):
            opened.add_posting(posting, is_activity=False)
            details = {"unit": unit, "amount": posting.entries[0].amount, "reason": reason, "card": other.card.id}
            opened.add_audit(Subject("points.transfer", "card", opened.card.id), outcome="done", details=details)
        return given, taken


async def card_id_of(session: TenantSession, card: CardRef) -> UUID:
    """The id of a card that is named somehow, but not by its first digits alone.

    Raises:
        NotFound: there is no such card here.
    """
    query = repository.CARD_BY.get(card.by)
    found = None
    if query is not None:
        found = await session.scalar(query, {"tenant": session.tenant_id, "value": card.value})
    if found is None:
        raise NotFound(_("There is no card with this number here."))
    card_id: UUID = found
    return card_id


def _refusal(source: OpenCard, target: OpenCard, command: TransferCommand) -> Refusal | None:
    if source.card.program_id != target.card.program_id:
        return Refusal("transfer.other_program", N_("These cards belong to different programs."))
    if target.card.id in {fellow.card_id for fellow in source.fellows}:
        return Refusal("transfer.one_household", N_("These cards share what is on them already."))
    held = source.accounts.get(command.unit)
    balance = max(0, held.balance) if held else 0
    if balance < command.amount:
        return Refusal("adjust.not_enough", N_("Only {balance} can be taken from this card."), {"balance": balance})
    return source.standing() or target.standing()


def _answer(source: OpenCard, target: OpenCard, command: TransferCommand, given: Posting, taken: Posting) -> Answer:
    content = {
        "unit": command.unit,
        "amount": command.amount,
        "from": ids.show(ids.CARD, source.card.id),
        "from_balance": given.entries[-1].balance_after,
        "to": ids.show(ids.CARD, target.card.id),
        "to_balance": taken.entries[-1].balance_after,
    }
    return Answer(201, to_json(content).encode())
