"""Holds that nobody used: what they cost goes back on the card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from regulars.contracts.errors import RegularsError
from regulars.domain.ledger.commands import Attempt, CardRef, Claim
from regulars.domain.redemptions import queries
from regulars.domain.redemptions.service import MoveCommand, Redemptions
from regulars.kernel.jobs import Every, JobWork, job

log = structlog.get_logger(__name__)
AT_ONCE = 200


@job("expire_holds", external=True, timeout=300, schedule=Every(minutes=5))
async def expire_holds(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Expire what is due, one hold a transaction; each counts once, however often the job runs.

    Args:
        work: offers `Redemptions`.
        payload: nothing.
    """
    del payload
    async with work.step() as session:
        due = await session.rows(queries.DUE, {"tenant": session.tenant_id, "size": AT_ONCE})
    failed: RegularsError | None = None
    for row in due:
        claim = Claim("system", f"expire:{row.id.hex}", b"expire")
        command = MoveCommand(Attempt(claim, CardRef("id", row.card_id)), row.id, "expire")
        try:
            async with work.step() as session:
                await work.service(Redemptions).move(session, work.context, command)
        except RegularsError as error:  # the others are not to wait for this one
            failed = error
            log.warning("hold_not_expired", redemption=str(row.id), exc_info=error)
    log.info("holds_expired", count=len(due))
    if failed is not None:
        raise failed
