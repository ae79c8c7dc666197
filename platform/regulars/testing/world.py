"""A small world for tests: a tenant with everything that a stamp needs, written by the migrator role."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from regulars.contracts.context import Branding, Context, Principal, Source, TenantSnapshot
from regulars.domain.apikeys.models import ApiKey
from regulars.domain.cards.models import Card
from regulars.domain.cards.numbers import new_number, new_token
from regulars.domain.members.models import Member
from regulars.domain.programs.models import Program
from regulars.domain.shops.models import Shop
from regulars.domain.staff.models import Staff
from regulars.domain.staff.pins import pin_hash
from regulars.domain.tenants.models import Offering, Platform, Tenant, TenantHost
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.base import new_id
from regulars.kernel.settings.models import PluginSettings, SettingsVersion

PLUGINS = ("stamps", "antifraud", "rewards")
HOST_FEATURES = ("cards", "enrolment", "staff_pins", "stats", "sandbox", "households")
CARD = text(
    "SELECT c.id, c.member_id, c.number, c.token, m.email FROM core.card c "
    "JOIN core.member m ON m.tenant_id = c.tenant_id AND m.id = c.member_id WHERE c.id = :id"
)
HOUSEHOLD_SIZE = text("UPDATE core.program SET household_size = :size WHERE id = :id")
REVISION = text("SELECT revision FROM core.tenant WHERE id = :id")


@dataclass(frozen=True)
class Person:
    """A staff member with a PIN."""

    id: UUID
    name: str
    role: str
    pin: str


@dataclass(frozen=True)
class TestCard:
    """A member's card."""

    __test__ = False
    id: UUID
    member_id: UUID
    number: str
    token: str
    email: str


@dataclass
class World:
    """A tenant made by `make_tenant`.

    Attributes:
        tenant: the snapshot that the pipeline would resolve, without queries.
        api_key: a key with every permission of a till, in plain text.
    """

    config: Config
    tenant: TenantSnapshot
    shop_id: UUID
    program_id: UUID
    staff: Sequence[Person]
    cards: list[TestCard]
    api_key: str
    api_key_id: UUID
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def anna(self) -> Person:
        """The first staff member."""
        return self.staff[0]

    @property
    def card(self) -> TestCard:
        """The first card."""
        return self.cards[0]

    @property
    def host(self) -> str:
        """The tenant's host name."""
        return self.tenant.host

    def till_body(self, **more: Any) -> dict[str, Any]:
        """What a till sends to the store's API about the first card, in the name of the first staff member.

        Args:
            more: further members of the body.
        """
        who = self.anna
        return {"card": self.card.number, "staff": ids.show(ids.STAFF, who.id), "pin": who.pin, **more}

    def context(self, source: Source = "api", **changes: Any) -> Context:
        """A context of the API key on this tenant."""
        principal = Principal("api_key", self.api_key_id, "Till", "key", ALL_TILL, None, None)
        values: dict[str, Any] = {
            "tenant": self.tenant,
            "principal": principal,
            "source": source,
            "ip": "192.0.2.1",
            "device": "test",
            "request_id": "req-test",
        }
        return Context(**{**values, **changes})

    async def add_card(self, email: str, *, name: str = "") -> TestCard:
        """Another member with a card."""
        async with _migrator(self.config) as connection:
            card = await _card(connection, self.tenant.id, self.program_id, email, name)
        self.cards.append(card)
        return card

    async def card_of(self, card_id: UUID) -> TestCard:
        """A card that was made by the product."""
        async with _migrator(self.config) as connection:
            row = (await connection.execute(CARD, {"id": card_id})).one()
        return TestCard(row.id, row.member_id, row.number, row.token, row.email)

    async def set_settings(self, plugin: str, **values: Any) -> None:
        """Write settings of a plugin for the program, and renew the snapshot's revision."""
        async with _migrator(self.config) as connection:
            await _save_settings(connection, self.tenant.id, self.program_id, plugin, values)
            revision = (await connection.execute(REVISION, {"id": self.tenant.id})).scalar_one()
        self.tenant = replace(self.tenant, revision=revision)

    async def allow_households(self, size: int = 6) -> None:
        """Let so many cards of the program share, and renew the snapshot's revision."""
        async with _migrator(self.config) as connection:
            await connection.execute(HOUSEHOLD_SIZE, {"size": size, "id": self.program_id})
            revision = (await connection.execute(REVISION, {"id": self.tenant.id})).scalar_one()
        self.tenant = replace(self.tenant, revision=revision)


ALL_TILL = frozenset(
    {
        "programs.view",
        "programs.manage",
        "members.view",
        "members.manage",
        "members.enrol",
        "members.adjust",
        "members.export",
        "sales.record",
        "sales.redeem",
        "rewards.view",
        "rewards.manage",
        "sales.undo",
        "sales.refund",
        "dashboard.view",
        "staff.view",
        "staff.manage",
    }
)


async def make_tenant(
    config: Config,
    slug: str,
    *,
    offering: str = "everything",
    features: Sequence[str] = (*PLUGINS, *HOST_FEATURES, "api_access"),
    limits: Mapping[str, int | None] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    staff: Sequence[tuple[str, str, str]] = (("Anna", "staff", "4711"), ("Ben", "manager", "2580")),
    timezone: str = "Europe/Luxembourg",
    plugins: Collection[str] = PLUGINS,
    kind: str = "stamps",
) -> World:
    """Make a tenant on `<slug>.<base>` with a shop, an active program, staff, an API key and one card.

    Args:
        offering: code of its offering, made with `features` and `limits` when there is none of that code.
        settings: plugin → values for the program.
        staff: (name, role, PIN).
        plugins: those that this installation has loaded.
        kind: of its program.
    """
    tenant_id, shop_id, program_id, key_id = new_id(), new_id(), new_id(), new_id()
    limits = {"shops": None, "programs": None, "rewards.items": None} if limits is None else limits
    host, key = f"{slug}.{config.base_domain}", f"rk_live_{slug}{'0' * 40}"[:51]
    async with _migrator(config) as connection:
        await _offering(connection, config, offering, features, limits)
        await connection.execute(
            insert(Tenant),
            {
                "id": tenant_id,
                "slug": slug,
                "name": slug.title(),
                "base_domain": config.base_domain,
                "offering": offering,
                "timezone": timezone,
                "locales": ["en"],
            },
        )
        await connection.execute(insert(TenantHost), {"host": host, "tenant_id": tenant_id, "is_primary": True})
        await connection.execute(insert(Shop), {"tenant_id": tenant_id, "id": shop_id, "name": "Main street"})
        await connection.execute(
            insert(Program),
            {
                "tenant_id": tenant_id,
                "id": program_id,
                "name": "Card",
                "kind": kind,
                "status": "active",
                "timezone": timezone,
                "currency": "EUR",
                "require_pin": True,
            },
        )
        people = [Person(new_id(), name, role, pin) for name, role, pin in staff]
        for person in people:
            await connection.execute(insert(Staff), _staff_row(config, tenant_id, person))
        await connection.execute(
            insert(ApiKey),
            {
                "tenant_id": tenant_id,
                "id": key_id,
                "name": "Till",
                "prefix": key[:12],
                "key_hash": sha256(key.encode()).digest(),
                "permissions": sorted(ALL_TILL),
            },
        )
        for plugin, values in (settings or {}).items():
            await _save_settings(connection, tenant_id, program_id, plugin, values)
        card = await _card(connection, tenant_id, program_id, f"mia@{slug}.example", "Mia Ledoux")
        revision = (await connection.execute(REVISION, {"id": tenant_id})).scalar_one()
    snapshot = TenantSnapshot(
        id=tenant_id,
        slug=slug,
        name=slug.title(),
        host=host,
        status="active",
        live_tenant_id=None,
        offering=offering,
        enabled=frozenset(features) & frozenset(plugins),
        features=frozenset(features),
        limits=dict(limits),
        theme="classic",
        branding=Branding(),
        locales=("en",),
        default_locale="en",
        timezone=timezone,
        currency="EUR",
        country="LU",
        revision=revision,
    )
    return World(config, snapshot, shop_id, program_id, people, [card], key, key_id)


def _migrator(config: Config) -> Any:
    return create_async_engine(config.database_url_migrator, poolclass=NullPool).begin()


async def _offering(
    connection: AsyncConnection, config: Config, code: str, features: Sequence[str], limits: Mapping[str, int | None]
) -> None:
    await connection.execute(
        upsert(Platform).values(base_domain=config.base_domain, name="Regulars").on_conflict_do_nothing()
    )
    row = {"code": code, "title": code.title(), "rank": 1, "features": list(features), "limits": dict(limits)}
    await connection.execute(upsert(Offering).values(row).on_conflict_do_nothing())


async def _save_settings(
    connection: AsyncConnection, tenant_id: UUID, program_id: UUID, plugin: str, values: Mapping[str, Any]
) -> None:
    row = {"tenant_id": tenant_id, "plugin": plugin, "scope_id": program_id, "version": 1, "values": dict(values)}
    statement = upsert(PluginSettings).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "plugin", "scope_id"],
        set_={"values": statement.excluded["values"], "number": PluginSettings.number + 1},
    )
    number = (await connection.execute(statement.returning(PluginSettings.number))).scalar_one()
    who = {"actor_kind": "system", "actor_id": None, "actor_name": "", "note": ""}
    await connection.execute(insert(SettingsVersion), {**row, "number": number, **who})


def _staff_row(config: Config, tenant_id: UUID, person: Person) -> dict[str, Any]:
    digest = pin_hash(config.pin_pepper.encode(), tenant_id, person.id, person.pin)
    return {
        "tenant_id": tenant_id,
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "pin_hash": digest,
        "email": f"{person.name.lower()}@staff.example",
    }


async def _card(connection: AsyncConnection, tenant_id: UUID, program_id: UUID, email: str, name: str) -> TestCard:
    card = TestCard(new_id(), new_id(), new_number(), new_token(), email)
    await connection.execute(
        insert(Member),
        {
            "tenant_id": tenant_id,
            "id": card.member_id,
            "email": email,
            "name": name,
            "search": f"{name} {email}".lower(),
        },
    )
    await connection.execute(
        insert(Card),
        {
            "tenant_id": tenant_id,
            "id": card.id,
            "member_id": card.member_id,
            "program_id": program_id,
            "number": card.number,
            "token": card.token,
        },
    )
    return card
