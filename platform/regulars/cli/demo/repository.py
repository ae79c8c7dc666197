"""SQL of the demo's history."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import DateTime, bindparam, select, text

from regulars.domain.programs.models import Program
from regulars.domain.shops.models import Shop
from regulars.kernel.db.base import CORE_NOW
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.prepared import prepare

START_CLOCK = text("INSERT INTO core.clock (backend) VALUES (pg_backend_pid())")
MOVE_CLOCK = prepare(
    text("UPDATE core.clock SET shift = :at - now() WHERE backend = pg_backend_pid()").bindparams(
        bindparam("at", type_=DateTime(timezone=True), required=True)
    )
)
STOP_CLOCK = text("DELETE FROM core.clock WHERE backend = pg_backend_pid()")
PUBLISHED = text(
    "UPDATE core.outbox_event SET published_at = created_at "
    "WHERE tenant_id = :tenant_id AND created_at < :before AND published_at IS NULL"
)
LATELY = text(
    "SELECT s.id, s.created_at, s.amount_minor FROM core.sale s WHERE s.tenant_id = :tenant_id AND s.undone_at IS NULL "
    "AND s.amount_minor IS NOT NULL AND s.created_at > :since ORDER BY s.created_at LIMIT :size"
)
RICH = text(
    "SELECT c.id, c.number, a.balance FROM core.account a "
    "JOIN core.card c ON c.tenant_id = a.tenant_id AND c.id = a.card_id "
    "WHERE a.tenant_id = :tenant_id AND a.unit = :unit AND a.balance >= :least AND a.last_at < :before "
    "ORDER BY a.balance DESC, c.number LIMIT :size"
)
ANALYZE = text("ANALYZE")
NOW = select(CORE_NOW)
SHOPS = select(Shop.id).where(Shop.tenant_id == bindparam("tenant_id")).order_by(Shop.id)
PROGRAM = select(Program.id).where(Program.tenant_id == bindparam("tenant_id")).order_by(Program.created_at).limit(1)


async def shop_ids(session: TenantSession) -> Sequence[UUID]:
    """The tenant's shops."""
    return [row.id for row in await session.rows(SHOPS, {"tenant_id": session.tenant_id})]


async def program_id(session: TenantSession) -> UUID:
    """The tenant's first program."""
    found: UUID = await session.scalar(PROGRAM, {"tenant_id": session.tenant_id})
    return found
