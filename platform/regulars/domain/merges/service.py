"""Merging members who turn out to be one person, and taking that back.

Nothing of the past is changed: what a card has goes to the other one by entries that sum to nothing, the card leads to
the other one from then on, and questions about the past are asked of both (`ledger.merged_queries`). Cards are locked
in the order of their ids, so that merges in opposite directions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.events import MemberMerged, MemberUnmerged
from regulars.domain.ledger.commands import Answer, Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard, Subject
from regulars.domain.ledger.read_statements import CardBy
from regulars.domain.merges import repository
from regulars.domain.merges.moving import Brought, bring, send_back
from regulars.domain.merges.views import Merged, OwnCard, Pair, Person, pairs_of
from regulars.domain.staff import sessions
from regulars.domain.staff.permissions import require
from regulars.domain.staff.sessions import Holder
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class MergeCommand:
    """Two members who are one person.

    Attributes:
        source: whose cards lead to the other one's from then on.
        target: who stays.
        reason: how that is known, for whoever looks at it later.
    """

    claim: Claim
    source: UUID
    target: UUID
    reason: str


class Merges:
    """Merges members.

    Args:
        ledger: the engine.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def merge(self, session: TenantSession, ctx: Context, command: MergeCommand) -> Answer:
        """Merge a member into another one.

        Returns:
            The answer that was stored under the claimed key: 201.

        Raises:
            InvalidInput: no reason, or one member twice.
            NotFound: one of them is not there.
            Conflict: they cannot be merged; the sentence says why.
            Forbidden, IdempotencyInProgress, IdempotencyMismatch, PluginFault: nothing is kept.
        """
        _may(ctx)
        reason = _reason(command)
        cards = await _both(session, command)
        opened = await self._open(session, ctx, command.claim, {card.id: "id" for card in cards})
        if isinstance(opened, Answer):
            return opened
        target, source, pairs = await plan(session, command.target, command.source)
        if {card.id for card in await _both(session, command)} != opened.keys():
            raise Conflict(_("Another request changed this card at the same moment. Please try again."))
        merge_id = new_id()
        for pair in pairs:
            self._bring(opened[pair.source.id], opened[pair.target.id], merge_id)
        first = opened[pairs[0].target.id]
        details = {"from": source.name or source.email, "reason": reason, "merge": ids.show(ids.MERGE, merge_id)}
        first.add_audit(Subject("member.merge", "member", target.id), outcome="done", details=details)
        answer = _answer("merged", merge_id, source.id, target.id)
        first.store(answer)
        for pair in pairs:
            _announce(MemberMerged, opened[pair.source.id], opened[pair.target.id], merge_id)
        await self._write(opened, pairs)
        row = {"id": merge_id, "source_id": source.id, "target_id": target.id, "reason": reason}
        by = {"merged_by": ctx.principal.name, "created_at": first.now}
        await session.execute(repository.ADD, {"tenant_id": session.tenant_id, **row, **by})
        await _lead(session, merge_id, pairs)
        await sessions.close_all(session, Holder("member", source.id))
        return answer

    async def unmerge(self, session: TenantSession, ctx: Context, claim: Claim, merge_id: UUID) -> Answer:
        """Take a merge back: each has what they had; what was spent of it since stays spent.

        Returns:
            The answer that was stored under the claimed key: 201.

        Raises:
            NotFound: there was no such merge.
            Conflict: it was taken back already, or cannot be; the sentence says why.
            Forbidden, IdempotencyInProgress, IdempotencyMismatch, PluginFault: nothing is kept.
        """
        _may(ctx)
        where = {"tenant": session.tenant_id, "merge": merge_id}
        merge = await session.one_or_none(repository.GET, where)
        if merge is None:
            raise NotFound(_("There was no such merge."))
        pairs = [(row.card_id, row.target_id) for row in await session.rows(repository.PAIRS, where)]
        cards: dict[UUID, CardBy] = {}
        for source_id, target_id in pairs:
            cards |= {source_id: "itself", target_id: "itself"}
        opened = await self._open(session, ctx, claim, cards)
        if isinstance(opened, Answer):
            return opened
        await _can_be_undone(session, merge_id, merge.source_id, merge.target_id)
        for source_id, target_id in pairs:
            source, target = opened[source_id], opened[target_id]
            for row in await session.rows(
                repository.BROUGHT, {**where, "target": target_id, "merge_text": str(merge_id)}
            ):
                self._send_back(Brought.of(row), source, target, merge_id)
            target.add_merge_outcomes(source, is_undone=True)
            _announce(MemberUnmerged, source, target, merge_id)
        first = opened[pairs[0][1]]
        details = {"merge": ids.show(ids.MERGE, merge_id)}
        first.add_audit(Subject("member.unmerge", "member", merge.target_id), outcome="done", details=details)
        answer = _answer("undone", merge_id, merge.source_id, merge.target_id)
        first.store(answer)
        for card in opened.values():
            await self._ledger.write(card, "merge")
        await session.execute(repository.UNDO, {**where, "by": ctx.principal.name})
        for statement in (repository.LEAD_BACK, repository.MARK_TARGETS, repository.FOLLOW_CARDS):
            await session.execute(statement, where)
        return answer

    async def _open(
        self, session: TenantSession, ctx: Context, claim: Claim, cards: Mapping[UUID, CardBy]
    ) -> dict[UUID, OpenCard] | Answer:
        opened: dict[UUID, OpenCard] = {}
        for card_id in sorted(cards):
            attempt = Attempt(claim, CardRef(cards[card_id], card_id))
            found = await self._ledger.open(session, ctx, attempt, extra="lots", values={})
            if isinstance(found, Answer):
                return found
            if found.card.id != card_id:
                raise Conflict(_("One of these cards was merged at the same moment. Please look again."))
            opened[card_id] = found
        return opened

    def _bring(self, source: OpenCard, target: OpenCard, merge_id: UUID) -> None:
        giving, taking = source.posting("merge"), target.posting("merge")
        units = self._ledger.registry.unit_providers
        for unit, account in source.accounts.items():
            if account.balance or account.lifetime:
                plugin = units[unit][0] if unit in units else unit
                bring(account, source.lots, giving, target.lots, taking, plugin, {"merge": str(merge_id)})
        _post(source, giving, target, taking)
        target.add_merge_outcomes(source, is_undone=False)

    def _send_back(self, brought: Brought, source: OpenCard, target: OpenCard, merge_id: UUID) -> None:
        giving, taking = target.posting("unmerge"), source.posting("unmerge")
        send_back(brought, target.lots, giving, taking, {"merge": str(merge_id)})
        _post(target, giving, source, taking)

    async def _write(self, opened: Mapping[UUID, OpenCard], pairs: Sequence[Pair]) -> None:
        for pair in pairs:
            for card in (pair.source, pair.target):
                await self._ledger.write(opened[card.id], "merge")


def _post(giver: OpenCard, giving: Any, taker: OpenCard, taking: Any) -> None:
    giver.add_posting(giving, is_activity=False)
    taker.add_posting(taking, is_activity=False)


def _announce(event: type[MemberMerged | MemberUnmerged], source: OpenCard, target: OpenCard, merge_id: UUID) -> None:
    target.add_event(
        event(
            merge_id=merge_id,
            member_id=target.card.member_id,
            card_id=target.card.id,
            other_member_id=source.card.member_id,
            other_card_id=source.card.id,
        )
    )


async def person(session: TenantSession, member_id: UUID) -> Person:
    """Who is to be merged.

    Raises:
        NotFound: the tenant has no such member (any more).
        Conflict: somebody who was merged already.
    """
    row = await session.one_or_none(repository.PERSON, {"tenant": session.tenant_id, "member": member_id})
    if row is None or row.status == "erased":
        raise NotFound(_("We could not find this member."))
    if row.merged_into is not None:
        raise Conflict(_("This member was merged already. Undo that first."))
    return Person(row.id, row.name, row.email)


async def cards_of(session: TenantSession, member_id: UUID) -> list[OwnCard]:
    """A member's own cards."""
    rows = await session.rows(repository.CARDS, {"tenant": session.tenant_id, "member": member_id})
    return [OwnCard(**row._mapping) for row in rows]


async def plan(session: TenantSession, target_id: UUID, source_id: UUID) -> tuple[Person, Person, Sequence[Pair]]:
    """Who would be merged into whom, and which card would lead to which; arguments and errors as for `Merges.merge`.

    Returns:
        Who stays, who is merged, and their cards.
    """
    target, source = await person(session, target_id), await person(session, source_id)
    return (
        target,
        source,
        pairs_of(target, await cards_of(session, target_id), source, await cards_of(session, source_id)),
    )


async def of_member(session: TenantSession, ctx: Context, member_id: UUID) -> Sequence[Merged]:
    """Who was merged into a member, the latest first; those whose merge was undone too.

    Args:
        session: the transaction.
        ctx: who asks; needs `members.view`.
        member_id: who stayed.
    """
    require(ctx, "members.view")
    rows = await session.rows(repository.OF_MEMBER, {"tenant": session.tenant_id, "member": member_id})
    return [Merged(**row._mapping) for row in rows]


async def _both(session: TenantSession, command: MergeCommand) -> list[OwnCard]:
    cards = [*await cards_of(session, command.target), *await cards_of(session, command.source)]
    if not cards:
        raise NotFound(_("We could not find this member."))
    return cards


async def _can_be_undone(session: TenantSession, merge_id: UUID, source_id: UUID, target_id: UUID) -> None:
    """Ask again under the cards' locks.

    Raises:
        Conflict: it cannot be taken back.
    """
    where = {"tenant": session.tenant_id, "merge": merge_id}
    if await session.scalar(repository.LOCK, where) is not None:
        raise Conflict(_("This merge was undone already."))
    for member_id in (source_id, target_id):
        row = await session.one_or_none(repository.PERSON, {"tenant": session.tenant_id, "member": member_id})
        if row is None or row.status == "erased":
            raise Conflict(_("One of the two was erased, so this merge stays."))
        if member_id == target_id and row.merged_into is not None:
            raise Conflict(_("This member was merged into another one since. Undo that first."))


async def _lead(session: TenantSession, merge_id: UUID, pairs: Sequence[Pair]) -> None:
    where = {"tenant": session.tenant_id, "merge": merge_id}
    for pair in pairs:
        await session.execute(repository.KEEP_LEADS, {**where, "card": pair.source.id, "to": pair.target.id})
    for statement in (repository.LEAD, repository.MARK_TARGETS, repository.FOLLOW_CARDS):
        await session.execute(statement, where)


def _may(ctx: Context) -> None:
    require(ctx, "members.manage")
    require(ctx, "members.adjust")


def _reason(command: MergeCommand) -> str:
    reason, faults = command.reason.strip(), {}
    if not 0 < len(reason) <= MAX_REASON:
        faults["reason"] = _("Say why, in at most %(count)s characters.", count=MAX_REASON)
    if command.source == command.target:
        faults["member"] = _("Choose two different members.")
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return reason


def _answer(status: str, merge_id: UUID, source_id: UUID, target_id: UUID) -> Answer:
    content = {
        "id": ids.show(ids.MERGE, merge_id),
        "member": ids.show(ids.MEMBER, target_id),
        "merged": ids.show(ids.MEMBER, source_id),
        "status": status,
    }
    return Answer(201, to_json(content).encode())
