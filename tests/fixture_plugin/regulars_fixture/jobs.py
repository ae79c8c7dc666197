"""A job for every event, one by the clock, and a mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from regulars.sdk import N_
from regulars.sdk.jobs import Every, JobWork, job
from regulars.sdk.mail import LazyText, PostOffice
from regulars.sdk.wallets import WalletKeeper
from regulars_fixture.events import Taken
from regulars_fixture.queries import note


async def _see(work: JobWork, payload: Mapping[str, Any]) -> None:
    assert work.event is not None
    await note(work.session, work.event.name)


@job("ledger_entry_posted")
async def ledger_entry_posted(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See an entry."""
    await _see(work, payload)


@job("member_enrolled")
async def member_enrolled(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a new member."""
    await _see(work, payload)


@job("redemption_moved")
async def redemption_moved(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a redemption in another state."""
    await _see(work, payload)


@job("award_taken_back")
async def award_taken_back(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See what was given and taken back."""
    await _see(work, payload)


@job("redemption_undone")
async def redemption_undone(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a redemption that was taken back."""
    await _see(work, payload)


@job("reward_redeemed")
async def reward_redeemed(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a redemption."""
    await _see(work, payload)


@job("sale_recorded")
async def sale_recorded(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a sale."""
    await _see(work, payload)


@job("sale_refunded")
async def sale_refunded(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a sale whose customer got money back."""
    await _see(work, payload)


@job("sale_undone")
async def sale_undone(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a sale that was taken back."""
    await _see(work, payload)


@job("units_expiring")
async def units_expiring(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See that units expire soon."""
    await _see(work, payload)


@job("staff_pin_locked")
async def staff_pin_locked(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a locked PIN."""
    await _see(work, payload)


@job("greet")
async def greet(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Write a mail about the plugin's own event."""
    assert work.event is not None
    await note(work.session, work.event.name)
    taken, tenant = Taken.model_validate(payload), work.context.tenant
    await work.service(PostOffice).queue_for_member(
        work.session,
        tenant,
        "sampler/mail",
        taken.member_id,
        event_id=work.event.id,
        values={"amount": taken.amount},
        footer=[LazyText(N_("A mail of the tests."))],
    )


@job("refresh", external=True)
async def refresh(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Keep the album's passes true."""
    await work.service(WalletKeeper).refresh(work, "album", UUID(payload["card_id"]))


@job("look_around", schedule=Every(hours=1))
async def look_around(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Run by the clock."""
    await note(work.session, "clock")


@job("member_merged")
async def member_merged(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See members who become one, or two again."""
    await _see(work, payload)


@job("member_unmerged")
async def member_unmerged(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See members who become one, or two again."""
    await _see(work, payload)


@job("household_joined")
async def household_joined(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a card that shares with others."""
    await _see(work, payload)


@job("household_left")
async def household_left(work: JobWork, payload: Mapping[str, Any]) -> None:
    """See a card that is for itself again."""
    await _see(work, payload)
