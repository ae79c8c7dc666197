"""All SQL of the plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import DateTime, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from regulars.sdk.db import TenantSession
from regulars_google_wallet.models import Callback, LoyaltyClass, LoyaltyObject, Picture

NOW = func.clock_timestamp(type_=DateTime(timezone=True))
"""Leases and callbacks go by the world's clock, not by that of the rules."""
LEASE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of wanting to send an object.

    Attributes:
        state: `mine` until it is settled, `busy` when somebody else sends it, `newer` when a later version was sent.
        version, digest, news: of what was sent last under this name; empty when nothing was.
        class_digest: of the class as it was sent last, empty when it never was.
    """

    state: Literal["mine", "busy", "newer"]
    version: int = 0
    digest: str = ""
    news: str = ""
    class_digest: str = ""


async def claim(session: TenantSession, pass_id: UUID, object_id: str, class_id: str, version: int) -> Claim:
    """Want to send an object: one sender at a time, and never an older version after a newer one.

    Args:
        session: of a step of its own.
        pass_id: the host's.
        object_id, class_id: as they are to be sent; an object of another name is a new one.
        version: of the pass.
    """
    tenant_id = session.tenant_id
    row = {"tenant_id": tenant_id, "pass_id": pass_id, "object_id": object_id}
    empty = {"version": 0, "digest": "", "news": "", "heard": 0}
    await session.execute(insert(LoyaltyObject).values(**row, **empty).on_conflict_do_nothing())
    mine = and_(LoyaltyObject.tenant_id == tenant_id, LoyaltyObject.pass_id == pass_id)
    told = select(LoyaltyClass.digest).where(LoyaltyClass.tenant_id == tenant_id, LoyaltyClass.class_id == class_id)
    statement = select(
        LoyaltyObject.object_id,
        LoyaltyObject.version,
        LoyaltyObject.digest,
        LoyaltyObject.news,
        func.coalesce(LoyaltyObject.claimed_until > NOW, False).label("is_claimed"),
        func.coalesce(told.scalar_subquery(), "").label("class_digest"),
    )
    found = await session.one_or_none(statement.where(mine).with_for_update(of=LoyaltyObject))
    assert found is not None
    if found.version > version:
        return Claim("newer")
    if found.is_claimed:
        return Claim("busy")
    await session.execute(update(LoyaltyObject).where(mine).values(claimed_until=NOW + LEASE))
    if found.object_id != object_id:
        return Claim("mine", class_digest=found.class_digest)
    return Claim("mine", found.version, found.digest, found.news, found.class_digest)


async def settle(session: TenantSession, pass_id: UUID, object_id: str, version: int, digest: str, news: str) -> None:
    """Note what was sent, and let the next one."""
    await session.execute(
        update(LoyaltyObject)
        .where(LoyaltyObject.tenant_id == session.tenant_id, LoyaltyObject.pass_id == pass_id)
        .values(object_id=object_id, version=version, digest=digest, news=news, claimed_until=None)
    )


async def release(session: TenantSession, pass_id: UUID) -> None:
    """Let the next one send: it did not go well."""
    await session.execute(
        update(LoyaltyObject)
        .where(LoyaltyObject.tenant_id == session.tenant_id, LoyaltyObject.pass_id == pass_id)
        .values(claimed_until=None)
    )


async def note_class(session: TenantSession, class_id: str, digest: str) -> None:
    """Note how a class was sent."""
    new = insert(LoyaltyClass).values(tenant_id=session.tenant_id, class_id=class_id, digest=digest, sent_at=NOW)
    key = [LoyaltyClass.tenant_id, LoyaltyClass.class_id]
    kept = {"digest": new.excluded.digest, "sent_at": new.excluded.sent_at}
    await session.execute(new.on_conflict_do_update(index_elements=key, set_=kept))


async def has_class(session: TenantSession, class_id: str) -> bool:
    """Whether Google has a class."""
    statement = select(LoyaltyClass.class_id)
    statement = statement.where(LoyaltyClass.tenant_id == session.tenant_id, LoyaltyClass.class_id == class_id)
    return await session.scalar(statement) is not None


async def keep_pictures(session: TenantSession, pictures: Mapping[str, bytes]) -> None:
    """Keep pictures for Google, by digest; those that are there already stay."""
    statement = select(Picture.digest).where(
        Picture.tenant_id == session.tenant_id, Picture.digest.in_(sorted(pictures))
    )
    there = {row.digest for row in await session.rows(statement)}
    for digest, content in pictures.items():
        if digest not in there:
            row = {"tenant_id": session.tenant_id, "digest": digest, "content": content}
            await session.execute(insert(Picture).values(row).on_conflict_do_nothing())


async def picture(session: TenantSession, digest: str) -> bytes | None:
    """A picture, `None` for an unknown one."""
    found: bytes | None = await session.scalar(
        select(Picture.content).where(Picture.tenant_id == session.tenant_id, Picture.digest == digest)
    )
    return found


async def is_new(session: TenantSession, nonce: str, expires_at: datetime) -> bool:
    """Note a callback; whether it comes for the first time."""
    row = {"tenant_id": session.tenant_id, "nonce": nonce, "expires_at": expires_at}
    done = await session.scalar(insert(Callback).values(row).on_conflict_do_nothing().returning(Callback.nonce))
    return done is not None


async def hear(session: TenantSession, object_id: str, at: int) -> bool:
    """Note when Google spoke of an object, in milliseconds; whether nothing later was heard of it yet."""
    heard = await session.scalar(
        update(LoyaltyObject)
        .where(
            LoyaltyObject.tenant_id == session.tenant_id,
            LoyaltyObject.object_id == object_id,
            LoyaltyObject.heard <= at,
        )
        .values(heard=at)
        .returning(LoyaltyObject.pass_id)
    )
    return heard is not None


async def forget_callbacks(session: TenantSession) -> None:
    """Forget callbacks that cannot come again."""
    await session.execute(delete(Callback).where(Callback.tenant_id == session.tenant_id, Callback.expires_at < NOW))
