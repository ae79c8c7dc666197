"""Changes of programs come when they are due, and members are told of them before; pauses end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from regulars.domain.messaging.office import PostOffice
from regulars.domain.programs import changes, pauses
from regulars.domain.programs.changes_repository import DUE
from regulars.domain.programs.pauses_repository import DUE as DUE_PAUSES
from regulars.kernel.i18n import N_, LazyText
from regulars.kernel.jobs import CronTick, Every, JobWork, cron, enqueue, job
from regulars.kernel.jobs.repository import add_all, row
from regulars.kernel.settings import SettingsStore

APPLY, TELL, END = "core.apply_change", "core.tell_change", "core.end_pause"
MOST = 500
"""Changes in one minute; the others are due in the next one."""
AT_ONCE = 200
"""Members that one job tells; the next one tells the next."""


@cron("program_changes", Every(minutes=1))
async def program_changes(tick: CronTick) -> None:
    """Make a job for each change that is due, and for each that members are to hear of."""
    due = (await tick.session.execute(DUE, {"most": MOST})).all()
    wanted = [(TELL, one) for one in due if one.is_to_tell] + [(APPLY, one) for one in due if one.is_due]
    new = [row(one.tenant_id, name, {"change": str(one.id)}, dedup_key=str(one.id)) for name, one in wanted]
    await add_all(tick.session, new)


@cron("program_pauses", Every(minutes=1))
async def program_pauses(tick: CronTick) -> None:
    """Make a job for each pause whose end has come."""
    due = (await tick.session.execute(DUE_PAUSES, {"most": MOST})).all()
    new = [row(one.tenant_id, END, {"pause": str(one.id)}, dedup_key=str(one.id)) for one in due]
    await add_all(tick.session, new)


@job("end_pause")
async def end_pause(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Let a program go on whose pause was to end now."""
    await pauses.end_due(work.session, work.context, UUID(payload["pause"]))


@job("shift_dates")
async def shift_dates(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Move the dates of some cards on after a pause."""
    await pauses.shift_dates(work.session, UUID(payload["pause"]))


@job("tell_pause")
async def tell_pause(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Tell a part of the members that a program pauses or goes on, and make the job for the next part.

    Args:
        work: offers the `PostOffice`.
        payload: `pause`, the id; `is_over`; `after`, the last card of the part before.
    """
    pause, office = await pauses.get(work.session, UUID(payload["pause"])), work.service(PostOffice)
    is_over = bool(payload["is_over"])
    values = {
        "is_over": is_over,
        "until": pause.until,
        "note": pause.note,
        "link": office.url(work.context.tenant, "/"),
    }
    event_id = uuid5(pause.id, "over") if is_over else pause.id
    last = await _tell(work, pause.program_id, payload, "mails/pause", event_id, values)
    if last is not None:
        again = {"pause": pause.id, "is_over": is_over, "after": last}
        await enqueue(work.session, pauses.TELL, again, dedup_key=f"{event_id} {last}")


@job("apply_change")
async def apply_change(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Let one change hold."""
    await changes.apply(work.session, work.context, work.service(SettingsStore), UUID(payload["change"]))


@job("tell_change")
async def tell_change(work: JobWork, payload: Mapping[str, Any]) -> None:
    """Write to a part of the members, and make the job for the next part.

    Args:
        work: offers the `PostOffice`.
        payload: `change`, the id; `after`, the last card of the part before.
    """
    office, session = work.service(PostOffice), work.session
    change = await changes.get(session, UUID(payload["change"]))
    if change.status == "withdrawn":
        return
    await changes.begin_telling(session, change.id)
    values = {
        "note": change.note,
        "effective_from": change.effective_from,
        "link": office.url(work.context.tenant, "/program/changes"),
    }
    last = await _tell(work, change.program_id, payload, "mails/rules_change", change.id, values)
    if last is not None:
        await enqueue(session, TELL, {"change": change.id, "after": last}, dedup_key=f"{change.id} {last}")


async def _tell(
    work: JobWork,
    program_id: UUID,
    payload: Mapping[str, Any],
    template: str,
    event_id: UUID,
    values: Mapping[str, Any],
) -> UUID | None:
    """Write to the next members of a program; the last card when there may be more."""
    tenant, office = work.context.tenant, work.service(PostOffice)
    after = UUID(payload["after"]) if "after" in payload else None
    footer = [LazyText(N_("You get this mail because you have a card of %(brand)s."), {"brand": tenant.name})]
    part = await changes.members_after(work.session, program_id, after, AT_ONCE)
    for _card, member in part:
        await office.queue_for_member(
            work.session, tenant, template, member, event_id=event_id, values=values, footer=footer
        )
    return part[-1][0] if len(part) == AT_ONCE else None
