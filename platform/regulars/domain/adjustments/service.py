"""Correcting balances by hand: what a person may do alone, and what needs a second one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Forbidden, InvalidInput, NotFound
from regulars.contracts.i18n import N_
from regulars.contracts.ledger import MAX_AMOUNT, Refusal
from regulars.contracts.paging import Paged, PageRequest
from regulars.contracts.providers import UnitLife
from regulars.domain.adjustments import repository
from regulars.domain.adjustments.flags import flags_of, refuse_own
from regulars.domain.audit.service import record
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.staff.permissions import require
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class AdjustCommand:
    """A correction that somebody wants.

    Attributes:
        amount: units to give, or below zero to take.
        reason: why, for whoever reads the card's history.
    """

    claim: Claim
    card: CardRef
    unit: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A correction.

    Attributes:
        status: waiting for another person, done or refused.
        entry_id: what it wrote, once it is done.
        flags: what is unusual about it.
    """

    id: UUID
    card_id: UUID
    unit: str
    amount: int
    reason: str
    status: str
    asked_by: UUID | None
    asked_by_name: str
    flags: Sequence[str]
    decided_by_name: str
    entry_id: UUID | None
    created_at: datetime
    decided_at: datetime | None


class Adjustments:
    """Books corrections.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def adjust(self, session: TenantSession, ctx: Context, command: AdjustCommand) -> Answer:
        """Correct a balance at once, or keep the wish until another person agrees where it is above the limit.

        Returns:
            The answer that was stored under the claimed key: 201 when it is done, 202 when it waits.

        Raises:
            InvalidInput: no reason, no amount, or a unit that nobody provides here.
            Forbidden, NotFound, IdempotencyInProgress, IdempotencyMismatch, Conflict: nothing is kept.
        """
        require(ctx, "members.adjust")
        self._check(ctx, command)
        opened = await self._open(session, ctx, command.claim, command.card)
        if isinstance(opened, Answer):
            return opened
        if opened.lacks(command.unit):
            raise no_such_unit()
        where = {"tenant": session.tenant_id, "program": opened.card.program_id}
        limit = await session.scalar(repository.LIMIT, where)
        row: dict[str, Any] = {
            "id": new_id(),
            "unit": command.unit,
            "amount": command.amount,
            "reason": command.reason.strip(),
            "status": "waiting",
            "asked_by": ctx.principal.id,
            "asked_by_name": ctx.principal.name,
            "flags": await flags_of(session, opened, command.amount),
            "entry_id": None,
            "created_at": opened.now,
            "decided_at": None,
        }
        if limit is not None and abs(command.amount) > limit:
            _audit(opened, "points.adjust_asked", row)
        elif (refusal := self._book(opened, row)) is not None:
            return await self._refuse(opened, refusal)
        opened.add("adjustment", row)
        answer = _answer(row, opened, status=202 if row["status"] == "waiting" else 201)
        opened.store(answer)
        await self._ledger.write(opened, "adjust")
        return answer

    async def decide(
        self, session: TenantSession, ctx: Context, claim: Claim, adjustment_id: UUID, *, agrees: bool
    ) -> Answer:
        """Agree to a correction that waits, or not; by another person than the one who asked.

        Returns:
            The answer that was stored under the claimed key.

        Raises:
            NotFound: there is no such correction.
            Forbidden: without the permission, or by whoever asked for it, or by a program.
            IdempotencyInProgress, IdempotencyMismatch, Conflict: nothing is kept.
        """
        require(ctx, "members.adjust")
        one = await get(session, ctx, adjustment_id)
        opened = await self._open(session, ctx, claim, CardRef("id", one.card_id))
        if isinstance(opened, Answer):
            return opened
        one = await get(session, ctx, adjustment_id)  # under the card's lock it does not change any more
        if ctx.principal.kind != "staff" or ctx.principal.id == one.asked_by:
            raise Forbidden(_("Another person has to decide this."))
        await refuse_own(session, opened.card.id, ctx.principal.id)
        if one.status != "waiting":
            return await self._refuse(opened, Refusal("adjust.decided", N_("This correction was decided already.")))
        names = ("id", "unit", "amount", "reason", "flags", "status", "created_at", "entry_id")
        row: dict[str, Any] = {name: getattr(one, name) for name in names}
        if agrees and (refusal := self._book(opened, row)) is not None:
            return await self._refuse(opened, refusal)
        if not agrees:
            row["status"] = "refused"
            _audit(opened, "points.adjust_refused", row)
        decided = {name: row[name] for name in ("id", "status", "entry_id")}
        by = {"decided_by": ctx.principal.id, "decided_by_name": ctx.principal.name, "decided_at": opened.now}
        opened.add("adjustment_decided", {**decided, **by})
        answer = _answer(row, opened, status=201)
        opened.store(answer)
        await self._ledger.write(opened, "adjust")
        return answer

    async def set_limit(self, session: TenantSession, ctx: Context, program_id: UUID, most: int | None) -> None:
        """Say up to which amount one person may correct alone.

        Args:
            session: the transaction.
            ctx: who acts; needs `programs.manage`.
            program_id: whose cards.
            most: units; `None` for any amount.

        Raises:
            InvalidInput: it is below zero or too large.
            NotFound: there is no such program.
        """
        require(ctx, "programs.manage")
        if most is not None and not 0 <= most <= MAX_AMOUNT:
            raise InvalidInput(fields={"adjust_limit": _("Enter a number from 0.")})
        where = {"tenant": session.tenant_id, "program": program_id, "most": most}
        if (await session.execute(repository.SET_LIMIT, where)).rowcount != 1:
            raise NotFound
        await record(session, ctx, "program.adjust_limit_set", "program", program_id, {"adjust_limit": most})

    def _check(self, ctx: Context, command: AdjustCommand) -> None:
        faults = {}
        if not 0 < len(command.reason.strip()) <= MAX_REASON:
            faults["reason"] = _("Say why, in at most %(count)s characters.", count=MAX_REASON)
        if not 0 < abs(command.amount) <= MAX_AMOUNT:
            faults["amount"] = _("Enter a number that is not 0.")
        found = self._ledger.registry.unit_providers.get(command.unit)
        if found is None or found[0] not in ctx.tenant.enabled:
            faults["unit"] = _("There is no such unit here.")
        if faults:
            raise InvalidInput(" ".join(faults.values()), fields=faults)

    async def _open(self, session: TenantSession, ctx: Context, claim: Claim, card: CardRef) -> OpenCard | Answer:
        return await self._ledger.open(session, ctx, Attempt(claim, card), extra="lots", values={})

    def _book(self, opened: OpenCard, row: dict[str, Any]) -> Refusal | None:
        """Write the entry of a correction into the open card, and note it in its row; or say why not."""
        unit, amount = row["unit"], row["amount"]
        owner, provider = self._ledger.registry.unit_providers[unit]
        context = opened.ledger_context(owner)
        balance = context.account(unit).balance
        if amount < 0 and balance + amount < 0:
            message = N_("Only {balance} can be taken from this card.")
            return Refusal("adjust.not_enough", message, {"balance": max(0, balance)})
        expires_at = provider.expires_at(context) if isinstance(provider, UnitLife) else None
        posting = opened.posting("adjustment")
        entry = posting.adjust(
            unit, amount, opened.lots, plugin=owner, rule="adjustment", reason=row["reason"], expires_at=expires_at
        )
        opened.add_posting(posting, is_activity=False)
        row.update(status="done", entry_id=entry.id, decided_at=opened.now)
        _audit(opened, "points.adjust", row)
        return None

    async def _refuse(self, opened: OpenCard, refusal: Refusal) -> Answer:
        answer = opened.refusal_answer(refusal, "points.adjust")
        opened.store(answer)
        await self._ledger.write(opened, "refuse")
        return answer


def no_such_unit() -> InvalidInput:
    """A unit that nobody provides here, or that the program does not have."""
    sentence = _("There is no such unit here.")
    return InvalidInput(sentence, fields={"unit": sentence})


async def get(session: TenantSession, ctx: Context, adjustment_id: UUID) -> Adjusted:
    """One correction.

    Raises:
        Forbidden: without the permission `members.adjust`.
        NotFound: the tenant has no such correction.
    """
    require(ctx, "members.adjust")
    row = await session.one_or_none(repository.ONE, {"tenant": session.tenant_id, "id": adjustment_id})
    if row is None:
        raise NotFound(_("There is no such correction here."))
    return Adjusted(**row._mapping)


async def page_of(session: TenantSession, ctx: Context, page: PageRequest, *, status: str = "") -> Paged[Adjusted]:
    """Corrections, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.adjust`.
        page: which page.
        status: only those, or those that are `flagged`; empty for all.
    """
    require(ctx, "members.adjust")
    where = {"tenant": session.tenant_id, "status": status}
    return await repository.OWN.page(session, where, page, lambda row: Adjusted(**row._mapping))


def _audit(opened: OpenCard, action: str, row: dict[str, Any]) -> None:
    details = {name: row[name] for name in ("unit", "amount", "reason", *(["flags"] if row["flags"] else []))}
    opened.add_audit(Subject(action, "card", opened.card.id), outcome="done", details=details)


def _answer(row: dict[str, Any], opened: OpenCard, *, status: int) -> Answer:
    content = {
        "id": ids.show(ids.ADJUSTMENT, row["id"]),
        "status": row["status"],
        "card": ids.show(ids.CARD, opened.card.id),
        "unit": row["unit"],
        "amount": row["amount"],
        "reason": row["reason"],
        "flags": list(row["flags"]),
        "entry": ids.show(ids.ENTRY, row["entry_id"]) if row["entry_id"] else None,
        "created_at": row["created_at"],
    }
    return Answer(status, to_json(content).encode())
