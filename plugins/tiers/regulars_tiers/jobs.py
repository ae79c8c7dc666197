"""What happens to tiers by the clock and after the fact: the nightly review, taking back, mails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars.sdk import N_, ProgramInfo
from regulars.sdk.db import TenantSession
from regulars.sdk.jobs import Every, JobWork, PluginRules, enqueue, job
from regulars.sdk.mail import LazyText, PostOffice
from regulars_tiers import repository, review
from regulars_tiers.events import TierEnding, TierReached
from regulars_tiers.settings import PLAIN, TierSettings

HOUR = 4
"""Of the program's zone; no zone changes its clocks then."""


@job("review_all", schedule=Every(hours=1))
async def review_all(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Begin the nightly review of every program where it is four in the morning.

    Args:
        work: the job.
        payload: `scheduled_at`, the hour that has come.
    """
    at = datetime.fromisoformat(payload["scheduled_at"])
    for program, _settings in await _programs(work):
        local = at.astimezone(ZoneInfo(program.timezone))
        if local.hour == HOUR:
            await _go_on(work.session, program.id, local.date().isoformat(), None)


@job("review")
async def review_program(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Review some cards of a program, and hand the next ones on: a worker that dies loses one batch at most.

    Args:
        work: the job.
        payload: `program`, `day`, and `after`, the last card that was reviewed.
    """
    for program, settings in await _programs(work):
        if str(program.id) == payload["program"]:
            after = UUID(payload["after"]) if payload["after"] else None
            last = await review.review_batch(work.session, program, settings, after)
            if last is not None:
                await _go_on(work.session, program.id, payload["day"], last)


@job("recheck")
async def recheck(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Take back what a sale, an award or a merge had brought that was taken back itself, or a part of it.

    Args:
        work: the job.
        payload: of an event with a `card_id`, perhaps with an `other_card_id`.
    """
    cards = sorted(payload[name] for name in ("card_id", "other_card_id") if name in payload)
    for program, settings in await _programs(work):
        for card_id in cards:
            await review.recheck(work.session, program, settings, UUID(card_id))


@job("congratulate")
async def congratulate(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Congratulate on a tier by mail, unless it is lost again; a tier that everybody has is no occasion.

    Args:
        work: the job; its transaction holds the queued mail.
        payload: a `TierReached`.
    """
    event = TierReached.model_validate(payload)
    standing = await repository.standing_of(work.session, event.card_id)
    found = await _of_card(work, event.card_id)
    tier = found.find(event.tier) if found else None
    if tier is None or standing.tier != event.tier or tier.threshold == 0:
        return
    benefits = {
        "factor": tier.factor if tier.multiplier > PLAIN else "",
        "free_delivery": tier.free_delivery,
        "rewards": bool(tier.rewards),
    }
    await _mail(work, "tiers/mails/reached", event.card_id, event.member_id, {"tier": tier.title, **benefits})


@job("warn")
async def warn(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell a member by mail until when a tier is kept, unless it is safe again.

    Args:
        work: the job; its transaction holds the queued mail.
        payload: a `TierEnding`.
    """
    event = TierEnding.model_validate(payload)
    standing = await repository.standing_of(work.session, event.card_id)
    found = await _of_card(work, event.card_id)
    tier = found.find(event.tier) if found else None
    if tier is None or standing.tier != event.tier or standing.keep_until is None:
        return
    values = {"tier": tier.title, "keep_until": standing.keep_until}
    await _mail(work, "tiers/mails/ending", event.card_id, event.member_id, values)


async def _mail(work: JobWork, template: str, card_id: UUID, member_id: UUID, values: Mapping[str, Any]) -> None:
    tenant, office = work.context.tenant, work.service(PostOffice)
    assert work.event is not None
    await office.queue_for_member(
        work.session,
        tenant,
        template,
        member_id,
        event_id=work.event.id,
        values={**values, "link": office.card_link(tenant, card_id)},
        footer=[
            LazyText(N_("You get this mail because you have a customer card of %(brand)s."), {"brand": tenant.name})
        ],
    )


async def _go_on(session: TenantSession, program_id: UUID, day: str, after: UUID | None) -> None:
    payload = {"program": str(program_id), "day": day, "after": str(after) if after else ""}
    await enqueue(session, "tiers.review", payload, dedup_key=f"{program_id}:{day}:{payload['after']}")


async def _programs(work: JobWork) -> list[tuple[ProgramInfo, TierSettings]]:
    found = await work.service(PluginRules).of(work.session, work.context.tenant, "tiers")
    return [(one.program, one.settings) for one in found if isinstance(one.settings, TierSettings)]


async def _of_card(work: JobWork, card_id: UUID) -> TierSettings | None:
    program_id = await repository.program_of(work.session, card_id)
    return next((settings for program, settings in await _programs(work) if program.id == program_id), None)
