"""Tenants as operators see and change them: every change audited, in both logs, with its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from regulars.contracts.context import Branding
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.paging import PageRequest
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import AuditFilter, list_lines_of, list_platform
from regulars.domain.tenants import console, matrix, offerings, overrides, service
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.console import ProgramFilter, TenantFilter
from regulars.domain.tenants.features import FEATURE_NAMES, OFFERING_CODES
from regulars.domain.tenants.files.apply import Applier
from regulars.domain.tenants.files.reading import Declared, read_folder
from regulars.domain.tenants.overrides import Override
from regulars.domain.tenants.profile import Profile
from regulars.domain.tenants.repository import fetch_snapshot, fetch_snapshot_by_id
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database, PlatformSession
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore
from regulars.testing.clock import Clock
from regulars.testing.world import World

OLGA = Actor("operator", UUID(int=7), "Olga", "192.0.2.7", "browser", "req-1")
ALL = PageRequest(1, 100)
BASIC = {"stamps", "points", "promotions", "apple_wallet", "google_wallet"}
"""What merchants of the offering have, besides fraud protection."""


class Desk:
    """An operator at work on one database."""

    def __init__(self, config: Config, database: Database, registry: PluginRegistry) -> None:
        self.config = config
        self.database = database
        self.registry = registry
        self.catalogue = Catalogue.of(registry)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PlatformSession]:
        async with self.database.platform("test of the desk") as session:
            yield session

    async def create(self, slug: str, offering: str = "basic") -> UUID:
        new = service.NewTenant(slug, offering, self.config.base_domain, Profile(name=slug.title()))
        async with self.session() as session:
            return (await service.create(session, OLGA, new, reason="a new customer")).id

    async def snapshot(self, slug: str):
        raw = await fetch_snapshot(self.database, f"{slug}.{self.config.base_domain}")
        return SnapshotBuilder(self.registry, FEATURE_NAMES).build(raw).snapshot if raw else None

    async def actions(self, slug: str | None = None) -> list[tuple[str, str]]:
        """(action, reason) of the platform's log, or of one tenant's own, oldest first."""
        async with self.session() as session:
            if slug is None:
                page = await list_platform(session, AuditFilter(), ALL)
                return [(line.action, line.reason) for line in reversed(page.items)]
            tenant_id = await service.find_by_slug(session, slug)
            lines = (await list_lines_of(session, tenant_id, AuditFilter(), ALL)).items
            return [(line.action, line.details["reason"]) for line in reversed(lines)]


@pytest.fixture
async def desk(config: Config, database: Database, registry: PluginRegistry) -> Desk:
    declared = read_folder(bundled("tenants"), registry)
    store = SettingsStore(registry, config.setting_default, config.encryption_key)
    applier = Applier(database, registry, store, config.base_domain, config.data_dir)
    await applier.apply(Declared(declared.offerings, ()))
    return Desk(config, database, registry)


async def test_the_matrix_is_the_briefs(desk: Desk) -> None:
    async with desk.session() as session:
        sold = {offering.code: offering for offering in await offerings.list_offerings(session)}
    assert list(sold) == ["basic", "plus", "enterprise"]
    assert {code: one.limits["shops"] for code, one in sold.items()} == {"basic": 1, "plus": 10, "enterprise": None}
    wanted = {
        "points_earning": (True, True, True),
        "basic_promotions": (True, True, True),
        "tiers": (False, True, True),
        "custom_rewards": (False, True, True),
        "api_access": (False, False, True),
        "white_label": (False, False, True),
    }
    found = {code: tuple(OFFERING_CODES[code] in one.features for one in sold.values()) for code in wanted}
    assert found == wanted
    grades = ("analytics.basic", "analytics.advanced", "analytics.full")
    analytics = [[grade for grade in grades if grade in one.features][-1] for one in sold.values()]
    assert analytics == list(grades)
    assert grades[0] in sold["enterprise"].features
    assert {"stamps", "antifraud"} <= sold["basic"].features & sold["plus"].features & sold["enterprise"].features
    assert sold["basic"].limits["programs"] == 1


async def test_a_tenant_comes_with_host_shop_and_sandbox(desk: Desk) -> None:
    tenant_id = await desk.create("corner-shop")
    live, sandbox = await desk.snapshot("corner-shop"), await desk.snapshot("corner-shop--test")
    assert (live.id, live.host, live.is_sandbox) == (tenant_id, "corner-shop.localhost", False)
    assert (sandbox.live_tenant_id, sandbox.host, sandbox.is_sandbox) == (
        tenant_id,
        "corner-shop--test.localhost",
        True,
    )
    assert live.enabled == sandbox.enabled == BASIC | {"antifraud"}
    async with desk.session() as session:
        detail = await console.tenant_detail(session, desk.catalogue, tenant_id)
    assert (detail.used, detail.sandbox_id) == ({"shops": 1, "programs": 0}, sandbox.id)
    assert await desk.actions() == [
        ("platform.added", "applied from files"),
        *[("offering.added", "applied from files")] * 3,
        ("tenant.created", "a new customer"),
    ]
    assert await desk.actions("corner-shop--test") == [("tenant.created", "a new customer")]


@pytest.mark.parametrize(
    "slug",
    ["www", "admin", "console", "a", "Cafe", "ca fe", "café", "-cafe", "cafe-", "ca--fe", "xn--caf-dma", "a" * 41, ""],
)
async def test_names_that_are_refused(desk: Desk, slug: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await desk.create(slug)
    assert set(caught.value.fields) == {"slug"}


async def test_a_name_is_given_once(desk: Desk) -> None:
    await desk.create("cafe")
    with pytest.raises(Conflict):
        await desk.create("cafe")
    with pytest.raises(NotFound, match="there are: basic, plus, enterprise"):
        await desk.create("other", "gold")


async def test_the_offering_decides_and_a_downgrade_deletes_nothing(desk: Desk) -> None:
    tenant_id = await desk.create("cafe", "enterprise")
    assert "api_access" in (await desk.snapshot("cafe")).features
    async with desk.session() as session:
        await service.set_offering(session, OLGA, tenant_id, "basic", reason="asked for it")
    after = await desk.snapshot("cafe")
    assert ("api_access" in after.features, after.limit("shops")) == (False, 1)
    assert (await desk.snapshot("cafe--test")).offering == "basic"
    async with desk.session() as session:
        await service.set_offering(session, OLGA, tenant_id, "enterprise", reason="changed their mind")
    assert "api_access" in (await desk.snapshot("cafe")).features
    assert [action for action, _ in await desk.actions("cafe")] == [
        "tenant.created",
        "tenant.offering_changed",
        "tenant.offering_changed",
    ]


async def test_grants_denials_and_limits(desk: Desk) -> None:
    tenant_id = await desk.create("cafe")
    soon = datetime.now(UTC) + timedelta(days=30)
    async with desk.session() as session:
        for override in (
            Override("grant", "analytics.full", expires_at=soon),
            Override("deny", "antifraud"),
            Override("limit", "shops", 3),
        ):
            await overrides.put_override(session, desk.catalogue, OLGA, tenant_id, override, reason="a trial")
    for slug in ("cafe", "cafe--test"):
        found = await desk.snapshot(slug)
        assert {"analytics.basic", "analytics.advanced", "analytics.full"} <= found.features
        assert (found.enabled, found.limit("shops")) == (BASIC, 3)
    async with desk.session() as session:
        await overrides.remove_override(session, OLGA, tenant_id, "analytics.full", reason="the trial is over")
        await overrides.remove_override(session, OLGA, tenant_id, "antifraud", reason="the trial is over")
        with pytest.raises(NotFound):
            await overrides.remove_override(session, OLGA, tenant_id, "stamps", reason="never was")
    found = await desk.snapshot("cafe")
    assert "analytics.advanced" not in found.features
    assert found.enabled == BASIC | {"antifraud"}


async def test_an_override_ends_by_itself(desk: Desk, clock: Clock) -> None:
    tenant_id = await desk.create("cafe")
    grant = Override("grant", "api_access", expires_at=datetime.now(UTC) + timedelta(days=14))
    async with desk.session() as session:
        await overrides.put_override(session, desk.catalogue, OLGA, tenant_id, grant, reason="a trial")
    assert "api_access" in (await desk.snapshot("cafe")).features
    await clock.advance(days=14, seconds=1)
    assert "api_access" not in (await desk.snapshot("cafe")).features


@pytest.mark.parametrize(
    ("override", "field"),
    [
        (Override("grant", "teleport"), "name"),
        (Override("limit", "stamps", 1), "name"),
        (Override("limit", "shops", -1), "value"),
        (Override("grant", "api_access", expires_at=datetime(2020, 1, 1, tzinfo=UTC)), "expires_at"),
    ],
)
async def test_overrides_that_are_refused(desk: Desk, override: Override, field: str) -> None:
    tenant_id = await desk.create("cafe")
    async with desk.session() as session:
        with pytest.raises(InvalidInput) as caught:
            await overrides.put_override(session, desk.catalogue, OLGA, tenant_id, override, reason="x")
    assert set(caught.value.fields) == {field}


async def test_operators_say_why(desk: Desk) -> None:
    tenant_id = await desk.create("cafe")
    async with desk.session() as session:
        for reason in ("", "   ", "x" * 501):
            with pytest.raises(InvalidInput) as caught:
                await service.set_status(session, OLGA, tenant_id, "suspended", reason=reason)
            assert set(caught.value.fields) == {"reason"}


async def test_kill_switches_for_one_and_for_everybody(desk: Desk) -> None:
    cafe, _pizza = await desk.create("cafe"), await desk.create("pizza")
    async with desk.session() as session:
        await overrides.kill(session, desk.catalogue, OLGA, "stamps", cafe, reason="it misbehaves")
        with pytest.raises(Conflict):
            await overrides.kill(session, desk.catalogue, OLGA, "stamps", cafe, reason="again")
    assert [(await desk.snapshot(slug)).has("stamps") for slug in ("cafe", "cafe--test", "pizza")] == [
        False,
        False,
        True,
    ]
    async with desk.session() as session:
        await overrides.kill(session, desk.catalogue, OLGA, "stamps", None, reason="for all")
        await overrides.revive(session, OLGA, "stamps", cafe, reason="it is good again")
    assert [(await desk.snapshot(slug)).has("stamps") for slug in ("cafe", "pizza")] == [False, False]
    async with desk.session() as session:
        assert [one.plugin for one in await console.killed_for_everybody(session)] == ["stamps"]
        await overrides.revive(session, OLGA, "stamps", None, reason="for all")
        with pytest.raises(NotFound):
            await overrides.revive(session, OLGA, "stamps", None, reason="again")
    assert [(await desk.snapshot(slug)).has("stamps") for slug in ("cafe", "pizza")] == [True, True]


async def test_suspending_and_back(desk: Desk) -> None:
    tenant_id = await desk.create("cafe")
    async with desk.session() as session:
        await service.set_status(session, OLGA, tenant_id, "suspended", reason="unpaid")
    assert [(await desk.snapshot(slug)).status for slug in ("cafe", "cafe--test")] == ["suspended", "suspended"]
    async with desk.session() as session:
        await service.set_status(session, OLGA, tenant_id, "active", reason="paid")
        await service.set_status(session, OLGA, tenant_id, "active", reason="paid twice")
    assert (await desk.snapshot("cafe")).status == "active"
    assert [reason for _, reason in await desk.actions("cafe")] == ["a new customer", "unpaid", "paid"]


async def test_the_detail_says_where_everything_comes_from(desk: Desk) -> None:
    tenant_id = await desk.create("cafe")
    async with desk.session() as session:
        await overrides.put_override(
            session, desk.catalogue, OLGA, tenant_id, Override("grant", "api_access"), reason="a friend"
        )
        await overrides.put_override(
            session, desk.catalogue, OLGA, tenant_id, Override("deny", "stats"), reason="no need"
        )
        await overrides.kill(session, desk.catalogue, OLGA, "antifraud", tenant_id, reason="it misbehaves")
        detail = await console.tenant_detail(session, desk.catalogue, tenant_id)
    found = {one.feature.name: (one.on, one.origin, one.reason) for one in detail.features}
    assert found["stamps"] == (True, "offering", "")
    assert found["api_access"] == (True, "grant", "a friend")
    assert found["stats"] == (False, "denial", "no need")
    assert found["antifraud"] == (False, "kill_switch", "it misbehaves")
    assert found["webhooks"] == (False, "not_included", "")
    assert {name for name, (on, _, _) in found.items() if on} == (await desk.snapshot("cafe")).features
    assert {limit.name: (limit.value, limit.origin) for limit in detail.limits}["shops"] == (1, "offering")
    states = {one.plugin: (one.switched_on, one.killed is not None) for one in detail.plugins}
    assert (states["antifraud"], states["stamps"]) == ((None, True), (None, False))


async def test_the_offering_is_edited_and_copied(desk: Desk) -> None:
    await desk.create("cafe")
    async with desk.session() as session:
        await offerings.switch_feature(
            session, desk.catalogue, OLGA, "basic", "analytics.full", on=True, reason="a gift"
        )
        await offerings.set_limit(session, desk.catalogue, OLGA, "basic", "shops", None, reason="a gift")
    found = await desk.snapshot("cafe")
    assert ("analytics.advanced" in found.features, found.limit("shops")) == (True, None)
    async with desk.session() as session:
        changed = await offerings.switch_feature(
            session, desk.catalogue, OLGA, "basic", "analytics.basic", on=False, reason="sorry"
        )
        assert not {"analytics.basic", "analytics.advanced", "analytics.full"} & changed.features
        gold = await offerings.copy_offering(session, OLGA, "plus", "gold", "Gold", 4, reason="for hotels")
        plus = next(one for one in await offerings.list_offerings(session) if one.code == "plus")
        assert (gold.features, gold.limits) == (plus.features, plus.limits)
        with pytest.raises(Conflict):
            await offerings.copy_offering(session, OLGA, "plus", "gold", "Gold", 4, reason="again")
        with pytest.raises(InvalidInput):
            await offerings.copy_offering(session, OLGA, "plus", "No code", "Gold", 4, reason="again")
        with pytest.raises(InvalidInput):
            await offerings.set_limit(session, desk.catalogue, OLGA, "basic", "shops", -2, reason="below nothing")
        await offerings.switch_feature(session, desk.catalogue, OLGA, "basic", "tiers", on=True, reason="not installed")
        with pytest.raises(InvalidInput):
            await offerings.switch_feature(session, desk.catalogue, OLGA, "basic", "fly", on=True, reason="no such")
        with pytest.raises(InvalidInput):
            await offerings.set_limit(session, desk.catalogue, OLGA, "basic", "wings", 2, reason="no such")
        shown = await matrix.offering_matrix(session, desk.catalogue)
        rows = {row.name: row for row in shown.features}
        assert [offering.code for offering in shown.offerings] == ["basic", "plus", "enterprise", "gold"]
        assert (rows["tiers"].kind, rows["tiers"].included) == (
            "plugin",
            {"basic": True, "plus": True, "enterprise": True, "gold": True},
        )
        assert rows["campaigns"].kind == "unknown"
        assert rows["api_access"].included == {"basic": False, "plus": False, "enterprise": True, "gold": False}
        limits = {row.name: row.values for row in shown.limits}
        assert limits["shops"] == {"basic": None, "plus": 10, "enterprise": None, "gold": 10}
        assert limits["connectors"] == {"basic": 0, "plus": 2, "enterprise": None, "gold": 2}
        with pytest.raises(NotFound):
            await offerings.switch_feature(
                session, desk.catalogue, OLGA, "silver", "stamps", on=True, reason="there is none"
            )


async def test_the_list_is_searched_and_paged(desk: Desk, make_world) -> None:
    await desk.create("alpha")
    beta = await desk.create("bella", "plus")
    world: World = await make_world("gamma", offering="basic")
    async with desk.session() as session:
        await service.add_host(session, OLGA, beta, "karte.bella.example", primary=True, reason="own domain")
        await service.set_status(session, OLGA, beta, "suspended", reason="unpaid")

    async def slugs(**wanted: object) -> list[str]:
        async with desk.session() as session:
            page = await console.list_tenants(session, TenantFilter(**wanted), ALL)
            assert page.total == len(page.items)
            return [line.slug for line in page.items]

    assert await slugs() == ["alpha", "bella", "gamma"]
    assert await slugs(sandboxes=True) == ["alpha", "alpha--test", "bella", "bella--test", "gamma"]
    assert await slugs(text="KARTE") == ["bella"]
    assert await slugs(offering="plus") == ["bella"]
    assert [await slugs(status=state) for state in ("setup", "suspended", "active")] == [
        ["alpha"],
        ["bella"],
        ["gamma"],
    ]
    async with desk.session() as session:
        page = await console.list_tenants(session, TenantFilter(), PageRequest(2, 2))
        listed = (await console.list_tenants(session, TenantFilter(text="gamma"), ALL)).items[0]
        other = (await console.list_tenants(session, TenantFilter(text="bella"), ALL)).items[0]
    assert ([line.slug for line in page.items], page.total) == (["gamma"], 3)
    assert (listed.id, listed.members, listed.cards, listed.activity) == (world.tenant.id, 1, 1, "high")
    assert (other.host, other.hosts) == ("karte.bella.example", ["bella.localhost", "karte.bella.example"])


async def test_figures_of_the_platform(desk: Desk, make_world, clock: Clock) -> None:
    cafe: World = await make_world("cafe", offering="basic")
    await make_world("pizza", offering="basic")
    await clock.advance(days=31)
    await cafe.add_card("new@cafe.example")
    async with desk.session() as session:
        stats = await console.platform_stats(session)
        programs = await console.list_programs(session, ProgramFilter(), ALL)
        one = await console.get_program(session, cafe.program_id)
        with pytest.raises(NotFound):
            await console.get_program(session, UUID(int=1))
        none = await console.list_programs(session, ProgramFilter(kind="points"), ALL)
    assert (stats.programs_total, stats.programs_active, stats.members, stats.saved) == (2, 2, 3, {})
    assert [(kind.kind, kind.total, kind.share) for kind in stats.kinds] == [
        ("stamps", 2, 100),
        ("points", 0, 0),
        ("hybrid", 0, 0),
    ]
    assert [(line.tenant_slug, line.members, line.activity) for line in programs.items] == [
        ("cafe", 2, "high"),
        ("pizza", 1, "low"),
    ]
    assert (one.id, one.tenant_name, one.status) == (cafe.program_id, "Cafe", "active")
    assert none.total == 0


def test_shares_add_up() -> None:
    assert console._shares([32, 11, 4]) == [68, 23, 9]
    assert console._shares([1, 1, 1]) == [34, 33, 33]
    assert console._shares([0, 0, 0]) == [0, 0, 0]


async def test_profiles_are_checked(desk: Desk) -> None:
    tenant_id = await desk.create("cafe")
    good = Profile(name="Café", branding=Branding("#7a3e1d", "coffee", "", "Round the corner"))
    async with desk.session() as session:
        changed = await service.change_profile(session, OLGA, tenant_id, good, reason="new sign")
        assert changed == ["name", "branding"]
        assert await service.change_profile(session, OLGA, tenant_id, good, reason="new sign") == []
        bad = Profile(
            name=" ",
            branding=Branding("red; }", "skull", "../../etc/passwd", "x" * 200),
            locales=("klingon!",),
            default_locale="en",
            timezone="Mars/Olympus",
            currency="BEER",
            country="Luxembourg",
        )
        with pytest.raises(InvalidInput) as caught:
            await service.change_profile(session, OLGA, tenant_id, bad, reason="a joke")
    assert set(caught.value.fields) == {
        "name",
        "primary_color",
        "icon",
        "logo",
        "tagline",
        "locales",
        "default_locale",
        "timezone",
        "currency",
        "country",
    }
    assert (await desk.snapshot("cafe--test")).branding.tagline == "Round the corner"


async def test_hosts(desk: Desk) -> None:
    cafe, pizza = await desk.create("cafe"), await desk.create("pizza")
    async with desk.session() as session:
        with pytest.raises(Conflict):
            await service.add_host(session, OLGA, pizza, "cafe.localhost", primary=False, reason="mine")
        with pytest.raises(InvalidInput):
            await service.add_host(session, OLGA, pizza, "no host", primary=False, reason="mine")
        await service.add_platform(session, OLGA, "shop.example", "Regulars")
        assert await service.move_to_base(session, OLGA, cafe, "shop.example", reason="a new domain") is True
        assert await service.move_to_base(session, OLGA, cafe, "shop.example", reason="a new domain") is False
    assert (await desk.snapshot("cafe")).host == "cafe.shop.example"
    assert (await desk.snapshot("cafe--test")).host == "cafe--test.shop.example"
    raw = await fetch_snapshot(desk.database, "cafe.shop.example")
    assert raw == {**(await fetch_snapshot_by_id(desk.database, cafe)), "now": raw["now"]}
    assert await fetch_snapshot(desk.database, "nobody.localhost") is None
    assert await fetch_snapshot_by_id(desk.database, UUID(int=9)) is None


def test_logos_are_bounded(tmp_path: Path) -> None:
    from io import BytesIO

    from PIL import Image

    from regulars.domain.tenants.logos import clean_logo, store_logo, tenant_folder

    def image(size: tuple[int, int], kind: str) -> bytes:
        output = BytesIO()
        Image.new("RGB", size, "red").save(output, kind)
        return output.getvalue()

    name, encoded = clean_logo(image((2000, 1000), "JPEG"))
    with Image.open(BytesIO(encoded)) as shown:
        assert (shown.format, shown.size) == ("PNG", (512, 256))
    assert store_logo(tmp_path, UUID(int=1), image((2000, 1000), "JPEG")) == name
    assert [file.name for file in tenant_folder(tmp_path, UUID(int=1)).iterdir()] == [name]
    for bad in (b"", b"<svg/>", image((10, 10), "GIF"), image((5000, 4000), "PNG"), b"\x89PNG\r\n\x1a\n" + b"x" * 50):
        with pytest.raises(InvalidInput) as caught:
            clean_logo(bad)
        assert set(caught.value.fields) == {"logo"}
