"""Where the device stands and how long it waits before it locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regulars.contracts.context import Context
from regulars.contracts.pages import PageContext
from regulars.domain.shops import service as shops
from regulars.domain.shops.service import Shop
from regulars.kernel.db.database import TenantSession
from regulars.web.work import Work

IDLE_SECONDS = 180
"""A till that nobody touches goes back to its start, so that the next person does not see the last customer."""
RESULT_SECONDS = 30
"""The same after a finished action."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The place of this device.

    Attributes:
        shop: where it stands; the only open shop where none was chosen, `None` when there are several or none.
        shops: the open shops, oldest first.
        person: name of whoever is signed in on the device.
        may_enrol: whether customers can be enrolled here.
    """

    shop: Shop | None
    shops: Sequence[Shop]
    person: str
    may_enrol: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TillPage(PageContext):
    """What every page of the till shows.

    Attributes:
        desk: where the device stands.
        idle_seconds: after which it goes back to the start, 0 for never.
    """

    desk: Desk
    idle_seconds: int = IDLE_SECONDS


async def desk_of(work: Work) -> Desk:
    """The device's place."""
    found = await _open_shops(work.session)
    shop = _place(found, work.ctx)
    may_enrol = work.principal.may("members.enrol") and work.ctx.tenant.has("enrolment")
    return Desk(shop, found, work.ctx.principal.name, may_enrol)


async def shop_of(session: TenantSession, ctx: Context) -> Shop | None:
    """The shop in which the device stands."""
    return _place(await _open_shops(session), ctx)


async def _open_shops(session: TenantSession) -> Sequence[Shop]:
    return [shop for shop in await shops.list_shops(session) if shop.status == "active"]


def _place(found: Sequence[Shop], ctx: Context) -> Shop | None:
    chosen = ctx.principal.shop_id
    return next((one for one in found if one.id == chosen), found[0] if len(found) == 1 else None)


def at_desk(ctx: Context, desk: Desk) -> Context:
    """The context with the shop in which the device stands, also where nobody had to choose it."""
    return replace(ctx, principal=replace(ctx.principal, shop_id=desk.shop.id if desk.shop else None))
