"""Setting the demo's stage: operator, passwords, PINs and an API key for the tenants that the files made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from regulars.cli.demo.record import Helper
from regulars.cli.demo.repository import shop_ids
from regulars.cli.summary import Login
from regulars.contracts.context import Context, Principal
from regulars.domain.apikeys import service as apikeys
from regulars.domain.audit.actors import SYSTEM
from regulars.domain.operators import service as operators
from regulars.domain.staff import service as staff
from regulars.domain.staff.permissions import permissions_of
from regulars.kernel.config import Config
from regulars.kernel.db.database import Database, TenantSession
from regulars.kernel.plugins.registry import PluginRegistry

PASSWORD = "demo-regulars"  # noqa: S105 -- the demo's public password, printed when it starts
OPERATOR = "operator@regulars.example"
PINS = ("4711", "2580", "3690", "7913", "8264", "9507")
KEY_PERMISSIONS = frozenset(
    {
        "programs.view",
        "members.view",
        "members.enrol",
        "sales.record",
        "sales.redeem",
        "sales.undo",
        "dashboard.view",
        "staff.view",
        "staff.manage",
    }
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A tenant that is ready for its history.

    Attributes:
        ctx: of its owner.
    """

    ctx: Context
    staff: Sequence[Helper]
    shops: Sequence[UUID]
    logins: Sequence[Login]


async def add_operator(database: Database) -> Login:
    """The demo's operator."""
    async with database.platform("demo: make the operator") as session:
        await operators.add(session, SYSTEM, OPERATOR, "Olivia Operator", PASSWORD)
    return Login(label="Operator (console)", user=OPERATOR, password=PASSWORD)


async def set_stage(database: Database, config: Config, registry: PluginRegistry, ctx: Context) -> Stage:
    """Give everybody of a tenant a PIN, and those with an e-mail address the demo's password.

    Args:
        ctx: the tenant; the principal is replaced by its owner.
    """
    everything = permissions_of("owner", registry.permissions)
    system = replace(ctx, principal=Principal("system", name="Demo", role="owner", permissions=everything))
    async with database.tenant(ctx.tenant.id) as session:
        people = await staff.list_staff(session, system)
        helpers, logins = [], []
        for person, pin in zip(people, PINS, strict=False):
            await staff.set_pin(session, system, person.id, pin, config.pin_pepper.encode())
            helpers.append(Helper(person.id, person.name, pin))
            if person.email:
                await staff.set_password(session, system, person.id, PASSWORD)
                label = f"{ctx.tenant.name}: {person.name} ({person.role})"
                logins.append(Login(label=label, user=person.email, password=PASSWORD, pin=pin))
        shops = await shop_ids(session)
    owner = next(person for person in people if person.role == "owner")
    principal = Principal("staff", owner.id, owner.name, "owner", everything)
    return Stage(replace(ctx, principal=principal), helpers, shops, logins)


async def add_key(session: TenantSession, ctx: Context) -> str:
    """An API key of the tenant, in plain text."""
    created = await apikeys.create(session, ctx, apikeys.NewKey("Demo till", KEY_PERMISSIONS))
    return created.key
