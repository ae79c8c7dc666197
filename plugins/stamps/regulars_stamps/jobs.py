"""What follows a milestone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid5

from regulars.sdk import N_
from regulars.sdk.jobs import JobWork, job
from regulars.sdk.mail import LazyText, PostOffice
from regulars_stamps.events import MilestoneReached
from regulars_stamps.queries import is_reached
from regulars_stamps.settings import UNIT


@job("congratulate")
async def congratulate(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Congratulate by mail, once per card and milestone, unless the sale was undone in the meantime.

    Args:
        work: the job; its transaction holds the queued mail.
        payload: a `MilestoneReached`.
    """
    event = MilestoneReached.model_validate(payload)
    if not await is_reached(work.session, event.card_id, event.unit, event.threshold):
        return
    tenant, office = work.context.tenant, work.service(PostOffice)
    await office.queue_for_member(
        work.session,
        tenant,
        "stamps/mails/milestone",
        event.member_id,
        event_id=uuid5(event.card_id, _occasion(event)),
        values={"stamps": event.threshold, "bonus": event.bonus, "link": office.card_link(tenant, event.card_id)},
        footer=[LazyText(N_("You get this mail because you collect stamps at %(brand)s."), {"brand": tenant.name})],
    )


def _occasion(event: MilestoneReached) -> str:
    """What is congratulated for; the first card's are not named, so that mails of old are known as sent."""
    return f"milestone {event.threshold}" if event.unit == UNIT else f"milestone {event.unit} {event.threshold}"
