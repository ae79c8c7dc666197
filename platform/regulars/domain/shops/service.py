"""Shops of a tenant: as many active ones as the offering allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.shops import repository
from regulars.domain.staff.permissions import require
from regulars.domain.tenants.limits import require_room
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import one_line

Status = Literal["active", "inactive"]
MAX_NAME = 80
MAX_ADDRESS = 200


@dataclass(frozen=True, slots=True)
class Shop:
    """A place where the tenant sells."""

    id: UUID
    name: str
    address: str
    status: Status
    created_at: datetime


async def list_shops(session: TenantSession) -> Sequence[Shop]:
    """All shops, active ones first, oldest first. Their names are public, so everybody may ask."""
    return [_shop(row) for row in await session.rows(repository.LIST, {"tenant": session.tenant_id})]


async def get(session: TenantSession, shop_id: UUID) -> Shop:
    """One shop.

    Raises:
        NotFound: the tenant has no such shop.
    """
    row = await session.one_or_none(repository.GET, {"tenant": session.tenant_id, "shop": shop_id})
    if row is None:
        raise NotFound(_("We could not find this shop."))
    return _shop(row)


async def add(session: TenantSession, ctx: Context, name: str, address: str = "") -> Shop:
    """Open a shop.

    Args:
        session: the transaction.
        ctx: who acts; needs `shops.manage`.
        name: 1 to 80 characters.
        address: one line for people, up to 200 characters.

    Raises:
        InvalidInput: name or address is empty or too long.
        LimitReached: the offering allows no more; the problem names one that does.
    """
    require(ctx, "shops.manage")
    name, address = _checked(name, address)
    await _require_room(session, ctx)
    shop_id = new_id()
    await session.execute(
        repository.INSERT, {"tenant_id": session.tenant_id, "id": shop_id, "name": name, "address": address}
    )
    await audit.record(session, ctx, "shop.added", "shop", shop_id, {"name": name})
    return await get(session, shop_id)


async def change(session: TenantSession, ctx: Context, shop_id: UUID, name: str, address: str) -> Shop:
    """Give a shop another name and address; arguments and errors as for `add`.

    Raises:
        InvalidInput: name or address is empty or too long.
        NotFound: the tenant has no such shop.
    """
    require(ctx, "shops.manage")
    name, address = _checked(name, address)
    before = await _locked(session, shop_id)
    await session.execute(
        repository.CHANGE, {"tenant": session.tenant_id, "shop": shop_id, "new_name": name, "new_address": address}
    )
    await audit.record(session, ctx, "shop.changed", "shop", shop_id, {"before": before.name, "after": name})
    return await get(session, shop_id)


async def set_status(session: TenantSession, ctx: Context, shop_id: UUID, status: Status) -> Shop:
    """Close a shop or open it again; its history stays.

    Raises:
        LimitReached: the offering allows no more active shops.
        NotFound: the tenant has no such shop.
    """
    require(ctx, "shops.manage")
    before = await _locked(session, shop_id)
    if before.status == status:
        return before
    if status == "active":
        await _require_room(session, ctx)
    await session.execute(repository.SET_STATUS, {"tenant": session.tenant_id, "shop": shop_id, "new_status": status})
    await audit.record(session, ctx, "shop.opened" if status == "active" else "shop.closed", "shop", shop_id)
    return await get(session, shop_id)


async def _require_room(session: TenantSession, ctx: Context) -> None:
    await lock(session, "shops")
    used = await session.scalar(repository.COUNT_ACTIVE, {"tenant": session.tenant_id})
    await require_room(session, ctx, "shops", used)


async def _locked(session: TenantSession, shop_id: UUID) -> Shop:
    row = await session.one_or_none(repository.LOCK, {"tenant": session.tenant_id, "shop": shop_id})
    if row is None:
        raise NotFound(_("We could not find this shop."))
    return _shop(row)


def _checked(name: str, address: str) -> tuple[str, str]:
    name, address = one_line(name), one_line(address)
    faults = {}
    if not 0 < len(name) <= MAX_NAME:
        faults["name"] = _("A shop needs a name of at most %(count)s characters.", count=MAX_NAME)
    if len(address) > MAX_ADDRESS:
        faults["address"] = _("An address has at most %(count)s characters.", count=MAX_ADDRESS)
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return name, address


def _shop(row: Row[Any]) -> Shop:
    return Shop(**row._mapping)
