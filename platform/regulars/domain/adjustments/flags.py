"""What is unusual about giving by hand, for whoever looks through the corrections; nothing of it is forbidden."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from regulars.contracts.errors import Forbidden
from regulars.domain.adjustments import repository
from regulars.domain.ledger.opened import OpenCard
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _

Flag = Literal["own_card", "at_night", "many"]
FLAGS: tuple[Flag, ...] = get_args(Flag)
EVENING, MORNING = 22, 6
"""Hours of the program's zone between which it is night."""
MANY, LATELY = 20, timedelta(hours=1)
"""As many gifts of one person in so much time are many."""


async def flags_of(session: TenantSession, opened: OpenCard, amount: int) -> Sequence[Flag]:
    """What is unusual about a correction that somebody of the staff asks for.

    Args:
        session: the transaction.
        opened: the card, under its lock.
        amount: units to give; taking is never unusual.
    """
    who = opened.ctx.principal
    if amount < 0 or who.kind != "staff" or who.id is None:
        return ()
    hour = opened.now.astimezone(ZoneInfo(opened.rules.program.timezone)).hour
    where = {"tenant": session.tenant_id, "who": who.id}
    earlier = await session.scalar(repository.GIVEN_SINCE, {**where, "since": opened.now - LATELY})
    found = {
        "own_card": await is_own(session, opened.card.id, who.id),
        "at_night": not MORNING <= hour < EVENING,
        "many": earlier + 1 >= MANY,
    }
    return [flag for flag in FLAGS if found[flag]]


async def is_own(session: TenantSession, card_id: UUID, staff_id: UUID | None) -> bool:
    """Whether a card is that of somebody of the staff."""
    where = {"tenant": session.tenant_id, "card": card_id, "who": staff_id}
    found: bool = await session.scalar(repository.IS_OWN, where)
    return found


async def refuse_own(session: TenantSession, card_id: UUID, staff_id: UUID | None) -> None:
    """Keep people from agreeing to what is given to themselves.

    Raises:
        Forbidden: it is their own card.
    """
    if await is_own(session, card_id, staff_id):
        raise Forbidden(_("This is your own card: another person has to decide this."))
