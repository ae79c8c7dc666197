"""Merchants for random histories, and what happens to their cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import UUID

from asyncpg import Connection
from plain_shop import ALL_RULES, FIXED_SETTINGS, PlainRules, Told, settings_for

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

FRESH_AFTER = 26
"""Histories after which there are new merchants."""
FEATURES = ("points", "stamps", "tiers", "rewards", "promotions", *HOST_FEATURES, "api_access")
MEMBERS = "INSERT INTO core.member (tenant_id, id, email, name, search) VALUES ($1, $2, $3, '', '')"
CARDS = "INSERT INTO core.card (tenant_id, id, member_id, program_id, number, token) VALUES ($1, $2, $3, $4, $5, $6)"
_numbers = count(1)


@dataclass
class Shop:
    """A merchant with cards that nobody has used yet."""

    world: World
    cards: list[UUID]
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
            await self.set_rules(shop, ALL_RULES[0])
        return self.shops

    async def set_rules(self, shop: Shop, rules: PlainRules) -> None:
        if rules != shop.rules:
            for plugin, values in settings_for(rules).items():
                await shop.world.set_settings(plugin, **values)
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
        return Shop(world, [card[1] for card in cards])


def basket(size: int) -> tuple[int, int]:
    """Cents and pieces: some sales are too small for a point."""
    return (size * 37 % 6000) + 1 if size % 4 else size % 60 + 5, 1 + size % 3


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
