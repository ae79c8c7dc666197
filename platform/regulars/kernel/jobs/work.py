"""What a job's handler gets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import ConfigurationError
from regulars.kernel.db.database import TenantSession
from regulars.kernel.jobs import repository

T = TypeVar("T")
Services = Mapping[type[Any], Any]
StepOpener = Callable[[], AbstractAsyncContextManager[TenantSession]]
EVENT = "$event"


@dataclass(frozen=True, slots=True)
class EventInfo:
    """The event that a subscriber's job was made for.

    Attributes:
        id: the same however often the event is delivered: the key of idempotent effects.
        seq: grows within one card.
        at: when it happened, by the clock of the rules.
    """

    id: UUID
    name: str
    version: int
    seq: int
    order_key: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job row under this worker's lease.

    Attributes:
        token: names the lease; whoever holds an older one can write nothing any more.
        attempt: 1 for the first try.
    """

    tenant_id: UUID
    id: UUID
    name: str
    version: int
    payload: Mapping[str, Any]
    event: EventInfo | None
    token: UUID
    attempt: int
    max_attempts: int


class JobWork:
    """One try of one job.

    Args:
        context: tenant as it is now, principal `system`.
        claimed: the job.
        session: the transaction of a job that is not external.
        open_step: opens the steps of an external one.
        services: what the composition root offers to jobs, by type.
    """

    def __init__(
        self,
        context: Context,
        claimed: ClaimedJob,
        *,
        session: TenantSession | None,
        open_step: StepOpener,
        services: Services,
    ) -> None:
        self.context = context
        self.id = claimed.id
        self.name = claimed.name
        self.version = claimed.version
        self.attempt = claimed.attempt
        self.event = claimed.event
        self._session = session
        self._open_step = open_step
        self._services = services

    @property
    def session(self) -> TenantSession:
        """The job's transaction. It commits together with the mark that the job is done.

        Raises:
            ConfigurationError: the job is external and must use `step`.
        """
        if self._session is None:
            raise ConfigurationError(f"the job {self.name} is external: it works in steps")
        return self._session

    @asynccontextmanager
    async def step(self) -> AsyncIterator[TenantSession]:
        """A transaction of an external job; commits at its end, unless the lease has gone to another worker.

        Raises:
            ConfigurationError: the job is not external.
            LeaseLostError: another worker has the job; nothing of this step is kept.
        """
        if self._session is not None:
            raise ConfigurationError(f"the job {self.name} is not external: it has one session")
        async with self._open_step() as session:
            yield session

    async def report(self, session: TenantSession, done: int, total: int | None = None) -> None:
        """Say how far the job is, for operators who look at it.

        Args:
            session: of the step that was done; both are kept or neither is.
            done: pieces of this try.
            total: of how many, if that is known.
        """
        await repository.report(session, self.context.tenant.id, self.id, done, total)

    def service(self, kind: type[T]) -> T:
        """What the composition root offers to jobs under this type, e.g. the mailer.

        Raises:
            ConfigurationError: nothing is offered.
        """
        if kind not in self._services:
            raise ConfigurationError(f"no {kind.__name__} is offered to jobs")
        return cast("T", self._services[kind])


def event_payload(event: EventInfo, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The stored payload of a subscriber's job: the event's own with the event's particulars beside it."""
    particulars = {
        "id": str(event.id),
        "name": event.name,
        "version": event.version,
        "seq": event.seq,
        "order_key": str(event.order_key) if event.order_key else None,
        "at": event.at.isoformat(),
    }
    return {**payload, EVENT: particulars}


def split_payload(stored: Mapping[str, Any]) -> tuple[dict[str, Any], EventInfo | None]:
    """Undo `event_payload`; a job without event has none."""
    payload = dict(stored)
    found = payload.pop(EVENT, None)
    if found is None:
        return payload, None
    event = EventInfo(
        id=UUID(found["id"]),
        name=found["name"],
        version=found["version"],
        seq=found["seq"],
        order_key=UUID(found["order_key"]) if found["order_key"] else None,
        at=datetime.fromisoformat(found["at"]),
    )
    return payload, event
