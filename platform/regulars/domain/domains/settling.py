"""What a check makes of a name: pure decisions, then what they change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from regulars.domain.audit.actors import SYSTEM
from regulars.domain.domains import repository
from regulars.domain.domains.service import Domain, Problem, Status, note, take_out
from regulars.domain.tenants.families import lock_family
from regulars.kernel.db.database import PlatformSession

GRACE = timedelta(days=7)
"""How long a name keeps answering without its records."""
STEADY = timedelta(hours=6)
"""Between checks of a name that is well."""
RECHECK = timedelta(hours=1)
"""Between checks of a name whose records are missed."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a name's records has shown.

    Attributes:
        problem: empty when all is as it must be; `silent` when nobody could tell.
        certificate: whether its certificate was seen, or none is needed.
    """

    problem: Problem
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a name.

    Attributes:
        wait: until the next check.
        takes_out: whether it answers no more.
    """

    status: Status
    problem: Problem
    tries: int
    failing_since: datetime | None
    wait: timedelta
    takes_out: bool = False


def decide(domain: Domain, found: Found, now: datetime) -> Verdict:
    """What becomes of a name.

    Args:
        domain: as it stands.
        found: by the check.
        now: of the rules' clock.
    """
    if not found.problem:
        if found.certificate:
            return Verdict("live", "", 0, None, STEADY)
        tries = domain.tries + 1 if domain.answers else 1
        return Verdict("verified", "", tries, None, _wait(tries))
    tries = domain.tries + 1
    if not domain.answers:
        return Verdict(domain.status, found.problem, tries, None, _wait(tries))
    if found.problem == "silent":
        return Verdict(domain.status, found.problem, tries, domain.failing_since, RECHECK)
    since = domain.failing_since or now
    if now - since >= GRACE:
        return Verdict("lost", found.problem, 0, since, LONGEST_WAIT, takes_out=True)
    return Verdict(domain.status, found.problem, tries, since, RECHECK)


def _wait(tries: int) -> timedelta:
    """Twice as long after each try."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 10))


async def settle(session: PlatformSession, tenant_id: UUID, host: str, found: Found) -> Domain | None:
    """Carry out what a check has shown: claim the host, warn, or take it out.

    Args:
        session: the platform's.
        tenant_id, host: of the name.
        found: by the check.

    Returns:
        How it stands now, `None` when it was removed in the meantime.
    """
    family = await lock_family(session, tenant_id)
    key = {"of_tenant": tenant_id, "of_host": host}
    row = await session.one_or_none(repository.ONE_FOR_UPDATE, key)
    if row is None:
        return None
    values = dict(row._mapping)
    before, now = Domain(**{name: values[name] for name in Domain.__slots__}), values["now"]
    if not found.problem and not before.answers and not await _claim(session, tenant_id, host):
        found = Found("taken")
    verdict = decide(before, found, now)
    if verdict.takes_out:
        await take_out(session, tenant_id, host)
    await session.execute(
        repository.SETTLE,
        {
            **key,
            "new_status": verdict.status,
            "new_problem": verdict.problem,
            "new_tries": verdict.tries,
            "new_failing_since": verdict.failing_since,
            "wait": verdict.wait,
        },
    )
    if action := _action(before, verdict):
        await note(session, SYSTEM, family, action, host, verdict.problem)
    values = {**values, "status": verdict.status, "problem": verdict.problem, "failing_since": verdict.failing_since}
    return Domain(**{name: values[name] for name in Domain.__slots__})


def _action(before: Domain, verdict: Verdict) -> str:
    """What is written into the log, empty for nothing new."""
    if verdict.takes_out:
        return "domain.lost"
    if verdict.status != before.status:
        return f"domain.{verdict.status}"
    if verdict.failing_since is not None and before.failing_since is None:
        return "domain.failing"
    if verdict.failing_since is None and before.failing_since is not None and before.answers:
        return "domain.recovered"
    return ""


async def _claim(session: PlatformSession, tenant_id: UUID, host: str) -> bool:
    """Take the host for the tenant, unless another has it: the first owner keeps it."""
    row = {"host": host, "tenant_id": tenant_id, "is_primary": False}
    if await session.scalar(repository.CLAIM, row) is not None:
        return True
    owner = await session.one_or_none(repository.OWNER, {"of_host": host})
    return owner is not None and owner.tenant_id == tenant_id
