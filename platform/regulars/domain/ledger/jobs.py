"""The chainer: links the entries of the last hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars.domain.ledger.chain import BATCH, lengthen
from regulars.kernel.jobs import Every, JobWork, job


@job("chain_entries", external=True, timeout=600, schedule=Every(hours=1))
async def chain_entries(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Link what has no link yet, some in each step."""
    done = 0
    while True:
        async with work.step() as session:
            added = await lengthen(session)
            done += added
            await work.report(session, done)
        if added < BATCH:
            return
