"""Declaring jobs: a decorator that turns an async function into a definition."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from regulars.contracts.errors import ConfigurationError
from regulars.contracts.manifest import NAME_PATTERN
from regulars.kernel.jobs.schedule import Schedule

if TYPE_CHECKING:
    from regulars.kernel.jobs.work import JobWork

Handler = Callable[["JobWork", Mapping[str, Any]], Awaitable[None]]
MAX_ATTEMPTS = 8
TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """What `@job` makes of a function; calling it calls the function.

    Attributes:
        name: without prefix; the registry names it `core.<name>` or `<plugin>.<name>`.
        versions: versions of the payload that the handler understands.
        max_attempts: tries before the job is dead.
        timeout: seconds for one try.
        external: the handler has effects outside of the database and makes its own steps, see `JobWork.step`.
        schedule: when set, each slot makes one job for every active tenant.
        for_unproved: run also for a tenant that is suspended because no owner's address has proved right.
    """

    name: str
    handler: Handler
    versions: tuple[int, ...] = (1,)
    max_attempts: int = MAX_ATTEMPTS
    timeout: float = TIMEOUT
    external: bool = False
    schedule: Schedule | None = None
    for_unproved: bool = False

    async def __call__(self, work: JobWork, payload: Mapping[str, Any]) -> None:
        """Run the handler."""
        await self.handler(work, payload)


def job(
    name: str,
    *,
    versions: tuple[int, ...] = (1,),
    max_attempts: int = MAX_ATTEMPTS,
    timeout: float = TIMEOUT,
    external: bool = False,
    schedule: Schedule | None = None,
    for_unproved: bool = False,
) -> Callable[[Handler], JobDefinition]:
    """Declare a job: `async def handler(work: JobWork, payload: Mapping[str, Any]) -> None`.

    The handler works on `work.session`; what it does there and the mark that the job is done commit together, so a
    job that only touches the database has its effects exactly once. A handler with effects elsewhere (mail, push) is
    `external`: it gets no session but as many `work.step()` transactions as it wants, and must be able to tell what
    it has done already, since it may be run again after any of them.

    Args:
        name: lower case, without prefix.
        versions: versions of the payload that the handler understands; a job of an older one is dead, one of a newer
            one waits for a newer worker.
        max_attempts: tries before the job is dead and shown to an operator.
        timeout: seconds for one try.
        external: see above.
        schedule: run by the clock: each slot makes one job for every active tenant.
        for_unproved: run also for a tenant that is suspended because no owner's address has proved right.

    Raises:
        ConfigurationError: the declaration makes no sense.
    """

    def define(handler: Handler) -> JobDefinition:
        if not NAME_PATTERN.match(name):
            raise ConfigurationError(f"the job name {name!r} does not match {NAME_PATTERN.pattern}")
        if not inspect.iscoroutinefunction(handler):
            raise ConfigurationError(f"the handler of the job {name!r} must be an async function")
        if not versions or min(versions) < 1 or max_attempts < 1 or timeout <= 0:
            raise ConfigurationError(f"the job {name!r} needs a version, an attempt and a time-out above zero")
        return JobDefinition(name, handler, versions, max_attempts, timeout, external, schedule, for_unproved)

    return define
