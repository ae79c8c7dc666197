"""What the jobs need of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from regulars.contracts.context import TenantSnapshot


class Snapshots(Protocol):
    """Where tenants are looked up; cached, so cheap to ask."""

    async def by_id(self, tenant_id: UUID) -> TenantSnapshot | None:
        """The tenant as it is now, `None` when there is none."""


class Handover(NamedTuple):
    """A due job on its way to an executor.

    Attributes:
        attempts: tries so far: a job that comes back after a try is a new hand-over.
    """

    tenant_id: UUID
    job_id: UUID
    attempts: int


class QueueDownError(Exception):
    """The executor's queue cannot be reached; the jobs stay where they are and are handed over later."""


class Queue(Protocol):
    """An executor's queue. It may lose everything at any time."""

    async def push(self, handovers: Sequence[Handover]) -> None:
        """Hand jobs over.

        Raises:
            QueueDownError: the queue cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take, in seconds.

    Attributes:
        poll: longest time until somebody looks for due work.
        rest: shortest time between two looks.
        lease: how long a worker holds a job without a sign of life. Another takes over at most `poll` later.
        resend: after which a job that was handed over but not begun is handed over again.
        cancel_grace: for a try that was cancelled, before it is abandoned.
        stop_grace: for running jobs when the worker stops.
    """

    poll: float = 1.0
    rest: float = 0.05
    lease: float = 15.0
    resend: float = 20.0
    cancel_grace: float = 5.0
    stop_grace: float = 15.0

    @property
    def heartbeat(self) -> float:
        """Time between two signs of life; two may be missed."""
        return self.lease / 4
