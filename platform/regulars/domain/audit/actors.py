"""Who did it: the traces that every line of an audit log carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from regulars.contracts.context import Context, Principal


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where.

    Attributes:
        kind: operator, staff, member, api_key, system, as in a principal.
        id: of the person or key, `None` for the system.
        device: user agent or a terminal's name.
    """

    kind: str
    id: UUID | None
    name: str
    ip: str = ""
    device: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, ctx: Context) -> Self:
        """The actor of a request or job in a tenant."""
        return cls.from_where(ctx.principal, ctx.ip, ctx.device, ctx.request_id)

    @classmethod
    def from_where(cls, who: Principal, ip: str = "", device: str = "", request_id: str = "") -> Self:
        """The actor of a request outside of any tenant: an operator in the console."""
        return cls(who.kind, who.id, who.name, ip, device, request_id)


SYSTEM = Actor("system", None, "system")
"""The platform itself: jobs and commands that no person signs."""
