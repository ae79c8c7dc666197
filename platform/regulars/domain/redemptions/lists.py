"""Redemptions for people and callers: what was handed out, what waits, what is on its way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from regulars.contracts.context import Context
from regulars.contracts.errors import NotFound
from regulars.contracts.paging import Paged, PageRequest
from regulars.domain.redemptions import queries
from regulars.domain.redemptions.answers import RedemptionAnswer, redemption_answer
from regulars.domain.redemptions.life import Delivery, State, Status
from regulars.domain.staff.permissions import require
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class GivenReward:
    """A reward that somebody got and that was not taken back.

    Attributes:
        value_minor: worth in minor units of `currency`, `None` when unknown.
        name: of the member, may be empty.
        shop, staff: where and by whom, empty when unknown.
    """

    id: UUID
    title: str
    unit: str
    cost: int
    value_minor: int | None
    currency: str
    created_at: datetime
    member_id: UUID
    name: str
    email: str
    shop: str
    staff: str


@dataclass(frozen=True, slots=True)
class WantedRewards:
    """Which of the rewards that were handed out.

    Attributes:
        timezone: IANA name of the zone whose months count, the program's.
        this_month: only those since the month began.
        sought: a part of the reward's title, of a name or an address; empty for all.
    """

    timezone: str
    this_month: bool = False
    sought: str = ""


async def given_rewards(
    session: TenantSession, ctx: Context, page: PageRequest, wanted: WantedRewards
) -> Paged[GivenReward]:
    """Rewards handed out, the latest first.

    Args:
        session: the transaction.
        ctx: who asks; needs `dashboard.view` and, since members are named, `members.view`.
        page: which page.
        wanted: which.
    """
    where = _given(ctx, wanted)
    return await queries.GIVEN.page(session, where, page, lambda row: GivenReward(**row._mapping))


async def all_given_rewards(database: Database, ctx: Context, wanted: WantedRewards) -> AsyncIterator[GivenReward]:
    """All rewards handed out for a file, the latest first; arguments as above."""
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in queries.GIVEN.rows(opened, _given(ctx, wanted)):
        yield GivenReward(**row._mapping)


def _given(ctx: Context, wanted: WantedRewards) -> Mapping[str, Any]:
    require(ctx, "dashboard.view")
    require(ctx, "members.view")
    sought = wanted.sought.strip()
    return {"tenant": ctx.tenant.id, "this_month": wanted.this_month, "zone": wanted.timezone, "sought": sought}


@dataclass(frozen=True, slots=True)
class RedemptionRow:
    """A redemption with whose it is.

    Attributes:
        value_minor: worth in minor units of `currency`, `None` when unknown.
        code: what the member shows, empty without one.
        ship_to: where it is sent, empty when it is not, or no longer.
        number: of the card.
        name, email: of the member; empty or meaningless once erased.
    """

    id: UUID
    card_id: UUID
    reward_kind: str
    reward_key: str
    title: str
    unit: str
    cost: int
    value_minor: int | None
    currency: str
    status: Status
    fulfilment: Delivery
    code: str
    ship_to: str
    created_at: datetime
    expires_at: datetime | None
    captured_at: datetime | None
    number: str
    member_id: UUID
    name: str
    email: str

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return State(self.status, self.fulfilment)

    @property
    def answer(self) -> RedemptionAnswer:
        """What callers are told about it."""
        return redemption_answer(
            redemption_id=self.id,
            card_id=self.card_id,
            reward=(self.reward_kind, self.reward_key),
            title=self.title,
            unit=self.unit,
            cost=self.cost,
            state=self.state,
            code=self.code,
            created_at=self.created_at,
            expires_at=self.expires_at,
            captured_at=self.captured_at,
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which redemptions.

    Attributes:
        sought: a whole code, or a part of the reward's title, of a name or an address; empty for all.
        status, fulfilment: of a state, empty for any.
        card_id: of one card.
    """

    sought: str = ""
    status: Status | Literal[""] = ""
    fulfilment: Delivery = ""
    card_id: UUID | None = None


async def list_redemptions(
    session: TenantSession, ctx: Context, wanted: Wanted, page: PageRequest
) -> Paged[RedemptionRow]:
    """Redemptions, the latest first; a member sees the own ones.

    Args:
        session: the transaction.
        ctx: who asks: the member, or somebody with `rewards.view` or `sales.redeem`.
        wanted: which.
        page: which part of them.
    """
    return await queries.LIST.page(session, _where(ctx, wanted), page, lambda row: RedemptionRow(**row._mapping))


async def all_redemptions(database: Database, ctx: Context, wanted: Wanted) -> AsyncIterator[RedemptionRow]:
    """All redemptions for a file, the latest first; arguments as above."""
    opened = partial(database.tenant, ctx.tenant.id, read_only=True)
    async for row in queries.LIST.rows(opened, _where(ctx, wanted)):
        yield RedemptionRow(**row._mapping)


async def get_redemption(session: TenantSession, ctx: Context, redemption_id: UUID) -> RedemptionRow:
    """One redemption.

    Raises:
        NotFound: the tenant has no such redemption, or a member asks for somebody else's.
    """
    owner = _owner(ctx)
    row = await session.one_or_none(queries.ONE, {"tenant": session.tenant_id, "redemption": redemption_id})
    if row is None or owner not in {None, row.member_id}:
        raise NotFound(_("We could not find this redemption."))
    return RedemptionRow(**row._mapping)


async def card_of_code(session: TenantSession, ctx: Context, code: str) -> UUID | None:
    """The card on which a reward is put aside under a code, `None` when there is none.

    Args:
        session: the transaction.
        ctx: who asks; needs `terminal.use`.
        code: as it was typed or scanned.
    """
    require(ctx, "terminal.use")
    found: UUID | None = await session.scalar(
        queries.BY_CODE, {"tenant": session.tenant_id, "code": code.strip().upper()}
    )
    return found


def _where(ctx: Context, wanted: Wanted) -> Mapping[str, Any]:
    return {
        "tenant": ctx.tenant.id,
        "status": wanted.status,
        "fulfilment": wanted.fulfilment,
        "card": wanted.card_id,
        "member": _owner(ctx),
        "sought": wanted.sought.strip(),
    }


def _owner(ctx: Context) -> UUID | None:
    if ctx.principal.kind == "member":
        return ctx.principal.id
    require(ctx, "rewards.view", "sales.redeem")
    return None
