"""Merchants for random histories, and what happens to their cards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from json import dumps
from uuid import UUID

from asyncpg import Connection
from plain_rules import ALL_RULES, FIXED_SETTINGS, PlainRules, Told, settings_for

from regulars.domain.ledger.commands import Answer
from regulars.domain.ledger.engine import Ledger
from regulars.domain.ledger.replays import Replays
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore
from regulars.testing.till import content
from regulars.testing.world import HOST_FEATURES, World, make_tenant

FRESH_AFTER = 64
"""Histories after which there are new merchants."""
FEATURES = ("points", "stamps", "tiers", "rewards", "promotions", *HOST_FEATURES, "api_access")
MEMBERS = "INSERT INTO core.member (tenant_id, id, email, name, search) VALUES ($1, $2, $3, '', '')"
SAVE = """
    WITH saved AS (
      UPDATE core.plugin_settings SET values = $4, number = number + 1
      WHERE tenant_id = $1 AND scope_id = $2 AND plugin = $3 RETURNING *)
    INSERT INTO core.settings_version
      (tenant_id, plugin, scope_id, number, version, values, actor_kind, actor_name, note)
    SELECT tenant_id, plugin, scope_id, number, version, values, 'system', '', '' FROM saved"""
REVISION = "SELECT revision FROM core.tenant WHERE id = $1"
CARDS = "INSERT INTO core.card (tenant_id, id, member_id, program_id, number, token) VALUES ($1, $2, $3, $4, $5, $6)"
ENTRIES = """SELECT card_id, unit, kind, amount::int, balance_after::int, lifetime_after::int FROM core.ledger_entry
             WHERE card_id = ANY($1) ORDER BY card_id, unit, seq"""
LOTS = """SELECT l.card_id, l.unit, l.amount::int, l.amount_left::int, l.expires_at FROM core.ledger_lot l
          JOIN core.ledger_entry e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
          WHERE l.card_id = ANY($1) ORDER BY l.card_id, l.unit, e.seq, l.id"""
TIERS = "SELECT card_id, tier FROM plg_tiers.member_tier WHERE card_id = ANY($1)"
SALES = "SELECT id FROM core.sale WHERE card_id = ANY($1)"
GAVE = """SELECT s.id, s.external_ref, one->>'unit' AS unit, sum((one->>'amount')::int)::int AS amount
          FROM core.sale s JOIN core.sale_evaluation e ON e.tenant_id = s.tenant_id AND e.sale_id = s.id,
               jsonb_array_elements(e.result) AS one
          WHERE s.card_id = ANY($1) GROUP BY s.id, s.external_ref, 3"""
CARRIED = "SELECT card_id, parts FROM plg_points.carry WHERE card_id = ANY($1)"
_numbers = count(1)


@dataclass
class Shop:
    """A merchant with cards that nobody has used yet: ids of card and member."""

    world: World
    cards: list[tuple[UUID, UUID]]
    rules: PlainRules = ALL_RULES[0]
    pause: tuple[UUID, datetime] | None = None


@dataclass
class Op:
    """Something that somebody does to a card; its name is that of the sale or redemption that it makes."""

    kind: str
    who: int
    size: int
    about: str = ""
    name: str = field(default_factory=lambda: f"op-{next(_numbers)}")


class Machine:
    """The product's services on one database, and merchants."""

    def __init__(self, config: Config, registry: PluginRegistry, database: Database, ledger: Ledger) -> None:
        self.config, self.registry, self.database, self.ledger = config, registry, database, ledger
        self.replays = Replays(registry, SettingsStore(registry, config.setting_default, config.encryption_key))
        self.shops: list[Shop] = []
        self.histories = 0

    async def fresh(self, sql: Connection) -> list[Shop]:
        """Two merchants; other ones after some histories, so that what is looked through stays small."""
        if self.histories % FRESH_AFTER == 0:
            self.shops = [await self._open(sql, f"{name}{next(_numbers)}") for name in ("cafe", "pizza")]
        self.histories += 1
        for shop in self.shops:
            await self.set_rules(sql, shop, ALL_RULES[self.histories % len(ALL_RULES)])
        return self.shops

    @staticmethod
    async def set_rules(sql: Connection, shop: Shop, rules: PlainRules) -> None:
        """As `World.set_settings` does, but on a connection that is open already."""
        if rules == shop.rules:
            return
        tenant = shop.world.tenant
        for plugin, values in settings_for(rules).items():
            await sql.execute(SAVE, tenant.id, shop.world.program_id, plugin, dumps(values))
        shop.world.tenant = replace(tenant, revision=await sql.fetchval(REVISION, tenant.id))
        shop.rules = rules

    async def _open(self, sql: Connection, slug: str) -> Shop:
        chosen = {**FIXED_SETTINGS, **settings_for(ALL_RULES[0])}
        world = await make_tenant(
            self.config, slug, features=FEATURES, plugins=self.registry.names, settings=chosen, kind="hybrid"
        )
        people = [(world.tenant.id, new_id(), f"m{number}@example.com") for number in range(2 * FRESH_AFTER)]
        cards = [
            (world.tenant.id, new_id(), person, world.program_id, f"{next(_numbers):012}", new_id().hex)
            for _tenant, person, _email in people
        ]
        await sql.executemany(MEMBERS, people)
        await sql.executemany(CARDS, cards)
        return Shop(world, [card[1:3] for card in cards])


def basket(size: int) -> tuple[int, int]:
    """Cents and pieces: some sales are too small for a point."""
    return (size * 37 % 6000) + 1 if size % 4 else size % 60 + 5, 1 + size % 3


def counted(size: int) -> dict[str, int] | None:
    """What staff count for each stamp card, where they do."""
    _amount, quantity = basket(size)
    return {1: {"stamps": quantity}, 2: {"stamps.lunch": quantity}, 3: {"stamps": 1, "stamps.lunch": quantity}}.get(
        size % 5
    )


def part_of(size: int, amount: int) -> int | None:
    """All that is left, or some cents: sometimes more than there are."""
    return None if size % 3 == 0 else 1 + size * 13 % (amount + 20)


def correction(size: int) -> int:
    return (1 + size % 25) * (-1 if size % 2 else 1)


def pick(names: list[str], size: int) -> str:
    return names[size % len(names)] if names else ""


def told_of(answer: Answer, *names: str) -> Told:
    told = content(answer)
    return (answer.status, told["code"]) if answer.refused else (answer.status, *(told[name] for name in names))
