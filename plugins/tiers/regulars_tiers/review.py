"""Looking at tiers again: every night for all cards, for one card when a sale was taken back, and by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from regulars.sdk import CardInfo, ProgramInfo
from regulars.sdk.db import TenantSession
from regulars.sdk.jobs import announce
from regulars_tiers import repository
from regulars_tiers.changes import Reason, change_row, payloads
from regulars_tiers.repository import Found
from regulars_tiers.settings import TierSettings
from regulars_tiers.standing import Count, Standing, after_reversal, at_review, reached, whole

BATCH = 500
Rule = Callable[[TierSettings, Standing, int, datetime], Standing]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A card whose stored tier is not what the ledger gives; keys, empty for none."""

    card_id: UUID
    stored: str
    right: str


async def review_batch(
    session: TenantSession, program: ProgramInfo, settings: TierSettings, after: UUID | None
) -> UUID | None:
    """Review the next cards of a program; what nothing is to be done about costs one read.

    Args:
        session: the job's transaction.
        program: whose cards.
        settings: of the plugin in this program.
        after: the last card that was reviewed.

    Returns:
        The last card of the batch, `None` when there are no more.
    """
    now = await repository.now_of(session)
    found = await repository.cards(session, program, settings, now, after=after, size=BATCH)
    for one in found:
        if _next(at_review, program, settings, one, now) != one.standing:
            await decide(session, program, settings, one.card.id, at_review, "ended")
    return found[-1].card.id if len(found) == BATCH else None


async def recheck(session: TenantSession, program: ProgramInfo, settings: TierSettings, card_id: UUID) -> None:
    """Take back what something had brought that was taken back itself: a sale, a part of it, an award.

    Args:
        session, program, settings, card_id: as for `decide`.
    """
    await repository.lock(session, card_id)
    since = (await repository.standing_of(session, card_id)).since
    count = await repository.count_at(session, program, settings, card_id, since) if since else Count()
    then = whole(settings, count.best, program.currency)

    def rule(settings: TierSettings, standing: Standing, amount: int, now: datetime) -> Standing:
        return after_reversal(settings, standing, amount, then, now)

    await decide(session, program, settings, card_id, rule, "taken_back")


async def decide(
    session: TenantSession, program: ProgramInfo, settings: TierSettings, card_id: UUID, rule: Rule, reason: Reason
) -> None:
    """Lock a card, apply a rule to what the ledger says, write and announce what changes.

    Args:
        session: the transaction.
        program: of the card.
        settings: of the plugin in this program.
        card_id: which card; nothing happens when it is not the program's.
        rule: from the stored standing to the next.
        reason: written into the history when the tier falls; one that rises was reached.
    """
    await repository.lock(session, card_id)
    now = await repository.now_of(session)
    for one in await repository.cards(session, program, settings, now, only=card_id):
        after = _next(rule, program, settings, one, now)
        await write(session, settings, one.card, one.standing, after, reason, now)


async def give(
    session: TenantSession, program: ProgramInfo, settings: TierSettings, card_id: UUID, granted: str
) -> None:
    """Give a card a tier by hand, the lowest that it has from now on; an empty key takes that back."""

    def rule(settings: TierSettings, standing: Standing, amount: int, now: datetime) -> Standing:
        target = reached(settings, amount, granted)
        key = target.key if target else ""
        since = standing.since if key == standing.tier else now
        return Standing(tier=key, since=since or now, granted=granted)

    await decide(session, program, settings, card_id, rule, "by_hand")


async def write(
    session: TenantSession,
    settings: TierSettings,
    card: CardInfo,
    before: Standing,
    after: Standing,
    reason: Reason,
    now: datetime,
) -> None:
    """Store a standing that differs from the one before."""
    if after == before:
        return
    await repository.save(session, card.id, after if after.since else replace(after, since=now))
    if after.tier != before.tier:
        is_up = settings.rank(after.tier) > settings.rank(before.tier)
        why: Reason = "reached" if is_up and reason != "by_hand" else reason
        await repository.add_change(session, card.id, change_row(before, after, why, now))
    for name, payload in payloads(settings, card, before, after):
        await announce(session, f"tiers.{name}", payload, order_key=card.id)


async def wrong_tiers(session: TenantSession, program: ProgramInfo, settings: TierSettings) -> Sequence[Wrong]:
    """All cards of a program whose tier is not what the ledger gives, after the day's review: none when all is well.

    Args:
        session: of the tenant.
        program: whose cards.
        settings: of the plugin in this program.
    """
    now = await repository.now_of(session)
    wrong, after = [], None
    while True:
        found = await repository.cards(session, program, settings, now, after=after, size=BATCH)
        wrong += [fault for one in found if (fault := _fault(program, settings, one)) is not None]
        if len(found) < BATCH:
            return wrong
        after = found[-1].card.id


def _fault(program: ProgramInfo, settings: TierSettings, one: Found) -> Wrong | None:
    standing = one.standing
    right = reached(settings, whole(settings, one.count.best, program.currency), standing.granted)
    key = right.key if right else ""
    may_be_higher = settings.keep_forever or standing.keep_until is not None
    if key == standing.tier or (may_be_higher and settings.rank(standing.tier) > settings.rank(key)):
        return None
    return Wrong(one.card.id, standing.tier, key)


def _next(rule: Rule, program: ProgramInfo, settings: TierSettings, one: Found, now: datetime) -> Standing:
    return rule(settings, one.standing, whole(settings, one.count.best, program.currency), now)
