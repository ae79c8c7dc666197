"""Changes of programs come when they are due, and members are told of them before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from regulars.domain.messaging.office import PostOffice
from regulars.domain.programs import changes
from regulars.domain.programs.changes_repository import DUE
from regulars.kernel.i18n import N_, LazyText
from regulars.kernel.jobs import CronTick, Every, JobWork, cron, enqueue, job
from regulars.kernel.jobs.repository import add_all, row
from regulars.kernel.settings import SettingsStore

APPLY, TELL = "core.apply_change", "core.tell_change"
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
    tenant, office, session = work.context.tenant, work.service(PostOffice), work.session
    after = UUID(payload["after"]) if "after" in payload else None
    change = await changes.get(session, UUID(payload["change"]))
    if change.status == "withdrawn":
        return
    await changes.begin_telling(session, change.id)
    part = await changes.members_after(session, change.program_id, after, AT_ONCE)
    footer = [LazyText(N_("You get this mail because you have a card of %(brand)s."), {"brand": tenant.name})]
    values = {
        "note": change.note,
        "effective_from": change.effective_from,
        "link": office.url(tenant, "/program/changes"),
    }
    for _card, member in part:
        await office.queue_for_member(
            session, tenant, "mails/rules_change", member, event_id=change.id, values=values, footer=footer
        )
    if len(part) == AT_ONCE:
        last = part[-1][0]
        await enqueue(session, TELL, {"change": change.id, "after": last}, dedup_key=f"{change.id} {last}")
