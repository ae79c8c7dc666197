"""Refunds as they are shown and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.ledger.commands import Answer
from regulars.domain.refunds import repository
from regulars.domain.refunds.parts import Part
from regulars.domain.staff.permissions import require
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import to_json
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund.

    Attributes:
        sale_id, card_id: `None` while it waits for its sale.
        is_whole: nothing of the sale is left.
        taken: unit → units taken back, from the balance or before they could be spent.
        let_go: unit → units that had been spent and that the program does not make a debt of.
        given_back: unit → units of rewards that came back.
    """

    id: UUID
    sale_id: UUID | None
    sale_ref: str | None
    card_id: UUID | None
    external_ref: str | None
    part: Part
    reason: str
    status: str
    created_at: datetime
    is_whole: bool = False
    taken: Mapping[str, int] = field(default_factory=dict)
    let_go: Mapping[str, int] = field(default_factory=dict)
    given_back: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read it from its row."""
        names = ("id", "sale_id", "sale_ref", "card_id", "external_ref", "reason", "status", "created_at")
        result = {name: row["result"][name] for name in _RESULTS if name in row["result"]}
        return cls(**{name: row[name] for name in names}, part=Part.of(row), **result)


_RESULTS = ("is_whole", "taken", "let_go", "given_back")


def answer_of(refund: Refunded, *, status: int = 200, replayed: bool = False) -> Answer:
    """What the caller is told.

    Args:
        refund: as it was booked, or as it waits.
        status: 202 for one that waits.
        replayed: it was booked before.
    """
    return Answer(status, to_json(content_of(refund)).encode(), replayed=replayed)


def content_of(refund: Refunded) -> dict[str, Any]:
    """A refund as the API shows it."""
    part = refund.part
    return {
        "id": ids.show(ids.REFUND, refund.id),
        "status": refund.status,
        "sale": ids.show(ids.SALE, refund.sale_id) if refund.sale_id else None,
        "sale_ref": refund.sale_ref,
        "card": ids.show(ids.CARD, refund.card_id) if refund.card_id else None,
        "external_ref": refund.external_ref,
        "amount_minor": part.amount_minor,
        "quantity": part.quantity,
        "items": [{"line": line.line, "quantity": line.quantity} for line in part.lines],
        "reason": refund.reason,
        "is_whole": refund.is_whole,
        "taken": dict(refund.taken),
        "let_go": dict(refund.let_go),
        "given_back": dict(refund.given_back),
        "created_at": refund.created_at,
    }


async def get(session: TenantSession, ctx: Context, refund_id: UUID) -> Refunded:
    """One refund.

    Raises:
        Forbidden: without the permission `sales.refund` or `members.view`.
        NotFound: the tenant has no such refund.
    """
    require(ctx, "sales.refund", "members.view")
    row = await session.one_or_none(repository.ONE, {"tenant": session.tenant_id, "id": refund_id})
    if row is None:
        raise NotFound(_("There is no such refund here."))
    return Refunded.of(row._asdict())


async def page_of(session: TenantSession, ctx: Context, page: PageRequest) -> Paged[Refunded]:
    """All refunds, the latest first.

    Raises:
        Forbidden: without the permission `sales.refund` or `members.view`.
    """
    require(ctx, "sales.refund", "members.view")
    where = {"tenant": session.tenant_id}
    return await repository.OWN.page(session, where, page, lambda row: Refunded.of(row._asdict()))
