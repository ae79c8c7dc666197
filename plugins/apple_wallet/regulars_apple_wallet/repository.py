"""All SQL of the plugin."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, and_, delete, exists, func, literal_column, select, true, update
from sqlalchemy.dialects.postgresql import insert

from regulars.sdk.db import TenantSession, new_id
from regulars_apple_wallet.models import Device, Registration

_NOW: ColumnElement[datetime] = func.clock_timestamp(type_=DateTime(timezone=True))
"""The machine's clock: Apple says by its own when a token ended."""


@dataclass(frozen=True, slots=True)
class Target:
    """A phone that is to be told of a pass.

    Attributes:
        is_quiet: Apple wants no push for it at the moment.
    """

    serial: str
    device_id: UUID
    push_token: str
    is_quiet: bool


def library_of(device: str) -> bytes:
    """What is kept of a device's library identifier."""
    return hashlib.sha256(device.encode()).digest()


async def register(session: TenantSession, device: str, push_token: str, pass_type: str, serial: str) -> bool:
    """Note that a pass is on a phone.

    Returns:
        Whether that is new; the push token is renewed in any case.
    """
    await _lock(session, serial)
    phone = insert(Device).values(
        tenant_id=session.tenant_id,
        id=new_id(),
        library=library_of(device),
        push_token=push_token,
        registered_at=_NOW,
        quiet_until=None,
    )
    renewed = {"push_token": phone.excluded.push_token, "registered_at": _NOW, "quiet_until": None}
    phone_id = await session.scalar(
        phone.on_conflict_do_update(index_elements=["tenant_id", "library"], set_=renewed).returning(Device.id)
    )
    note = insert(Registration).values(
        tenant_id=session.tenant_id, device_id=phone_id, serial=serial, pass_type=pass_type, registered_at=_NOW
    )
    again = {"registered_at": _NOW, "pass_type": note.excluded.pass_type}
    is_new: bool = await session.scalar(
        note.on_conflict_do_update(index_elements=["tenant_id", "device_id", "serial"], set_=again).returning(
            literal_column("xmax = 0")
        )
    )
    return is_new


async def unregister(session: TenantSession, device: str, serial: str) -> None:
    """Note that a pass is no longer on a phone; a phone without passes is forgotten."""
    await _lock(session, serial)
    phone = select(Device.id).where(Device.tenant_id == session.tenant_id, Device.library == library_of(device))
    await session.execute(
        delete(Registration).where(
            Registration.tenant_id == session.tenant_id,
            Registration.device_id == phone.scalar_subquery(),
            Registration.serial == serial,
        )
    )
    has_passes = exists().where(Registration.tenant_id == Device.tenant_id, Registration.device_id == Device.id)
    await session.execute(
        delete(Device).where(Device.tenant_id == session.tenant_id, Device.library == library_of(device), ~has_passes)
    )


async def copies(session: TenantSession, serial: str) -> int:
    """On how many phones a pass is."""
    where = (Registration.tenant_id == session.tenant_id, Registration.serial == serial)
    count: int = await session.scalar(select(func.count()).select_from(Registration).where(*where))
    return count


async def serials_on(session: TenantSession, device: str, pass_type: str) -> Sequence[str]:
    """The passes on a phone; none for one that is not known."""
    statement = (
        select(Registration.serial)
        .join(Device, and_(Device.tenant_id == Registration.tenant_id, Device.id == Registration.device_id))
        .where(
            Registration.tenant_id == session.tenant_id,
            Device.library == library_of(device),
            Registration.pass_type == pass_type,
        )
    )
    return [row.serial for row in await session.rows(statement)]


async def targets(session: TenantSession, pass_type: str, serials: Collection[str]) -> Sequence[Target]:
    """The phones that some passes are on."""
    is_quiet = func.coalesce(Device.quiet_until > _NOW, False).label("is_quiet")
    statement = (
        select(Registration.serial, Device.id, Device.push_token, is_quiet)
        .join(Device, and_(Device.tenant_id == Registration.tenant_id, Device.id == Registration.device_id))
        .where(
            Registration.tenant_id == session.tenant_id,
            Registration.pass_type == pass_type,
            Registration.serial.in_(serials),
        )
        .order_by(Registration.serial, Device.id)
    )
    return [Target(row.serial, row.id, row.push_token, row.is_quiet) for row in await session.rows(statement)]


async def forget(session: TenantSession, device_id: UUID, push_token: str, ended_at: datetime | None) -> Sequence[str]:
    """Forget a phone whose token has ended, unless it has registered since.

    Args:
        session: of the tenant.
        device_id: which phone.
        push_token: that Apple refused.
        ended_at: since when, by Apple; `None` when it never was a token.

    Returns:
        The passes that were on it.
    """
    on_it = (Registration.tenant_id == session.tenant_id, Registration.device_id == device_id)
    serials = [row.serial for row in await session.rows(select(Registration.serial).where(*on_it))]
    for serial in sorted(serials):
        await _lock(session, serial)
    phone = (Device.tenant_id == session.tenant_id, Device.id == device_id)
    is_over = Device.registered_at <= ended_at if ended_at is not None else true()
    ended = select(Device.id).where(*phone, Device.push_token == push_token, is_over).with_for_update()
    if await session.scalar(ended) is None:
        return ()
    await session.execute(delete(Registration).where(*on_it))
    await session.execute(delete(Device).where(*phone))
    return serials


async def hush(session: TenantSession, device_id: UUID, until: datetime) -> None:
    """Tell a phone nothing for a while."""
    where = (Device.tenant_id == session.tenant_id, Device.id == device_id)
    await session.execute(update(Device).where(*where).values(quiet_until=until))


async def _lock(session: TenantSession, serial: str) -> None:
    """Phones come to a pass and go from it one after the other, or they would be counted wrong."""
    key = f"apple_wallet:{session.tenant_id}:{serial}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
