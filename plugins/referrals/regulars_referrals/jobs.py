"""From a link to a reward: noted with the card, watched until the first purchase, settled after the waiting time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from regulars.sdk import Referral, Refusal
from regulars.sdk.jobs import Awards, JobWork, PluginRules, enqueue, job
from regulars_referrals import repository
from regulars_referrals.repository import Holder
from regulars_referrals.rules import card_of, fault
from regulars_referrals.settings import ReferralSettings

SETTLED = frozenset({"bought", "rewarded"})
"""A purchase was found."""


@job("note")
async def note(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Note by whose link somebody has come, and whether that can be rewarded at all.

    Args:
        work: the job.
        payload: of `member.enrolled`.
    """
    card_id = card_of(payload.get("referral", ""))
    inviter = await repository.holder(work.session, card_id) if card_id else None
    friend = await repository.holder(work.session, UUID(payload["card_id"]))
    if inviter is None or friend is None or inviter.program_id != friend.program_id:
        return
    settings = await _settings(work, friend.program_id)
    line = await repository.line_of(work.session, inviter)
    reason = fault(friend.person, line, timedelta(hours=settings.same_place_hours))
    if inviter.card_id != friend.card_id:
        now = await repository.now_of(work.session)
        await repository.add(work.session, inviter.card_id, friend.card_id, reason, now)


@job("watch")
async def watch(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See whether a sale is the first purchase that was waited for.

    Args:
        work: the job.
        payload: of `sale.recorded`.
    """
    friend = await repository.holder(work.session, UUID(payload["card_id"]))
    if friend is None:
        return
    found = await _first_waiting(work, friend, await repository.take_of_friend(work.session, friend.card_id))
    if found is None:
        return
    settings, sale_id = await _settings(work, friend.program_id), UUID(payload["sale_id"])
    if await repository.sale_stands(work.session, sale_id, settings.min_amount_minor):
        await repository.change(work.session, found.id, status="bought", sale_id=sale_id)
        due = datetime.now(UTC) + timedelta(days=settings.wait_days)
        key = f"{found.id}:{sale_id}"
        await enqueue(work.session, "referrals.settle", {"id": str(found.id)}, dedup_key=key, run_at=due)


@job("take_back")
async def take_back(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Take both rewards back when the purchase is taken back, or so much of it that it would not count: the next does.

    Args:
        work: the job; its transaction holds both and the mark that they were taken back.
        payload: of `sale.undone` or `sale.refunded`.
    """
    taken = await repository.take_of_friend(work.session, UUID(payload["card_id"]))
    found = next((one for one in taken if one.status in SETTLED and str(one.sale_id) == payload["sale_id"]), None)
    if found is None:
        return
    program_id = await repository.program_of(work.session, found.friend_card_id)
    settings = await _settings(work, program_id)
    if await repository.sale_stands(work.session, found.sale_id, settings.min_amount_minor):
        return
    if found.status == "rewarded":
        for card_id, side in sorted(((found.card_id, "referrer"), (found.friend_card_id, "friend"))):
            await work.service(Awards).take_back(work.session, work.context, card_id, _key(found, side))
    await repository.change(work.session, found.id, status="waiting", sale_id=None, limited=False, decided_at=None)


@job("settle")
async def settle(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Reward both sides, unless the purchase was taken back: then the next one counts.

    Args:
        work: the job; its transaction holds both rewards and the mark that they were given.
        payload: `id` of the invitation.
    """
    session = work.session
    found = await repository.find(session, UUID(payload["id"]))
    friend = await repository.holder(session, found.friend_card_id) if found else None
    taken = (
        await repository.take_of_friend(session, friend.card_id if friend else found.friend_card_id) if found else ()
    )
    found = next((one for one in taken if found and one.id == found.id), None)
    if found is None or found.status != "bought":
        return
    inviter = await repository.holder(session, found.card_id)
    now = await repository.now_of(session)
    if inviter is None or friend is None:
        await repository.change(session, found.id, status="refused", reason="closed", decided_at=now)
        return
    settings = await _settings(work, friend.program_id)
    stands = await repository.sale_stands(session, found.sale_id, settings.min_amount_minor)
    is_rewarded = any(one.status == "rewarded" for one in taken)
    if not stands or is_rewarded or inviter.card_id == friend.card_id:  # the latter two since a merge
        await repository.change(session, found.id, status="waiting", sale_id=None)
        return
    for card_id in sorted((inviter.card_id, friend.card_id)):
        await repository.lock_member(session, card_id)
    since = repository.before(now, settings.period_days)
    limited = await repository.rewarded(session, inviter.card_id, since) >= settings.most
    if await _award(work, friend, Referral("friend", found.id), _key(found, "friend")) is not None:
        day = timedelta(days=1)  # the program is closed for a while
        key = f"{found.id}:{now.date()}"
        await enqueue(session, "referrals.settle", dict(payload), dedup_key=key, run_at=datetime.now(UTC) + day)
        return
    limited = (
        limited or await _award(work, inviter, Referral("referrer", found.id), _key(found, "referrer")) is not None
    )
    await repository.change(session, found.id, status="rewarded", limited=limited, decided_at=now)


async def _first_waiting(work: JobWork, friend: Holder, taken: Sequence[Any]) -> Any:
    """The invitation that a friend's purchase counts for; who has several since a merge counts once."""
    if any(one.status in SETTLED for one in taken):
        return None
    for one in taken:
        inviter = await repository.holder(work.session, one.card_id)
        if one.status == "waiting" and inviter is not None and inviter.card_id != friend.card_id:
            return one
    return None


def _key(invitation: Any, side: str) -> str:
    """The award's name: of this invitation, side and purchase, so that a second purchase is another."""
    return f"referral:{invitation.id}:{side}:{invitation.sale_id}"


async def _award(work: JobWork, holder: Holder, occasion: Referral, key: str) -> Refusal | None:
    return await work.service(Awards).award(work.session, work.context, holder.card_id, occasion, key)


async def _settings(work: JobWork, program_id: UUID) -> ReferralSettings:
    found = await work.service(PluginRules).of(work.session, work.context.tenant, "referrals")
    settings = next(one.settings for one in found if one.program.id == program_id)
    assert isinstance(settings, ReferralSettings)
    return settings
