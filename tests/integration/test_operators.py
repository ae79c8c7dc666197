"""Operators: log-in with lockout, sessions, API keys."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from uuid import UUID

import pytest
from sqlalchemy import text

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.contracts.paging import PageRequest
from regulars.domain.audit.actors import SYSTEM, Actor
from regulars.domain.audit.service import AuditFilter, list_platform
from regulars.domain.operators import service as operators
from regulars.domain.operators.service import LoggedIn, LogInRefused, Visitor
from regulars.kernel.db.database import Database
from regulars.kernel.keys import digest

HERE = Visitor("192.0.2.9", "browser", "req-9")
END_LOCK = text("UPDATE core.operator SET login_locked_until = now() - interval '1 second'")
END_SESSIONS = text("UPDATE core.operator_session SET expires_at = now()")
DISMISS = text("UPDATE core.operator SET status = 'inactive'")


@pytest.fixture
async def olga(database: Database) -> UUID:
    async with database.platform("test") as session:
        return await operators.add(session, SYSTEM, "Olga@Platform.example", "Olga", "a long password")


async def try_in(database: Database, password: str, email: str = "olga@platform.example"):
    return await operators.log_in(database, HERE, email, password)


async def test_a_session_from_log_in_to_log_out(database: Database, olga: UUID) -> None:
    opened = await try_in(database, "a long password", " OLGA@platform.example ")
    assert isinstance(opened, LoggedIn)
    async with database.platform("test") as session:
        who = await operators.find_by_session(session, digest(opened.token))
        assert who is not None
        assert (who.kind, who.id, who.name) == ("operator", olga, "Olga")
        assert await operators.find_by_session(session, digest("x")) is None
        await operators.log_out(session, digest(opened.token))
        assert await operators.find_by_session(session, digest(opened.token)) is None


async def test_sessions_end(database: Database, olga: UUID) -> None:
    opened = await try_in(database, "a long password")
    assert isinstance(opened, LoggedIn)
    async with database.platform("test") as session:
        await session.execute(END_SESSIONS)
        assert await operators.find_by_session(session, digest(opened.token)) is None
    again = await try_in(database, "a long password")
    assert isinstance(again, LoggedIn)
    async with database.platform("test") as session:
        await session.execute(DISMISS)
        assert await operators.find_by_session(session, digest(again.token)) is None
    assert await try_in(database, "a long password") == LogInRefused()


async def test_five_wrong_ones_lock_even_at_once(database: Database, olga: UUID) -> None:
    refused = await asyncio.gather(*(try_in(database, f"wrong {n}") for n in range(8)))
    assert refused == [LogInRefused()] * 8
    assert await try_in(database, "a long password") == LogInRefused()
    async with database.platform("test") as session:
        await session.execute(END_LOCK)
    assert isinstance(await try_in(database, "a long password"), LoggedIn)


async def test_four_wrong_ones_do_not_lock(database: Database, olga: UUID) -> None:
    for _ in range(2):
        for n in range(4):
            assert await try_in(database, f"wrong {n}") == LogInRefused()
        assert isinstance(await try_in(database, "a long password"), LoggedIn)


async def test_nobody_is_told_from_a_wrong_password(database: Database, olga: UUID) -> None:
    assert await try_in(database, "a long password", "nobody@platform.example") == LogInRefused()
    assert await try_in(database, "a long password", "not an address") == LogInRefused()
    assert [field.name for field in fields(LogInRefused)] == ["message"]


async def test_a_new_password_ends_sessions_and_lock(database: Database, olga: UUID) -> None:
    opened = await try_in(database, "a long password")
    for n in range(5):
        await try_in(database, f"wrong {n}")
    async with database.platform("test") as session:
        await operators.set_password(session, SYSTEM, "olga@platform.example", "another password")
        assert isinstance(opened, LoggedIn)
        assert await operators.find_by_session(session, digest(opened.token)) is None
        with pytest.raises(NotFound):
            await operators.set_password(session, SYSTEM, "nobody@platform.example", "another password")
    assert await try_in(database, "a long password") == LogInRefused()
    assert isinstance(await try_in(database, "another password"), LoggedIn)


async def test_operators_that_are_refused(database: Database, olga: UUID) -> None:
    async with database.platform("test") as session:
        with pytest.raises(Conflict):
            await operators.add(session, SYSTEM, "OLGA@platform.example", "Olga", "a long password")
        with pytest.raises(InvalidInput) as caught:
            await operators.add(session, SYSTEM, "no address", " ", "short")
        assert set(caught.value.fields) == {"email", "name", "password"}
        assert [one.email for one in await operators.list_operators(session)] == ["olga@platform.example"]


async def test_keys(database: Database, olga: UUID) -> None:
    actor = Actor("operator", olga, "Olga")
    async with database.platform("a key for the statistics") as session:
        created = await operators.create_key(session, actor, "Statistics")
        assert created.key.startswith("rk_ops_")
        who = await operators.find_by_key(session, digest(created.key))
        assert who is not None
        assert (who.kind, who.id) == ("operator", olga)
        assert [one.prefix for one in await operators.list_keys(session, olga)] == [created.key[:13]]
        with pytest.raises(NotFound):
            await operators.revoke_key(session, Actor("operator", UUID(int=3), "Other"), created.id)
        await operators.revoke_key(session, actor, created.id)
        assert await operators.find_by_key(session, digest(created.key)) is None
        with pytest.raises(NotFound):
            await operators.revoke_key(session, actor, created.id)
        with pytest.raises(InvalidInput):
            await operators.create_key(session, actor, "")
        lines = (await list_platform(session, AuditFilter(action="operator.key"), PageRequest())).items
    assert [(line.action, line.reason, line.actor_name) for line in lines] == [
        ("operator.key_revoked", "a key for the statistics", "Olga"),
        ("operator.key_created", "a key for the statistics", "Olga"),
    ]


async def test_every_try_is_in_the_log(database: Database, olga: UUID) -> None:
    await try_in(database, "wrong")
    await try_in(database, "a long password")
    async with database.platform("test") as session:
        lines = (await list_platform(session, AuditFilter(), PageRequest())).items
    assert [(line.action, line.ip, line.device) for line in reversed(lines)] == [
        ("operator.added", "", ""),
        ("operator.log_in_refused", "192.0.2.9", "browser"),
        ("operator.logged_in", "192.0.2.9", "browser"),
    ]
    assert all("password" not in str(line.details) for line in lines)
