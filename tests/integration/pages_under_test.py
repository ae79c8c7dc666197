"""A tenant with an owner, a manager and somebody at the till, for tests of the merchant's and operators' pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asyncpg import Connection
from visitors import staff_at

from regulars.kernel.keys import digest
from regulars.kernel.passwords import hash_password
from regulars.testing.merchants import OPERATOR, add_operator
from regulars.testing.web import Browser, WebServer
from regulars.testing.world import Person, World

MakeWorld = Callable[..., Awaitable[World]]
TEAM = (("Olga", "owner", "4711"), ("Ben", "manager", "2580"), ("Anna", "staff", "3690"))
FEATURES = ("cards", "enrolment", "staff_pins", "stats", "stamps", "antifraud")
ROLES = ("owner", "manager", "staff")


async def open_shop(make_world: MakeWorld, slug: str, **options: Any) -> World:
    """A tenant with `TEAM` on an offering of its own with `FEATURES`."""
    given: Mapping[str, Any] = {"offering": f"offer_{slug}", "features": FEATURES, "staff": TEAM, **options}
    return await make_world(slug, **given)


def person(world: World, role: str) -> Person:
    """The first of that role."""
    return next(one for one in world.staff if one.role == role)


async def as_role(web: WebServer, sql: Connection, world: World, role: str = "owner") -> Browser:
    """Somebody of that role at the merchant's pages."""
    return await staff_at(web, sql, world, person(world, role))


async def give_password(sql: Connection, world: World, role: str, password: str) -> str:
    """Let somebody sign in; returns the address."""
    who = person(world, role)
    hashed = await hash_password(password)
    await sql.execute(
        "UPDATE core.staff SET password_hash = $3 WHERE tenant_id = $1 AND id = $2", world.tenant.id, who.id, hashed
    )
    return f"{who.name.lower()}@staff.example"


async def operator_at(web: WebServer, sql: Connection, world: World) -> Browser:
    """An operator at the console."""
    await add_operator(world.config)
    token = "operator-session"
    await sql.execute(
        "INSERT INTO core.operator_session (token_hash, operator_id, expires_at) "
        "SELECT $1, id, now() + interval '1 hour' FROM core.operator WHERE email = $2",
        digest(token),
        OPERATOR,
    )
    visitor = web.at(world.config.console_host)
    visitor.client.cookies.set("rg_operator", token)
    return visitor


async def actions_of(sql: Connection, world: World) -> list[str]:
    """What the tenant's audit log has, the oldest first."""
    rows = await sql.fetch(
        "SELECT action FROM core.audit_log WHERE tenant_id = $1 ORDER BY created_at, id", world.tenant.id
    )
    return [row["action"] for row in rows]


async def platform_actions(sql: Connection) -> list[tuple[str, str, str]]:
    """(action, subject, reason) of what operators did, the oldest first."""
    rows = await sql.fetch(
        "SELECT action, subject, reason FROM core.platform_audit WHERE actor_kind = 'operator' ORDER BY created_at, id"
    )
    return [(row["action"], row["subject"], row["reason"]) for row in rows]
