"""What happened in the demo lately: refunds, rewards on their way, friends, and a change that is planned."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from json import loads
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.cli.demo.record import Recorder
from regulars.cli.demo.repository import LATELY, NOW, RICH, program_id
from regulars.contracts.ledger import Purchase
from regulars.domain.cards.enrolment import EnrolCommand, Enrolments
from regulars.domain.ledger.commands import Attempt, CardRef, Claim
from regulars.domain.programs import changes
from regulars.domain.redemptions.life import Move
from regulars.domain.redemptions.service import MoveCommand, RedeemCommand, Redemptions
from regulars.domain.refunds.parts import ALL_THAT_IS_LEFT, Part
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.kernel import ids
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

AGO = timedelta(hours=30)
"""Within the time whose events are left to the worker."""
LONG_AGO = timedelta(days=9)
"""Longer than a reward of the catalogue is put aside."""
LIVES: tuple[tuple[str, tuple[Move, ...]], ...] = (
    ("coffee", ()),
    ("coffee", ("capture",)),
    ("coffee", ("release",)),
    ("bag", ()),
    ("bag", ("ship",)),
    ("bag", ("ship", "deliver")),
    ("bag", ("cancel",)),
    ("coffee", ()),
)
"""Reward of the catalogue, and what became of it."""
REASONS = ("Returned unopened", "Wrong article", "Too much was rung up")
FRIENDS = (("Nora Friend", "nora.friend@example.com", 0), ("Emil Friend", "emil.friend@example.com", 2400))
"""Name, e-mail, first purchase in cents."""


async def lately(
    database: Database, registry: PluginRegistry, settings: SettingsStore, recorder: Recorder, until: datetime
) -> None:
    """Record what makes every page worth a look, for the merchant whose customers collect points.

    Args:
        database, registry, settings: of the installation.
        recorder: with its history recorded.
        until: when the history ends.
    """
    if recorder.prizes[0].unit != "points":
        return
    async with recorder.session() as session:
        await _refunds(session, recorder, until)
        await _forgotten(session, recorder, until)
        await _rewards(session, recorder, until)
        await _friends(session, recorder, until)
    async with database.tenant(recorder.ctx.tenant.id) as session:
        await _planned(session, registry, settings, recorder)


async def _refunds(session: TenantSession, recorder: Recorder, until: datetime) -> None:
    rows = await session.rows(LATELY, {"tenant_id": session.tenant_id, "since": until - AGO, "size": 2 * len(REASONS)})
    for number, sale in enumerate(rows):
        part = Part(amount_minor=sale.amount_minor // 2) if number % 2 and sale.amount_minor > 1 else ALL_THAT_IS_LEFT
        await recorder.move_clock(session, sale.created_at + timedelta(hours=1))
        claim = Claim("demo", f"demo-refund-{number}", b"")
        command = RefundCommand(claim, sale.id, part=part, reason=REASONS[number % len(REASONS)])
        await Refunds(recorder.ledger).refund(session, recorder.at_desk, command)


async def _forgotten(session: TenantSession, recorder: Recorder, until: datetime) -> None:
    """Somebody had a reward put aside and never came for it."""
    (card,) = await _rich(session, recorder, until - LONG_AGO, 1)
    await recorder.move_clock(session, until - LONG_AGO)
    redemption_id = await _begin(session, recorder, card, "coffee")
    await recorder.move_clock(session, until - AGO)
    command = MoveCommand(_attempt(card, f"expire-{redemption_id}"), redemption_id, "expire")
    await Redemptions(recorder.ledger).move(session, recorder.at_desk, command)


async def _rewards(session: TenantSession, recorder: Recorder, until: datetime) -> None:
    at = until - AGO
    cards = await _rich(session, recorder, at, len(LIVES))
    for card, (key, moves) in zip(cards, LIVES, strict=False):
        await recorder.move_clock(session, at)
        redemption_id = await _begin(session, recorder, card, key)
        for number, move in enumerate(moves, 1):
            await recorder.move_clock(session, at + timedelta(hours=number))
            attempt = _attempt(card, f"{move}-{redemption_id}")
            await Redemptions(recorder.ledger).move(
                session, recorder.at_desk, MoveCommand(attempt, redemption_id, move)
            )


async def _begin(session: TenantSession, recorder: Recorder, card: Row[Any], key: str) -> UUID:
    command = RedeemCommand(
        _attempt(card, f"reward-{card.number}"),
        "points",
        f"rewards.catalogue/{key}",
        hold=key == "coffee",
        ship_to="12, rue de la Gare\n7535 Mersch" if key == "bag" else "",
        wants_redemption=True,
    )
    answer = await Redemptions(recorder.ledger).redeem(session, recorder.at_desk, command)
    assert not answer.refused, answer.body
    found = ids.read(ids.REDEMPTION, loads(answer.body)["id"])
    assert found is not None
    return found


async def _friends(session: TenantSession, recorder: Recorder, until: datetime) -> None:
    """Two people came by a member's link, and one of them has bought."""
    (member,) = await _rich(session, recorder, until, 1)
    code = base64.b32encode(member.id.bytes).decode().rstrip("=").lower()  # as the link on the member's page has it
    for name, email, amount in FRIENDS:
        await recorder.move_clock(session, until - AGO)
        command = EnrolCommand(email, name=name, terms=True, locale="fr", referral=code)
        enrolled = await Enrolments(recorder.ledger).enrol(session, recorder.at_home, command)
        if amount:
            await recorder.move_clock(session, until - AGO / 2)
            helper = recorder.staff[0]
            claim = Claim("demo", f"demo-friend-{email}", b"")
            attempt = Attempt(claim, CardRef("id", enrolled.card_id), helper.id, helper.pin, recorder.shops[0])
            sale = SaleCommand(attempt, "points", Purchase(1, amount, "EUR"))
            await Sales(recorder.ledger).record(session, recorder.at_desk, sale)


async def _planned(
    session: TenantSession, registry: PluginRegistry, settings: SettingsStore, recorder: Recorder
) -> None:
    """Birthdays will be worth more in three weeks."""
    now = await session.scalar(NOW)
    await changes.plan(
        session,
        recorder.ctx,
        registry,
        settings,
        await program_id(session),
        {"points": {"birthday_points": 100}},
        note="From next month your birthday is worth 100 points.",
        effective_from=now + timedelta(days=21),
        announce_days=14,
    )


async def _rich(session: TenantSession, recorder: Recorder, before: datetime, size: int) -> Sequence[Row[Any]]:
    where = {"tenant_id": session.tenant_id, "unit": "points", "least": 500, "before": before, "size": size}
    return await session.rows(RICH, where)


def _attempt(card: Row[Any], key: str) -> Attempt:
    return Attempt(Claim("demo", f"demo-{key}", b""), CardRef("id", card.id))
