"""From a standing to the next: what is written, and what is announced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from regulars.sdk import CardInfo, EventDraft, Outcome, Write
from regulars.sdk.db import new_id
from regulars_tiers.events import TierEnding, TierLost, TierReached
from regulars_tiers.settings import TierSettings
from regulars_tiers.standing import Standing

Reason = Literal["reached", "ended", "taken_back", "by_hand"]


def standing_row(standing: Standing) -> dict[str, Any]:
    """The stored form; times as text."""
    assert standing.since is not None
    times = {
        name: at.isoformat() if at is not None else None
        for name, at in (("since", standing.since), ("keep_until", standing.keep_until), ("told_at", standing.told_at))
    }
    return {"tier": standing.tier, "granted": standing.granted, **times}


def change_row(before: Standing, after: Standing, reason: Reason, now: datetime) -> dict[str, Any]:
    """The line of the history."""
    names = {"before": before.tier, "tier": after.tier}
    return {"id": str(new_id()), **names, "reason": reason, "at": now.isoformat()}


def payloads(
    settings: TierSettings, card: CardInfo, before: Standing, after: Standing
) -> Iterator[tuple[str, TierReached | TierLost | TierEnding]]:
    """What has happened between two standings: names of events, and what they say."""
    who = {"card_id": card.id, "member_id": card.member_id}
    if after.tier != before.tier:
        if settings.rank(after.tier) > settings.rank(before.tier):
            yield "tier_reached", TierReached(**who, tier=after.tier, before=before.tier)
        else:
            yield "tier_lost", TierLost(**who, tier=after.tier, before=before.tier)
    elif after.told_at is not None and before.told_at is None and after.keep_until is not None:
        yield "tier_ending", TierEnding(**who, tier=after.tier, keep_until=after.keep_until)


def outcome_of(
    settings: TierSettings, card: CardInfo, before: Standing, after: Standing, now: datetime
) -> Outcome | None:
    """What a sale writes, `None` when everything stays as it was."""
    if after == before:
        return None
    writes = [Write("standing", [standing_row(after)])]
    if after.tier != before.tier:
        writes.append(Write("change", [change_row(before, after, "reached", now)]))
    events = [
        EventDraft(name, payload.model_dump(mode="json")) for name, payload in payloads(settings, card, before, after)
    ]
    return Outcome(writes=writes, events=events)
