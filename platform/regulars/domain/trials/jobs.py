"""The job of a back-test: page after page of sales, with progress after each."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from regulars.contracts.errors import InvalidInput, PluginFault
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.opened import OpenCard
from regulars.domain.redemptions.service import Redemptions
from regulars.domain.trials import repository
from regulars.domain.trials.draft import with_changes
from regulars.domain.trials.dry_run import open_draft
from regulars.domain.trials.replay import Replay
from regulars.domain.trials.tally import Tally
from regulars.kernel.db.database import TenantSession
from regulars.kernel.jobs import JobWork, job

PAGE = 2000
TIMEOUT = 3600.0
_BEGINNING = {"after_card": UUID(int=0), "after_at": datetime(1, 1, 1, tzinfo=UTC), "after_sale": UUID(int=0)}


@dataclass(frozen=True, slots=True)
class _Run:
    """A back-test at work."""

    period: Mapping[str, Any]
    replay: Replay
    tally: Tally
    notes: Mapping[str, Any]


@job("back_test", external=True, max_attempts=3, timeout=TIMEOUT)
async def back_test(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Judge the period's sales again; begun anew when a worker has died over it, since nothing else is written."""
    where = {"tenant": work.context.tenant.id, "this": UUID(payload["id"])}
    try:
        run = await _prepare(work, where)
        if run is None or not await _judge_all(work, run, where):
            return  # cancelled
    except (PluginFault, InvalidInput) as error:
        async with work.step() as session:
            plugin = error.plugin if isinstance(error, PluginFault) else ""
            await session.execute(repository.FAIL, {**where, "why": plugin})
        return
    async with work.step() as session:
        await session.scalar(repository.FINISH, {**where, "found": {**run.tally.result(), **run.notes}})


async def _prepare(work: JobWork, where: Mapping[str, Any]) -> _Run | None:
    """Read what is to be tried; `None` when it was cancelled before it began."""
    ledger = work.service(Ledger)
    async with work.step() as session:
        row = await session.one_or_none(repository.GET, where)
        if row is None:
            return None
        period = {"tenant": row.tenant_id, "program": row.program_id, "since": row.since, "until": row.until}
        count = await session.one_or_none(repository.COUNT, period)
        assert count is not None
        if await session.scalar(repository.START, {**where, "of": count.judged}) is None:
            return None
        live = await open_draft(session, work.context, ledger, row.program_id, {})
        draft = with_changes(live.rules.settings, row.changes)
        opened = await open_draft(session, work.context, ledger, row.program_id, draft)
        return _Run(
            period,
            Replay(opened, ledger.registry, frozenset(row.changes)),
            Tally(opened.rules.program.timezone),
            {"unjudged": count.total - count.judged, "worth": _worth(ledger, live, opened)},
        )


async def _judge_all(work: JobWork, run: _Run, where: Mapping[str, Any]) -> bool:
    """Whether it was gone through to the end; not when it was cancelled."""
    after = _BEGINNING
    while True:
        async with work.step() as session:
            rows = await session.run(repository.PAGE, {**run.period, **after, "size": PAGE})
            if not await _judge(session, run, rows, where):
                return False
        if len(rows) < PAGE:
            return True
        last = rows[-1]
        after = {"after_card": last["card_id"], "after_at": last["occurred_at"], "after_sale": last["id"]}


async def _judge(session: TenantSession, run: _Run, rows: Any, where: Mapping[str, Any]) -> bool:
    await to_thread(_judge_page, run, rows)  # so that the worker's other jobs go on meanwhile
    return await session.scalar(repository.MOVE, {**where, "so_far": run.tally.sales}) is not None


def _judge_page(run: _Run, rows: Any) -> None:
    for row in rows:
        run.tally.add(row["card_id"], row["occurred_at"], run.replay.judge(row))


def _worth(ledger: Ledger, live: OpenCard, draft: OpenCard) -> dict[str, list[list[int] | None]]:
    """What units are worth, then and now: by the dearest reward that they buy, where its value is known."""
    found: dict[str, list[list[int] | None]] = {}
    for side, opened in enumerate((live, draft)):
        for offer in Redemptions(ledger).offers(opened):
            if not offer.value_minor or offer.cost <= 0:
                continue
            pair = found.setdefault(offer.unit, [None, None])
            known = pair[side]
            if known is None or Fraction(*known) < Fraction(offer.value_minor, offer.cost):
                pair[side] = [offer.value_minor, offer.cost]
    return found
