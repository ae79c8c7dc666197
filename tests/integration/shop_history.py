"""One random history of two merchants, in the product and in the plain shop beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import permutations
from operator import itemgetter
from typing import Any
from uuid import UUID

import plain_merge
from asyncpg import Connection
from plain_rules import ALL_RULES, FIXED_SETTINGS, Told
from plain_scenes import EXPECT, KINDS, MOVES, NEEDS_SOMETHING, WHO, Scene
from plain_shop import PlainMember
from shop_machine import (
    CARRIED,
    ENTRIES,
    GAVE,
    LOTS,
    SALES,
    TIERS,
    Machine,
    Op,
    Shop,
    basket,
    correction,
    counted,
    part_of,
    pick,
    told_of,
)

from regulars.contracts.context import Context, ProgramInfo
from regulars.contracts.errors import InvalidInput
from regulars.contracts.ledger import Purchase
from regulars.domain.adjustments.service import AdjustCommand, Adjustments
from regulars.domain.bills.service import BillCommand, Bills
from regulars.domain.bills.shares import Wanted
from regulars.domain.expiry.service import Expiry
from regulars.domain.ledger.commands import Attempt, CardRef, Claim
from regulars.domain.ledger.invariants import INVARIANTS
from regulars.domain.merges.service import MergeCommand, Merges
from regulars.domain.programs import pauses
from regulars.domain.redemptions.service import MoveCommand, RedeemCommand, Redemptions
from regulars.domain.refunds.parts import Part
from regulars.domain.refunds.service import RefundCommand, Refunds
from regulars.domain.sales.service import SaleCommand, Sales
from regulars.domain.transfers.service import TransferCommand, Transfers
from regulars.kernel import ids
from regulars.kernel.db.database import TenantSession
from regulars.testing.clock import SHIFT
from regulars.testing.till import content
from regulars_tiers import review
from regulars_tiers.settings import TierSettings

FULL_CARDS = {"coffee": "stamps.full_card", "lunch": "stamps.full_card/lunch"}
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
ALL_BREACHES = " UNION ALL ".join(f"SELECT '{one.name}', x::text FROM ({one.query}) AS q(x)" for one in INVARIANTS)


class History:
    """One history: four cards, two of each merchant, in the product and in the oracle."""

    def __init__(self, machine: Machine, shops: list[Shop], sql: Connection) -> None:
        self.machine, self.shops, self.sql = machine, shops, sql
        owned = [shop.cards.pop() for shop in shops for _ in range(2)]
        self.cards, self.members = [card for card, _ in owned], [member for _, member in owned]
        self.merges: dict[int, UUID] = {}
        self.sale_ids: dict[str, UUID] = {}
        self.plain = [PlainMember() for _ in self.cards]
        self.redemption_ids: dict[str, UUID] = {}
        self.now = NOON

    def shop(self, who: int) -> Shop:
        return self.shops[who // 2]

    def root(self, who: int) -> int:
        """The card that stands for one."""
        return who ^ 1 if who in self.merges else who

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
        expected, first = [], ops[0].who & ~1
        for order in permutations(range(len(ops))):
            plain = [*self.plain]
            if len(ops) > 1:  # all of them are about the two cards of one merchant
                plain[first : first + 2] = deepcopy(plain[first : first + 2])
            answers: dict[int, Told] = {number: self._expect(plain, ops[number]) for number in order}
            agrees = [answers[number] for number in range(len(ops))] == told
            if agrees and stored in (None, self._expected(plain)):
                self.plain = plain
                return
            expected.append([answers[number] for number in range(len(ops))])
        assert told in expected, f"{ops}\n{told}\n{expected}"
        assert stored is None, f"{ops}\n{told}\n{stored}"

    async def _stored(self) -> list[Any]:
        """Entries, what each sale gave, tiers and parts of points of the four cards."""
        tiers, carried = [dict(await self.sql.fetch(query, self.cards)) for query in (TIERS, CARRIED)]
        entries = [tuple(row) for row in await self.sql.fetch(ENTRIES, self.cards)]
        names = {sale_id: name for name, sale_id in self.sale_ids.items()}
        rows = await self.sql.fetch(GAVE, self.cards)
        gave = sorted((names.get(row["id"], row["external_ref"]), row["unit"], row["amount"]) for row in rows)
        return [entries, gave, *((card, tiers.get(card, ""), carried.get(card, 0)) for card in sorted(self.cards))]

    def _expected(self, plain: list[PlainMember]) -> list[Any]:
        """The same of the oracle."""
        members = sorted(zip(self.cards, plain, strict=True), key=itemgetter(0))
        entries = [
            (card, unit, entry.kind, entry.amount, entry.balance, entry.lifetime)
            for card, member in members
            for unit, account in sorted(member.accounts.items())
            for entry in account.entries
        ]
        given = Counter[tuple[str, str]]()
        for _card, member in members:
            for name, sale in member.sales.items():
                for _plugin, unit, _rule, units in sale.result:
                    given[name, unit] += units
        gave = sorted((*named, units) for named, units in given.items())
        return [entries, gave, *((card, member.tier, member.carried * 10**8) for card, member in members)]

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
        root = self.root(op.who)
        leading = [plain[who] for who in self.merges if who ^ 1 == root]
        is_one = bool({op.who, op.who ^ 1} & self.merges.keys())
        scene = Scene(self.shop(op.who), plain[op.who], plain[root], plain[op.who ^ 1], leading, is_one, self.now)
        return EXPECT[op.kind](scene, op)

    async def _sale(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        amount, quantity = basket(op.size)
        counts = counted(op.size)
        purchase = Purchase(sum(counts.values()) if counts else quantity, amount, "EUR", counts=counts)
        answer = await Sales(self.machine.ledger).record(
            session, ctx, SaleCommand(attempt, "points", purchase, op.name)
        )
        return told_of(answer, "points_earned", "points_balance")

    async def _refund(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        part, sale_id = Part(part_of(op.size, self.plain[op.who].sales[op.about].amount)), self.sale_ids.get(op.about)
        command = RefundCommand(attempt.claim, sale_id, None if sale_id else op.about, part)
        answer = await Refunds(self.machine.ledger).refund(session, ctx, command)
        if not answer.refused:  # as the job does that hears of it
            await self._recheck(session, self.root(op.who))
        return told_of(answer, "taken", "let_go")

    async def _undo(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        answer = await Sales(self.machine.ledger).undo(session, ctx, attempt)
        if not answer.refused and any(entry["amount"] < 0 for entry in content(answer)["entries"]):
            await self._recheck(session, self.root(op.who))
        return told_of(answer, "success")

    async def _bill(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        bill = Purchase(1, basket(op.size)[0], "EUR")
        shares = [(CardRef("id", self.cards[who]), Wanted()) for who in (op.who, op.who ^ 1)]
        staff = self.shop(op.who).world.anna
        command = BillCommand(attempt.claim, bill, shares, staff.id, staff.pin, external_ref=op.name)
        answer = await Bills(self.machine.ledger).record(session, ctx, command)
        if answer.refused:
            return told_of(answer)
        told = content(answer)["shares"]
        sale_id = ids.read(ids.SALE, told[1]["sale"])
        assert sale_id is not None
        self.sale_ids[f"{op.name} other"] = sale_id
        return 200, *(one[name].get("points", 0) for one in told for name in ("earned", "balances"))

    async def _recheck(self, session: TenantSession, who: int) -> None:
        await review.recheck(session, *self._tiers(self.shop(who)), self.cards[who])

    async def _redeem(self, session: TenantSession, ctx: Context, attempt: Attempt, op: Op) -> Told:
        reward = FULL_CARDS.get(op.kind, f"rewards.catalogue/{op.kind}")
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
        service = Expiry(self.machine.ledger, timedelta(days=1))
        for shop in (shop for shop in self.shops if shop.pause is None):
            async with self.machine.database.tenant(shop.world.tenant.id) as session:
                for number in (number for number in range(4) if self.shop(number) is shop):
                    root = self.root(number)
                    others = [self.plain[who] for who in self.merges if who ^ 1 == root]
                    await service.release(session, shop.world.context(), self.cards[number])
                    self.plain[root].release(self.now, others)
                    written = await service.expire(session, shop.world.context(), self.cards[number], until)
                    assert (written,) == self.plain[root].expire(until)

    async def change_rules(self, who: int, size: int) -> None:
        await self.machine.set_rules(self.sql, self.shop(who), ALL_RULES[size % len(ALL_RULES)])

    async def merge(self, who: int, size: int) -> None:
        """Merge the other card of the shop into this one, or undo that."""
        shop, number = self.shop(who), next(iter({who, who ^ 1} & self.merges.keys()), None)
        source = who ^ 1 if number is None else number
        plain, service = (self.plain[source], self.plain[source ^ 1]), Merges(self.machine.ledger)
        claim = Claim("test", f"merge-{self.now}-{self.cards[source]}", b"")
        async with self.machine.database.tenant(shop.world.tenant.id) as session:
            if number is None:
                command = MergeCommand(claim, self.members[source], self.members[who], "one person")
                answer = await service.merge(session, shop.world.context(), command)
                merge_id = ids.read(ids.MERGE, content(answer)["id"])
                assert merge_id is not None
                self.merges[source] = merge_id
                plain_merge.merge(*plain, self.now)
            else:
                await service.unmerge(session, shop.world.context(), claim, self.merges.pop(number))
                for one in (source ^ 1, source):  # as the job does that hears of it
                    await self._recheck(session, one)
                plain_merge.unmerge(*plain, self.now)

    async def by_hand(self, who: int, size: int) -> None:
        """A tier given, or taken back again."""
        tier = ("", "silver", "gold")[size % 3]
        shop = self.shop(who)
        async with self.machine.database.tenant(shop.world.tenant.id) as session:
            await review.give(session, *self._tiers(shop), self.cards[self.root(who)], tier)
        self.plain[self.root(who)].grant(tier)

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


ALONE: dict[str, Callable[[History, int, int], Awaitable[None]]] = {
    "wait": History.wait,
    "rules": History.change_rules,
    "merge": History.merge,
    "tier": History.by_hand,
    "pause": History.pause,
}
DO: dict[str, Callable[..., Awaitable[Told]]] = {
    "sale": History._sale,
    "bill": History._bill,
    "refund": History._refund,
    "undo": History._undo,
    "mug": History._redeem,
    "ticket": History._redeem,
    "coffee": History._redeem,
    "lunch": History._redeem,
    "adjust": History._adjust,
    "transfer": History._transfer,
    **dict.fromkeys(MOVES, History._move),
}
