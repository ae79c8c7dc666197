"""Merchants as their files describe them, opened for business on a test installation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regulars.contracts.context import Context, Principal, TenantSnapshot
from regulars.domain.apikeys import service as apikeys
from regulars.domain.audit.actors import SYSTEM
from regulars.domain.operators import service as operators
from regulars.domain.staff import service as staff
from regulars.domain.staff.permissions import permissions_of
from regulars.domain.tenants.features import FEATURE_NAMES
from regulars.domain.tenants.files.apply import Applier
from regulars.domain.tenants.files.formats import ProgramFile
from regulars.domain.tenants.files.reading import Declared, DeclaredTenant, read_folder
from regulars.domain.tenants.naming import tenant_host
from regulars.domain.tenants.repository import fetch_snapshot
from regulars.kernel import ids
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database
from regulars.kernel.entitlements import SnapshotBuilder
from regulars.kernel.paths import bundled
from regulars.kernel.plugins.registry import PluginRegistry
from regulars.kernel.settings import SettingsStore

PASSWORD = "correct horse battery"  # noqa: S105 -- of everybody in the tests
OPERATOR = "olivia@regulars.example"
PINS = ("4711", "2580", "3690", "7913", "8264", "9507")
STAMPS = {
    "target": 8,
    "reward_text": "free loaf of country bread",
    "reward_value_minor": 420,
    "icon": "croissant",
    "welcome_stamps": 1,
    "max_per_sale": 4,
}
"""A stamp card, for merchants of the demo that have none."""
TILL = frozenset(
    {
        "programs.view",
        "programs.manage",
        "members.view",
        "members.enrol",
        "sales.record",
        "sales.redeem",
        "sales.undo",
        "dashboard.view",
    }
)


@dataclass(frozen=True)
class Colleague:
    """Somebody on the staff.

    Attributes:
        id: as the API knows it.
    """

    id: str
    name: str
    role: str
    email: str
    pin: str


@dataclass(frozen=True)
class Merchant:
    """A merchant that is open.

    Attributes:
        tenant: as it was when it opened.
        staff: everybody who works there; the password of all is `PASSWORD`.
        api_key: of a till, empty where the offering has no API access.
    """

    tenant: TenantSnapshot
    staff: Sequence[Colleague]
    api_key: str

    @property
    def host(self) -> str:
        """The host name."""
        return self.tenant.host

    @property
    def owner(self) -> Colleague:
        """The first owner."""
        return next(one for one in self.staff if one.role == "owner")


async def open_merchants(config: Config, registry: PluginRegistry) -> dict[str, Merchant]:
    """Apply the folder `tenants/` with stamp cards for all, and give everybody a password and a PIN.

    Args:
        config: of the installation.
        registry: its plugins.

    Returns:
        Slug → merchant.
    """
    database = Database(config)
    try:
        declared = _with_stamps(read_folder(bundled("tenants"), registry))
        settings = SettingsStore(registry, config.setting_default, config.encryption_key)
        await Applier(database, registry, settings, config.base_domain, config.data_dir).apply(declared)
        return {one.slug: await _open(database, config, registry, one.slug) for one in declared.tenants}
    finally:
        await database.close()


def _with_stamps(declared: Declared) -> Declared:
    """The merchants as their stories are told: whoever gives something else gives stamps."""

    def of(program: ProgramFile) -> ProgramFile:
        own = {"stamps": STAMPS, **program.settings}
        settings = {name: own[name] for name in ("stamps", "antifraud")}
        return program.model_copy(update={"kind": "stamps", "settings": settings})

    def changed(tenant: DeclaredTenant) -> DeclaredTenant:
        programs = [of(program) for program in tenant.file.programs]
        return replace(tenant, file=tenant.file.model_copy(update={"programs": programs}))

    return replace(declared, tenants=tuple(changed(tenant) for tenant in declared.tenants))


async def add_operator(config: Config) -> None:
    """Make the operator `OPERATOR` with the password `PASSWORD`."""
    database = Database(config)
    try:
        async with database.platform("tests: make the operator") as session:
            await operators.add(session, SYSTEM, OPERATOR, "Olivia Operator", PASSWORD)
    finally:
        await database.close()


async def _open(database: Database, config: Config, registry: PluginRegistry, slug: str) -> Merchant:
    raw = await fetch_snapshot(database, tenant_host(slug, config.base_domain))
    assert raw is not None
    tenant = SnapshotBuilder(registry, FEATURE_NAMES).build(raw).snapshot
    everything = permissions_of("owner", registry.permissions)
    ctx = Context(tenant, Principal("system", name="Tests", role="owner", permissions=everything))
    async with database.tenant(tenant.id) as session:
        people = await staff.list_staff(session, ctx)
        for person, pin in zip(people, PINS, strict=False):
            await staff.set_pin(session, ctx, person.id, pin, config.pin_pepper.encode())
            await staff.set_password(session, ctx, person.id, PASSWORD)
    colleagues = [
        Colleague(ids.show(ids.STAFF, person.id), person.name, person.role, person.email or "", pin)
        for person, pin in zip(people, PINS, strict=False)
    ]
    owner = next(person for person in people if person.role == "owner")
    as_owner = Context(tenant, Principal("staff", owner.id, owner.name, "owner", everything))
    key = ""
    if tenant.has("api_access"):
        async with database.tenant(tenant.id) as session:
            key = (await apikeys.create(session, as_owner, apikeys.NewKey("Till", TILL))).key
    return Merchant(tenant, colleagues, key)
