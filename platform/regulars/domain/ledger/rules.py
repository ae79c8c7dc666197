"""The rules of a program as a transaction needs them: the program itself and the settings of every plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel

from regulars.contracts.context import ProgramInfo, TenantSnapshot
from regulars.kernel.db.database import TenantSession


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a program at one revision of its tenant.

    Attributes:
        require_pin: whether till operations need a staff PIN.
        settings: plugin → its settings for this program (or tenant, as its manifest says).
        versions: plugin → which version of its settings these are, where versions are kept.
        idle: plugins whose units this kind of program does not give.
        has_households: whether cards may share what is on them.
        claim_days: of how many days earlier purchases count, 0 for none.
    """

    program: ProgramInfo
    require_pin: bool
    settings: Mapping[str, BaseModel]
    versions: Mapping[str, int] = field(default_factory=dict)
    idle: frozenset[str] = frozenset()
    has_households: bool = False
    claim_days: int = 0


class RuleSource(Protocol):
    """Where rules come from; cached per tenant revision, so that a warm transaction asks no query for them."""

    async def rules(self, session: TenantSession, tenant: TenantSnapshot, program_id: UUID) -> Rules:
        """The rules of a program.

        Raises:
            regulars.contracts.errors.NotFound: when the tenant has no such program.
        """

    async def hold_since(
        self,
        session: TenantSession,
        tenant: TenantSnapshot,
        program_id: UUID,
        plugin: str,
        holds: Callable[[BaseModel], bool],
    ) -> datetime | None:
        """Since when something has been so in a plugin's settings of a program, `None` for ever since."""
