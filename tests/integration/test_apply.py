"""Tenants as files: what is read, what is refused, what is changed, and that a second run changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from regulars.contracts.context import Context, TenantSnapshot
from regulars.contracts.paging import PageRequest
from regulars.domain.audit.service import AuditFilter, list_lines_of
from regulars.domain.programs import service as programs
from regulars.domain.shops import service as shops
from regulars.domain.staff import service as staff
from regulars.domain.tenants import service
from regulars.domain.tenants.emblems import emblem_file
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.files.apply import ACTOR, Applier
from regulars.domain.tenants.files.reading import FilesError, read_folder
from regulars.domain.tenants.logos import tenant_folder
from regulars.domain.tenants.repository import fetch_snapshot
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

CAFE = "cafe/tenant.toml"


class Works:
    """A copy of the bundled folder and what applies it."""

    def __init__(self, config: Config, database: Database, registry: PluginRegistry, folder: Path) -> None:
        self.config, self.database, self.registry, self.folder = config, database, registry, folder
        self.settings = SettingsStore(registry, config.setting_default, config.encryption_key)

    def applier(self, base: str | None = None) -> Applier:
        return Applier(
            self.database, self.registry, self.settings, base or self.config.base_domain, self.config.data_dir
        )

    async def plan(self, base: str | None = None) -> list[str]:
        return [str(change) for change in await self.applier(base).plan(read_folder(self.folder, self.registry))]

    async def apply(self, base: str | None = None) -> list[str]:
        return [str(change) for change in await self.applier(base).apply(read_folder(self.folder, self.registry))]

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    def faults(self) -> list[str]:
        with pytest.raises(FilesError) as caught:
            read_folder(self.folder, self.registry)
        return [line.removeprefix(f"{self.folder}/") for line in str(caught.value).splitlines()]

    async def context(self, slug: str) -> Context:
        return Context(await self.snapshot(slug), ACTOR)

    async def snapshot(self, slug: str, base: str | None = None) -> TenantSnapshot:
        raw = await fetch_snapshot(self.database, f"{slug}.{base or self.config.base_domain}")
        assert raw is not None
        return SnapshotBuilder(self.registry, FEATURE_NAMES).build(raw).snapshot


@pytest.fixture(scope="module")
def small_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled folder with pictures that are quickly read: every test here reads them several times."""
    folder = tmp_path_factory.mktemp("small") / "tenants"
    shutil.copytree(bundled("tenants"), folder)
    for file in folder.glob("*/assets/*.png"):
        with Image.open(file) as picture:
            picture.resize((64, 64)).save(file)
    return folder


@pytest.fixture
def works(config: Config, database: Database, registry: PluginRegistry, tmp_path: Path, small_pictures: Path) -> Works:
    folder = tmp_path / "tenants-of-the-test"
    shutil.copytree(small_pictures, folder)
    return Works(config, database, registry, folder)


async def test_the_bundled_tenants(works: Works) -> None:
    planned = await works.plan()
    assert [line for line in planned if ":" not in line or line.startswith("+ cafe: Café")] == [
        "+ offering basic",
        "+ offering plus",
        "+ offering enterprise",
        "+ cafe: Café du Coin, basic, cafe.localhost",
    ]
    done = await works.apply()
    assert done == planned
    assert (await works.plan(), await works.apply()) == ([], [])
    cafe, boulangerie, pizza = [await works.snapshot(slug) for slug in ("cafe", "boulangerie", "pizza")]
    assert [(one.name, one.offering, one.limit("shops")) for one in (cafe, boulangerie, pizza)] == [
        ("Café du Coin", "basic", 1),
        ("Boulangerie du Moulin", "plus", 10),
        ("Pizza Roma", "enterprise", None),
    ]
    assert [one.has("api_access") for one in (cafe, boulangerie, pizza)] == [False, False, True]
    async with works.database.tenant(boulangerie.id) as session:
        ctx = await works.context("boulangerie")
        assert [shop.name for shop in await shops.list_shops(session)] == [
            "Moulin",
            "Mersch",
            "Ettelbruck",
            "Kirchberg",
        ]
        program = (await programs.list_programs(session)).default
        assert (program.name, program.status, program.require_pin) == ("Bread card", "active", True)
        stored = await works.settings.get(session, ctx.tenant, "points", program.id)
        assert (program.kind, stored.reward_cost, stored.reward_text) == ("points", 300, "free croissant")
        catalogue = await works.settings.get(session, ctx.tenant, "rewards", program.id)
        photos = {reward.photo for reward in catalogue.rewards}
    assert photos <= {path.name for path in (works.config.data_dir / "tenants" / str(boulangerie.id)).iterdir()}
    async with works.database.tenant(boulangerie.id) as session:
        people = await staff.list_staff(session, ctx)
        assert next((one.name, one.role, one.has_password, one.has_pin) for one in people) == (
            "Jean Muller",
            "owner",
            False,
            False,
        )
        assert len(people) == 5


async def test_planning_changes_nothing(works: Works) -> None:
    assert await works.plan() == await works.plan()
    assert await fetch_snapshot(works.database, "cafe.localhost") is None
    assert not (works.config.data_dir / "tenants").exists()


async def test_logos_are_kept_for_the_tenant_and_its_sandbox(works: Works) -> None:
    await works.apply()
    for slug in ("cafe", "cafe--test"):
        tenant = await works.snapshot(slug)
        file = tenant_folder(works.config.data_dir, tenant.id) / tenant.branding.logo
        assert file.read_bytes().startswith(b"\x89PNG")
    before = (await works.snapshot("cafe")).branding.logo
    (works.folder / "cafe/assets/logo.png").write_bytes(emblem_file("star", "#14532d"))
    assert [line.split(":")[0] for line in await works.apply()] == ["~ cafe"]
    assert (await works.snapshot("cafe")).branding.logo != before


@pytest.mark.parametrize(
    ("slug", "icon", "colour"),
    [("cafe", "coffee", "#7a3e1d"), ("boulangerie", "croissant", "#1f4e5f"), ("pizza", "pizza", "#b3261e")],
)
def test_the_logos_are_drawn_by_code(slug: str, icon: str, colour: str) -> None:
    committed = (bundled("tenants") / slug / "assets" / "logo.png").read_bytes()
    assert len(committed) <= 20_000
    with Image.open(BytesIO(committed)) as one, Image.open(BytesIO(emblem_file(icon, colour))) as other:
        assert ImageChops.difference(one.convert("RGBA"), other.convert("RGBA")).getbbox() is None


async def test_edits_are_applied_and_told(works: Works) -> None:
    await works.apply()
    works.edit("cafe/tenant.toml", 'offering = "basic"', 'offering = "plus"')
    works.edit("cafe/tenant.toml", "#7a3e1d", "#14532d")
    works.edit("cafe/tenant.toml", "target = 10", "target = 12")
    works.edit("cafe/tenant.toml", 'role = "manager"', 'role = "staff"')
    works.edit("cafe/tenant.toml", "14, rue Notre-Dame", "16, rue Notre-Dame")
    works.edit("cafe/tenant.toml", "[[programs]]", '[[shops]]\nname = "Gare"\n\n[[programs]]')
    works.edit("offerings.toml", '"tiers", ', "")
    planned, street = await works.plan(), "rue Notre-Dame, 2240 Luxembourg"
    assert sorted(line for line in planned if "branding" not in line) == sorted(
        [
            "~ offering plus: -tiers",
            "~ cafe: offering: “basic” → “plus”",
            f"~ cafe: shop “Rue Notre-Dame”: address: “14, {street}” → “16, {street}”",
            "+ cafe: shop “Gare”",
            "~ cafe: program “Coffee card”, stamps: target: 10 → 12",
            "~ cafe: staff “Tom Schmit”: role: “manager” → “staff”",
        ]
    )
    assert await works.apply() == planned
    assert await works.plan() == []
    async with works.database.platform("test") as session:
        tenant_id = await service.find_by_slug(session, "cafe")
        assert tenant_id is not None
        lines = (await list_lines_of(session, tenant_id, AuditFilter(), PageRequest(1, 200))).items
    assert {line.actor_kind for line in lines} == {"system"}
    assert {"tenant.created", "tenant.offering_changed", "shop.added", "settings.changed", "staff.changed"} <= {
        line.action for line in lines
    }


async def test_what_the_files_do_not_name_stays(works: Works) -> None:
    await works.apply()
    async with works.database.tenant((await works.snapshot("boulangerie")).id) as session:
        await shops.add(session, await works.context("boulangerie"), "Pop-up")
    assert await works.apply() == []
    shutil.rmtree(works.folder / "pizza")
    assert await works.apply() == []
    assert (await works.snapshot("pizza")).status == "active"


async def test_another_base_domain_adds_hosts(works: Works) -> None:
    await works.apply()
    moved = await works.apply("192-168-1-7.example")
    assert moved == [
        "+ boulangerie: host boulangerie.192-168-1-7.example",
        "+ cafe: host cafe.192-168-1-7.example",
        "+ pizza: host pizza.192-168-1-7.example",
    ]
    assert await works.apply("192-168-1-7.example") == []
    old, new = await works.snapshot("cafe"), await works.snapshot("cafe", "192-168-1-7.example")
    assert (old.id, old.host) == (new.id, "cafe.192-168-1-7.example")
    assert (await works.snapshot("cafe--test", "192-168-1-7.example")).is_sandbox
    assert len(await works.apply("localhost")) == 3
    assert replace(await works.snapshot("cafe"), revision=0) == replace(old, host="cafe.localhost", revision=0)


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        (CAFE, 'name = "Café du Coin"\n', "", "name: Please fill this in."),
        (
            CAFE,
            'icon = "coffee"\ntagline',
            'icon = "skull"\ntagline',
            "branding.icon: Choose one of these icons: coffee, croissant, pizza, scissors, leaf, star.",
        ),
        (
            CAFE,
            "#7a3e1d",
            "brown",
            "branding.primary_color: This is no colour such as #4f46e5.",
        ),
        (CAFE, "target = 10", "target = 1", "programs.0.settings.stamps.target: *"),
        (
            CAFE,
            "target = 10",
            "goal = 10",
            "programs.0.settings.stamps.goal: This is not known here.",
        ),
        (
            CAFE,
            "[programs.settings.stamps]",
            "[programs.settings.dice]",
            "programs.0.settings.dice: there is no plugin “dice” with settings here; there are: antifraud*",
        ),
        (
            CAFE,
            'offering = "basic"',
            'offering = "gold"',
            "offering: there is no offering “gold” in offerings.toml; there are: basic, plus, enterprise",
        ),
        (
            CAFE,
            "[[programs]]",
            '[[shops]]\nname = "Gare"\n\n[[programs]]',
            "shops: Basic allows 1, here are 2; take some out or change the offering",
        ),
        (
            CAFE,
            'logo = "logo.png"',
            'logo = "logo.svg"',
            "branding.logo: there is no file assets/logo.svg beside it",
        ),
        (
            CAFE,
            "tom@cafe.example",
            "claire@cafe.example",
            "staff: “claire@cafe.example” is there twice; *",
        ),
        (CAFE, "tom@cafe.example", "tom", "staff.1.email*"),
        (CAFE, "name =", "name ==", "this is not TOML: *"),
        ("offerings.toml", "shops = 1,", "shops = -1,", "basic.limits.shops*"),
        ("offerings.toml", "rank = 1", "", "basic.rank: Please fill this in."),
    ],
)
def test_faults_name_file_and_key(works: Works, file: str, old: str, new: str, fault: str) -> None:
    works.edit(file, old, new)
    found, wanted = works.faults(), f"{file}: {fault}"
    assert any(line.startswith(wanted[:-1]) if wanted.endswith("*") else line == wanted for line in found), found


def test_faults_of_folders(works: Works) -> None:
    (works.folder / "www").mkdir()
    shutil.move(works.folder / "cafe", works.folder / "admin")
    shutil.copy(works.folder / "offerings.toml", works.folder / "pizza/assets/logo.png")
    assert works.faults() == [
        "admin: the folder's name is the tenant's sub-domain. The name “admin” is reserved, please choose another one.",
        "pizza/tenant.toml: branding.logo: Choose a PNG, JPEG or WebP image; this could not be read as one.",
        "www: tenant.toml is missing; write one, or move the folder away",
    ]
    with pytest.raises(FilesError, match="there is no such folder"):
        read_folder(works.folder / "nowhere", works.registry)


async def test_what_only_the_database_knows_is_told_with_the_file(works: Works) -> None:
    await works.apply()
    works.edit("cafe/tenant.toml", 'kind = "stamps"', 'kind = "points"')
    with pytest.raises(FilesError) as caught:
        await works.apply()
    assert str(caught.value).startswith(f"{works.folder}/cafe/tenant.toml: programs, “Coffee card”, kind: ")
