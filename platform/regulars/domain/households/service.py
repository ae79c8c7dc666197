"""Households: asking somebody in, joining, leaving. Each keeps their own card; what is on them can be spent together.

Nothing moves when somebody joins or leaves: whoever leaves takes along what their card has and nobody has spent.
All cards of a household are locked in the order of their ids, here and when something is spent together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import choice
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, Forbidden, InvalidInput, NotFound
from regulars.contracts.events import HouseholdJoined, HouseholdLeft
from regulars.domain.audit import service as audit
from regulars.domain.households import lists, repository
from regulars.domain.households.views import HouseholdView, Invitation
from regulars.domain.ledger.fellows import HOUSEHOLDS
from regulars.domain.ledger.topics import card_topic
from regulars.domain.staff.permissions import require
from regulars.domain.tenants.limits import require_feature
from regulars.kernel import ids
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.events.publish import publish
from regulars.kernel.i18n import gettext as _

SIZES = range(2, 21)
DEFAULT_SIZE = 6
INVITATION_DAYS = 7
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that are read as one another."""
CODE_LENGTH = 8
MANAGE = "members.manage"


async def invite(session: TenantSession, ctx: Context, card_id: UUID) -> Invitation:
    """Make a code with which one other member can join; the first one founds the household.

    Args:
        session: the transaction.
        ctx: whose card it is, or somebody with `members.manage`.
        card_id: of the household's head.

    Raises:
        Forbidden: it is somebody else's card, or the offering has no households.
        Conflict: the card cannot be in a household, is not the head's, or there is no room.
    """
    card = await _card(session, ctx, card_id)
    household = await _of_head(session, ctx, card)
    if len(household.sharers) + len(household.invitations) >= household.most:
        raise Conflict(_("There is no room for more in this household."))
    code = "".join(choice(CODE_LETTERS) for _place in range(CODE_LENGTH))
    made = Invitation(new_id(), code, await _now(session) + timedelta(days=INVITATION_DAYS))
    await session.execute(
        repository.INVITE,
        {
            "tenant_id": session.tenant_id,
            "id": made.id,
            "household_id": household.id,
            "code": code,
            "expires_at": made.expires_at,
        },
    )
    await audit.record(session, ctx, "household.invited", "household", household.id, _of(card_id))
    return made


async def invitation(session: TenantSession, ctx: Context, code: str) -> HouseholdView:
    """The household that a code asks into.

    Args:
        session: the transaction.
        ctx: a signed-in member, or somebody who may see cards.
        code: as it was typed.

    Raises:
        NotFound: the code is wrong, used, or too old.
    """
    where = {"tenant": session.tenant_id, "code": clean_code(code)}
    row = await session.one_or_none(repository.INVITATION, where)
    if row is None:
        raise NotFound(_("This code does not work, or not any more. Ask for a new one."))
    return await lists.read(session, row.household_id)


async def accept(session: TenantSession, ctx: Context, card_id: UUID, code: str) -> UUID:
    """Join the household that has asked.

    Returns:
        The household's id.

    Raises:
        NotFound: the code is wrong, used, or too old.
        Forbidden: it is somebody else's card, or the offering has no households.
        Conflict: the card cannot join; the sentence says why.
    """
    await _card(session, ctx, card_id)
    household = await invitation(session, ctx, code)
    await _join(session, ctx, household.id, card_id)
    where = {"tenant": session.tenant_id, "household": household.id, "settled": clean_code(code)}
    settled = await session.rows(repository.SETTLE, {**where, "new_status": "accepted"})
    if not settled:
        raise Conflict(_("This code does not work, or not any more. Ask for a new one."))
    return household.id


async def withdraw(session: TenantSession, ctx: Context, card_id: UUID, code: str) -> None:
    """Take an invitation back; arguments and errors as for `invite`."""
    card = await _card(session, ctx, card_id)
    household = await _of_head(session, ctx, card)
    where = {"tenant": session.tenant_id, "household": household.id, "settled": clean_code(code)}
    if await session.rows(repository.SETTLE, {**where, "new_status": "withdrawn"}):
        await audit.record(session, ctx, "household.invitation_withdrawn", "household", household.id, _of(card_id))


async def add(session: TenantSession, ctx: Context, card_id: UUID, other_id: UUID) -> UUID:
    """Put a card into the household of another one, which is founded where there is none; nothing when it is in there.

    Args:
        session: the transaction.
        ctx: who acts; needs `members.manage`.
        card_id: in a household, or to become the head of a new one.
        other_id: that joins.

    Returns:
        The household's id.

    Raises:
        FeatureNotInOffering: there are no households.
        Conflict: the card cannot join; the sentence says why.
    """
    require(ctx, MANAGE)
    card = await _card(session, ctx, card_id)
    if card_id == other_id:
        sentence = _("Choose two different cards.")
        raise InvalidInput(sentence, fields={"card": sentence})
    household_id: UUID = card.household_id or await _found(session, ctx, card)
    if other_id not in await _lock(session, household_id, other_id):
        await _join(session, ctx, household_id, other_id)
    return household_id


async def leave(session: TenantSession, ctx: Context, household_id: UUID, card_id: UUID) -> None:
    """Take a card out of its household; what is on it goes with it. The one who is in it longest becomes the next head.

    Args:
        session: the transaction.
        ctx: whose card it is, the household's head, or somebody with `members.manage`.
        household_id, card_id: which card of which household.

    Raises:
        Forbidden: somebody else.
        NotFound: the card is not in this household.
    """
    await _lock(session, household_id, card_id)
    household = await lists.get(session, ctx, household_id)
    sharer = household.sharer(card_id)
    if sharer is None:
        raise NotFound(_("This card is not in this household any more."))
    own = ctx.principal.kind == "member"
    if own and ctx.principal.id not in {sharer.member_id, household.head.member_id if household.head else None}:
        raise Forbidden(_("Only whoever asks others in can take somebody out."))
    if not own:
        require(ctx, MANAGE)
    where = {"tenant": session.tenant_id, "household": household_id}
    await session.execute(repository.LEAVE, {**where, "card": card_id})
    await session.execute(repository.SET_HOUSEHOLD, {**where, "card": card_id, "new_household": None})
    rest = [one.card_id for one in household.sharers if one.card_id != card_id]
    if not rest:
        await session.rows(repository.SETTLE, {**where, "settled": "", "new_status": "withdrawn"})
        await session.execute(repository.END, where)
    elif household.head_id == card_id:
        await session.execute(repository.SET_HEAD, {**where, "card": rest[0]})
    await audit.record(session, ctx, "household.left", "household", household_id, _of(card_id))
    event = HouseholdLeft(household_id=household_id, card_id=card_id, member_id=sharer.member_id)
    await publish(session, event, order_key=card_id)
    session.announce(*(card_topic(one.card_id) for one in household.sharers))


async def set_size(session: TenantSession, ctx: Context, program_id: UUID, size: int) -> None:
    """Say how many cards of a program may share; 0 switches it off, and each card is for itself until it is on again.

    Raises:
        InvalidInput: no such number.
        FeatureNotInOffering: the offering has no households.
        NotFound: there is no such program.
    """
    require(ctx, "programs.manage")
    await require_feature(session, ctx, HOUSEHOLDS)
    if size and size not in SIZES:
        sentence = _("Enter a number from %(least)s to %(most)s.", least=SIZES[0], most=SIZES[-1])
        raise InvalidInput(sentence, fields={"household_size": sentence})
    where = {"tenant": session.tenant_id, "program": program_id, "new_size": size}
    if (await session.execute(repository.SET_SIZE, where)).rowcount != 1:
        raise NotFound(_("We could not find this program."))
    await audit.record(session, ctx, "program.households_set", "program", program_id, {"household_size": size})


def clean_code(text: str) -> str:
    """A code without what people put between its letters."""
    return "".join(letter for letter in text.upper() if letter.isalnum())[:40]


async def _card(session: TenantSession, ctx: Context, card_id: UUID) -> Row[Any]:
    """A card that may act: its owner does, or somebody with `members.manage`."""
    await require_feature(session, ctx, HOUSEHOLDS)
    row = await session.one_or_none(repository.CARD, {"tenant": session.tenant_id, "card": card_id})
    owner = ctx.principal.id if ctx.principal.kind == "member" else None
    if row is None or (owner is not None and row.member_id != owner):
        raise NotFound(_("We could not find this card."))
    if owner is None:
        require(ctx, MANAGE)
    if row.household_size == 0:
        raise Conflict(_("This program has no households."))
    return row


async def _of_head(session: TenantSession, ctx: Context, card: Row[Any]) -> HouseholdView:
    """The household of which a card is the head; founded where the card is in none."""
    household_id = card.household_id or await _found(session, ctx, card)
    await _lock(session, household_id, card.id)
    household = await lists.read(session, household_id)
    if household.head_id != card.id:
        who = household.head.shown if household.head else ""
        raise Conflict(_("Only %(name)s can ask others in.", name=who))
    return household


async def _found(session: TenantSession, ctx: Context, card: Row[Any]) -> UUID:
    household_id = new_id()
    row = {"id": household_id, "program_id": card.program_id, "head_id": card.id}
    await session.execute(repository.FOUND, {"tenant_id": session.tenant_id, **row})
    await _join(session, ctx, household_id, card.id)
    return household_id


async def _join(session: TenantSession, ctx: Context, household_id: UUID, card_id: UUID) -> None:
    inside = await _lock(session, household_id, card_id)
    household = await lists.read(session, household_id)
    card = await session.one_or_none(repository.CARD, {"tenant": session.tenant_id, "card": card_id})
    if card is None:
        raise NotFound(_("We could not find this card."))
    if card.household_id is not None:
        raise Conflict(_("This card shares with a household already. It has to leave that one first."))
    if card.program_id != household.program_id:
        raise Conflict(_("These cards belong to different programs."))
    if card.status != "active" or card.merged_into is not None:
        raise Conflict(_("This card is not active. Please ask the team."))
    if household.ended_at is not None or len(inside) >= household.most:
        raise Conflict(_("There is no room for more in this household."))
    where = {"tenant": session.tenant_id, "card": card_id}
    row = {"tenant_id": session.tenant_id, "id": new_id(), "household_id": household_id, "card_id": card_id}
    await session.execute(repository.JOIN, row)
    await session.execute(repository.SET_HOUSEHOLD, {**where, "new_household": household_id})
    await audit.record(session, ctx, "household.joined", "household", household_id, _of(card_id))
    event = HouseholdJoined(household_id=household_id, card_id=card_id, member_id=card.member_id)
    await publish(session, event, order_key=card_id)
    session.announce(*(card_topic(one) for one in (*inside, card_id)))


async def _lock(session: TenantSession, household_id: UUID, card_id: UUID) -> Sequence[UUID]:
    """Lock the household's cards and another one in their order, and say which are in the household."""
    where = {"tenant": session.tenant_id, "household": household_id, "card": card_id}
    return [row.id for row in await session.rows(repository.LOCK_WITH, where) if row.household_id == household_id]


async def _now(session: TenantSession) -> datetime:
    moment: datetime = await session.scalar(repository.CLOCK)
    return moment


def _of(card_id: UUID) -> dict[str, str]:
    return {"card": ids.show(ids.CARD, card_id)}
