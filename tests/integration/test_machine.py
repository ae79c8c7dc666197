"""Random histories of two merchants through the real services, beside a plain oracle that shares no code with them.

Points with carry, tiers, promotions, stamps and rewards at once; sales, refunds, rewards put aside, expiry,
corrections, transfers, tiers by hand, pauses and other rules; some of it at the same moment. After each history all
rows agree with the oracle, every rule of the ledger holds, and each sale's evaluation gives the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import permutations
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection, connect
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain_shop import ALL_RULES, FIXED_SETTINGS, PlainMember, Told, transfer
from shop_machine import Machine, Op, Shop, basket, correction, part_of, pick, told_of

from regulars.contracts.context import Context, ProgramInfo
from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Purchase
from regulars.domain.adjustments.service import AdjustCommand, Adjustments
from regulars.domain.expiry.service import Expiry
from regulars.domain.ledger.commands import Attempt, CardRef, Claim
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.invariants import INVARIANTS
from regulars.domain.programs import pauses
from regulars.domain.redemptions.service import MoveCommand, RedeemCommand, Redemptions
from regulars.domain.refunds.parts import Part
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.domain.transfers.service import TransferCommand, Transfers
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.embedded import Urls
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.testing.clock import SHIFT
from regulars.testing.till import content
from regulars_tiers import review
from regulars_tiers.settings import TierSettings

PARTS, HISTORIES, LONGEST = 2, 255, 9
"""Parts run side by side; each has so many histories of at most so many steps."""
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
ALL_BREACHES = " UNION ALL ".join(f"SELECT '{one.name}', x::text FROM ({one.query}) AS q(x)" for one in INVARIANTS)
ENTRIES = """SELECT card_id, unit, kind, amount::int, balance_after::int, lifetime_after::int FROM core.ledger_entry
             WHERE card_id = ANY($1) ORDER BY card_id, unit, seq"""
LOTS = """SELECT l.card_id, l.unit, l.amount::int, l.amount_left::int, l.expires_at FROM core.ledger_lot l
          JOIN core.ledger_entry e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
          WHERE l.card_id = ANY($1) ORDER BY l.card_id, l.unit, e.seq, l.id"""
TIERS = "SELECT card_id, tier FROM plg_tiers.member_tier WHERE card_id = ANY($1)"
SALES = "SELECT id FROM core.sale WHERE card_id = ANY($1)"
CARRIED = "SELECT card_id, parts FROM plg_points.carry WHERE card_id = ANY($1)"


class History:
    """One history: four cards, two of each merchant, in the product and in the oracle."""

    def __init__(self, machine: Machine, shops: list[Shop], sql: Connection) -> None:
        self.machine, self.shops, self.sql = machine, shops, sql
        self.cards = [shop.cards.pop() for shop in shops for _ in range(2)]
        self.plain = [PlainMember() for _ in self.cards]
        self.redemption_ids: dict[str, UUID] = {}
        self.now = NOON

    def shop(self, who: int) -> Shop:
        return self.shops[who // 2]

    async def step(self, what: int, who: int, size: int) -> None:
        """One step; where the last bit of `who` says so, up to three things happen at once."""
        self.now += timedelta(microseconds=1)
        kind = KINDS[what % len(KINDS)]
        who_does = WHO[who % len(WHO)]
        if kind in ALONE:
            await ALONE[kind](self, who_does, size)
            return
        ops = [self._op(kind, who_does, size)]
        if who >= 128:
            ops += [self._op(KINDS[(what // 16 + more) % len(KINDS)], who_does, size // more) for more in (1, 2)]
        ops = [op for op in ops if op is not None and op.kind not in ALONE]
        told = await asyncio.gather(*(self._do(op) for op in ops))
        self._agree(ops, told, await self._stored() if len(ops) > 1 else None)

    def _op(self, kind: str, who: int, size: int) -> Op:
        op = Op(kind, who, size)
        if kind == "refund":
            op.about = pick(list(self.plain[who].sales), size)
        elif kind in {"capture", "release", "lapse"}:
            op.about = pick(list(self.plain[who].redemptions), size)
        return op

    def _agree(self, ops: list[Op], told: list[Told], stored: list[Any] | None) -> None:
        """Some order of what happened at once explains all answers, and what is stored."""
        expected = []
        for order in permutations(range(len(ops))):
            plain = deepcopy(self.plain)
            answers: dict[int, Told] = {number: self._expect(plain, ops[number]) for number in order}
            agrees = [answers[number] for number in range(len(ops))] == told
            if agrees and stored in (None, self._expected(plain)):
                self.plain = plain
                return
            expected.append([answers[number] for number in range(len(ops))])
        assert told in expected, f"{ops}\n{told}\n{expected}"
        assert stored is None, f"{ops}\n{told}\n{stored}"

    async def _stored(self) -> list[Any]:
        """Entries, tiers and parts of points of the four cards."""
        tiers, carried = [dict(await self.sql.fetch(query, self.cards)) for query in (TIERS, CARRIED)]
        entries = [tuple(row) for row in await self.sql.fetch(ENTRIES, self.cards)]
        return [entries, *((card, tiers.get(card, ""), carried.get(card, 0)) for card in sorted(self.cards))]

    def _expected(self, plain: list[PlainMember]) -> list[Any]:
        """The same of the oracle."""
        members = sorted(zip(self.cards, plain, strict=True), key=itemgetter(0))
        entries = [
            (card, unit, entry.kind, entry.amount, entry.balance, entry.lifetime)
            for card, member in members
            for unit, account in sorted(member.accounts.items())
            for entry in account.entries
        ]
        return [entries, *((card, member.tier, member.carried * 10**8) for card, member in members)]

    async def _do(self, op: Op) -> Told:
        """What the product says."""
        if op.kind in NEEDS_SOMETHING and not op.about:
            return ()
        shop = self.shop(op.who)
        claim, context = Claim("test", op.name, op.name.encode()), shop.world.context()
        attempt = Attempt(claim, CardRef("id", self.cards[op.who]), shop.world.anna.id, shop.world.anna.pin)
        try:
            async with self.machine.database.tenant(shop.world.tenant.id) as session:
                return await DO[op.kind](self, session, context, attempt, op)
        except InvalidInput as error:
            return 422, *error.fields

    def _expect(self, plain: list[PlainMember], op: Op) -> Told:
        """What the oracle says."""
        if op.kind in NEEDS_SOMETHING and not op.about:
            return ()
        shop, member = self.shop(op.who), plain[op.who]
        if op.kind == "sale":
            if shop.pause is not None:
                return 409, "program.paused"
            return member.sell(shop.rules, self.now, op.name, *basket(op.size))
        if op.kind == "refund":
            return member.refund(shop.rules, op.about, part_of(op.size, member.sales[op.about].amount))
        if op.kind in ("mug", "ticket", "coffee"):
            return member.redeem(self.now, op.name, op.kind)
        if op.kind == "adjust":
            return member.adjust(shop.rules, self.now, correction(op.size))
        if op.kind == "transfer":
            if shop.pause is not None and member.points.balance >= 1 + op.size % 30:
                return 409, "program.paused"
            return transfer(member, plain[op.who ^ 1], 1 + op.size % 30)
        return member.move(self.now, op.about, MOVES[op.kind], shop.pause and shop.pause[1])

    async def _sale(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        amount, quantity = basket(op.size)
        purchase = Purchase(quantity, amount, "EUR")
        answer = await Sales(self.machine.ledger).record(
            session, ctx, SaleCommand(attempt, "points", purchase, op.name)
        )
        return told_of(answer, "points_earned", "points_balance")

    async def _refund(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        part = Part(part_of(op.size, self.plain[op.who].sales[op.about].amount))
        command = RefundCommand(attempt.claim, sale_ref=op.about, part=part)
        answer = await Refunds(self.machine.ledger).refund(session, ctx, command)
        if not answer.refused:  # as the job does that hears of it
            await review.recheck(session, *self._tiers(self.shop(op.who)), self.cards[op.who])
        return told_of(answer, "taken", "let_go")

    async def _redeem(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        reward = "stamps.full_card" if op.kind == "coffee" else f"rewards.catalogue/{op.kind}"
        command = RedeemCommand(attempt, None, reward, hold=op.kind == "ticket", wants_redemption=True)
        answer = await Redemptions(self.machine.ledger).redeem(session, ctx, command)
        if not answer.refused:
            redemption_id = ids.read(ids.REDEMPTION, content(answer)["id"])
            assert redemption_id is not None
            self.redemption_ids[op.name] = redemption_id
        return told_of(answer, "status")

    async def _move(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        command = MoveCommand(attempt, self.redemption_ids[op.about], MOVES[op.kind], is_online=True)
        return told_of(await Redemptions(self.machine.ledger).move(session, ctx, command), "status")

    async def _adjust(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        command = AdjustCommand(attempt.claim, attempt.card, "points", correction(op.size), "because")
        return told_of(await Adjustments(self.machine.ledger).adjust(session, ctx, command), "status")

    async def _transfer(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        target = CardRef("id", self.cards[op.who ^ 1])
        command = TransferCommand(attempt.claim, attempt.card, target, "points", 1 + op.size % 30, "family")
        answer = await Transfers(self.machine.ledger).transfer(session, ctx, command)
        return told_of(answer, "from_balance", "to_balance")

    async def wait(self, who: int, size: int) -> None:
        """Days go by, and the night's job comes; it leaves programs alone that pause."""
        by = timedelta(days=1 + size % 12)
        self.now += by
        await self.sql.execute(str(SHIFT).replace(":by", "$1"), by)
        until = self.now - timedelta(hours=11)
        for number, card_id in enumerate(self.cards):
            shop = self.shop(number)
            if shop.pause is None:
                async with self.machine.database.tenant(shop.world.tenant.id) as session:
                    service = Expiry(self.machine.ledger, timedelta(days=1))
                    written = await service.expire(session, shop.world.context(), card_id, until)
                assert (written,) == self.plain[number].expire(until)

    async def change_rules(self, who: int, size: int) -> None:
        await self.machine.set_rules(self.shop(who), ALL_RULES[size % len(ALL_RULES)])

    async def by_hand(self, who: int, size: int) -> None:
        """A tier given, or taken back again."""
        tier = ("", "silver", "gold")[size % 3]
        shop = self.shop(who)
        async with self.machine.database.tenant(shop.world.tenant.id) as session:
            await review.give(session, *self._tiers(shop), self.cards[who], tier)
        self.plain[who].grant(tier)

    async def pause(self, who: int, size: int) -> None:
        """Begin or end one."""
        shop = self.shop(who)
        if shop.pause is not None:
            await self.go_on(shop)
            return
        async with self.machine.database.tenant(shop.world.tenant.id) as session:
            values: dict[str, Any] = {"until": None, "redeems": True, "tells_members": False, "note": ""}
            await pauses.begin(session, shop.world.context(), shop.world.program_id, **values)
            found = await pauses.current(session, shop.world.program_id)
        assert found is not None
        shop.pause = (found.id, self.now)

    async def go_on(self, shop: Shop) -> None:
        """End a pause, and move the dates on as its job does."""
        assert shop.pause is not None
        pause_id, began = shop.pause
        async with self.machine.database.tenant(shop.world.tenant.id) as session:
            await pauses.end(session, shop.world.context(), shop.world.program_id)
            await pauses.shift_dates(session, pause_id)
        for number, member in enumerate(self.plain):
            if self.shop(number) is shop:
                member.shift(began, self.now)
        shop.pause = None

    def _tiers(self, shop: Shop) -> tuple[ProgramInfo, TierSettings]:
        program = ProgramInfo(shop.world.program_id, "Card", "hybrid", "active", "Europe/Luxembourg", "EUR")
        return program, TierSettings.model_validate(FIXED_SETTINGS["tiers"])

    async def check(self, as_app: Connection) -> None:
        """Entries, lots, tiers and what is carried over are the oracle's; every rule holds; sales replay the same."""
        for shop in self.shops:
            if shop.pause is not None:
                self.now += timedelta(microseconds=1)
                await self.go_on(shop)
        plain = dict(zip(self.cards, self.plain, strict=True))
        cards = sorted(self.cards)
        assert await self._stored() == self._expected(self.plain)
        wanted = [
            (card, unit, lot.amount, lot.left, lot.expires)
            for card in cards
            for unit, account in sorted(plain[card].accounts.items())
            for lot in account.lots
        ]
        found = [tuple(row) for row in await self.sql.fetch(LOTS, cards)]
        assert [row[:4] for row in found] == [row[:4] for row in wanted]
        assert [row[4] and row[4].date() for row in found] == [
            row[4] and row[4].astimezone(UTC).date() for row in wanted
        ]
        for shop in self.shops:
            async with as_app.transaction():
                await as_app.execute("SELECT set_config('app.tenant_id', $1, true)", str(shop.world.tenant.id))
                assert [tuple(row) for row in await as_app.fetch(ALL_BREACHES)] == []
                sales = [row["id"] for row in await as_app.fetch(SALES, cards)]
            async with self.machine.database.tenant(shop.world.tenant.id) as session:
                for sale_id in sales:
                    replayed = await self.machine.replays.replay(session, shop.world.tenant, sale_id)
                    assert replayed is not None
                    assert replayed.outcome == "same", replayed


WHO = (0, 0, 0, 0, 0, 1, 2, 3)
KINDS = (
    "sale",
    "mug",
    "refund",
    "sale",
    "ticket",
    "refund",
    "release",
    "wait",
    "adjust",
    "capture",
    "coffee",
    "transfer",
    "rules",
    "tier",
    "pause",
    "lapse",
)
NEEDS_SOMETHING = frozenset({"refund", "capture", "release", "lapse"})
MOVES: dict[str, Any] = {"capture": "capture", "release": "release", "lapse": "expire"}
ALONE: dict[str, Callable[[History, int, int], Awaitable[None]]] = {
    "wait": History.wait,
    "rules": History.change_rules,
    "tier": History.by_hand,
    "pause": History.pause,
}
DO: dict[str, Callable[..., Awaitable[Told]]] = {
    "sale": History._sale,
    "refund": History._refund,
    "mug": History._redeem,
    "ticket": History._redeem,
    "coffee": History._redeem,
    "adjust": History._adjust,
    "transfer": History._transfer,
    **dict.fromkeys(MOVES, History._move),
}


@pytest.fixture
async def as_app(database_urls: Urls) -> Any:
    """A connection of the role that is bound to a tenant."""
    connection = await connect(database_urls.app.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest.fixture
async def machine(
    config: Config,
    registry: PluginRegistry,
    database: Database,
    ledger: Ledger,
    healthy: Callable[[], Awaitable[None]],
) -> AsyncIterator[Machine]:
    """The services; in the end all rules are asked of all tenants at once."""
    yield Machine(config, registry, database, ledger)
    await healthy()


@pytest.mark.parametrize("part", range(PARTS))
@settings(
    phases=(Phase.generate,),
    max_examples=HISTORIES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(history=st.binary(min_size=3, max_size=3 * LONGEST))
async def test_the_services_and_the_oracle_agree(
    part: int, history: bytes, machine: Machine, sql: Connection, as_app: Connection
) -> None:
    await sql.execute("UPDATE core.clock SET shift = $1 - now() WHERE backend = 0", NOON)
    one = History(machine, await machine.fresh(sql), sql)
    for what, who, size in _steps(history):
        await one.step(what, who, size)
    await one.check(as_app)


def _steps(history: bytes) -> Iterator[tuple[int, int, int]]:
    return ((history[at], history[at + 1], history[at + 2]) for at in range(0, len(history) - 2, 3))
