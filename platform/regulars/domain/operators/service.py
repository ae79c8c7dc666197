"""Operators: the people who run the platform. Log-in, sessions, API keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from regulars.contracts.context import Principal
from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_platform
from regulars.domain.members.normalise import email_of
from regulars.domain.operators import repository
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import Database, PlatformSession
from regulars.kernel.i18n import N_
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest, new_key, new_token, shown_part
from regulars.kernel.passwords import MIN_LENGTH, hash_password, needs_rehash, verify_password
from regulars.kernel.text import one_line

KEY_PREFIX = "rk_ops_"
SESSION_LIFETIME = timedelta(hours=12)
LOG_IN = "an operator logs in"
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from, before anybody has signed in."""

    ip: str = ""
    device: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session; the token goes into the cookie and is stored nowhere."""

    token: str
    principal: Principal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LogInRefused:
    """The log-in failed and was counted.

    One sentence for every reason, so that nobody learns whether an address is known or locked.
    """

    message: str = N_(
        "This e-mail address and password do not belong together, or there were too many tries. After five wrong ones,"
        " please wait 15 minutes."
    )


@dataclass(frozen=True, slots=True)
class OperatorInfo:
    """An operator in the list."""

    id: UUID
    email: str
    name: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key in the list; `prefix` is all that is left of it."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key, to be shown once."""

    id: UUID
    key: str


async def add(session: PlatformSession, actor: Actor, email: str, name: str, password: str) -> UUID:
    """Make an operator.

    Args:
        session: the platform's.
        actor: who makes it.
        email: for the log-in, not case-sensitive.
        name: for audit and greeting.
        password: at least 10 characters.

    Raises:
        InvalidInput: one sentence per field.
        Conflict: there is one with this address.
    """
    address, shown = _checked(email, name, password)
    if await session.scalar(repository.ID_BY_EMAIL, {"address": address}) is not None:
        raise Conflict(_("There is an operator with this e-mail address already."))
    operator_id = new_id()
    row = {"id": operator_id, "email": address, "name": shown, "password_hash": await hash_password(password)}
    await session.execute(repository.INSERT, row)
    await record_platform(session, actor, "operator.added", session.reason, address, {"operator": operator_id})
    return operator_id


async def set_password(session: PlatformSession, actor: Actor, email: str, password: str) -> None:
    """Give an operator a new password; all sessions end, a lock is taken away.

    Raises:
        InvalidInput: the password is too short.
        NotFound: there is no such operator.
    """
    address, _shown = _checked(email, "-", password)
    operator_id = await session.scalar(repository.ID_BY_EMAIL, {"address": address})
    if operator_id is None:
        raise NotFound(_("There is no operator with this e-mail address."))
    key = {"operator": operator_id}
    await session.execute(repository.SET_PASSWORD, {**key, "new_hash": await hash_password(password)})
    await session.execute(repository.CLEAR_FAILURES, key)
    await session.execute(repository.END_SESSIONS_OF, key)
    await record_platform(session, actor, "operator.password_set", session.reason, address, key)


async def list_operators(session: PlatformSession) -> list[OperatorInfo]:
    """All operators by address."""
    return [OperatorInfo(**row._mapping) for row in await session.rows(repository.ALL)]


async def log_in(database: Database, visitor: Visitor, email: str, password: str) -> LoggedIn | LogInRefused:
    """Sign an operator in.

    It opens its own two transactions, so that no connection is held while the password is compared: call it outside
    of a unit of work.

    Args:
        database: the engines.
        visitor: for session and audit log.
        email: as typed.
        password: as typed.

    Returns:
        The new session, or the refusal, which has been counted.
    """
    address = {"address": email_of(email) or ""}
    async with database.platform(LOG_IN) as session:
        known = await session.one_or_none(repository.FOR_LOG_IN, address)
    stored = known.password_hash if known is not None else None
    matches = await verify_password(stored, password)
    renewed = await hash_password(password) if matches and stored and needs_rehash(stored) else None
    async with database.platform(LOG_IN) as session:
        row = await session.one_or_none(repository.LOCK_FOR_LOG_IN, address)
        if row is None:
            return LogInRefused()
        actor = Actor("operator", row.id, row.name, visitor.ip, visitor.device, visitor.request_id)
        if not matches or row.password_hash != stored or row.locked:
            if not row.locked:
                await session.execute(repository.COUNT_FAILURE, {"operator": row.id})
            details = {"locked": row.locked}
            await record_platform(session, actor, "operator.log_in_refused", LOG_IN, row.email, details)
            return LogInRefused()
        await session.execute(repository.CLEAR_FAILURES, {"operator": row.id})
        if renewed is not None:
            await session.execute(repository.SET_PASSWORD, {"operator": row.id, "new_hash": renewed})
        await record_platform(session, actor, "operator.logged_in", LOG_IN, row.email)
        return await _open(session, visitor, _principal(row.id, row.name))


async def set_language(session: PlatformSession, actor: Actor, locale: str) -> None:
    """Keep the language that the signed-in operator has chosen.

    Args:
        session: the platform's.
        actor: the operator.
        locale: one of `LANGUAGES`.
    """
    row = {"operator": actor.id, "new_locale": locale}
    address = await session.scalar(repository.SET_LANGUAGE, row)
    if address is not None:
        await record_platform(session, actor, "operator.changed", session.reason, address, {"fields": ["locale"]})


async def find_by_session(session: PlatformSession, token_hash: bytes) -> Principal | None:
    """Who is signed in, `None` for nobody (any more).

    Args:
        session: the platform's.
        token_hash: digest of the cookie's token.
    """
    row = await session.one_or_none(repository.BY_SESSION, {"token": token_hash})
    return replace(_principal(row.id, row.name), locale=row.locale or "") if row is not None else None


async def find_by_key(session: PlatformSession, key_hash: bytes) -> Principal | None:
    """Whose API key it is, `None` for nobody's (any more).

    Args:
        session: the platform's.
        key_hash: digest of the key.
    """
    row = await session.one_or_none(repository.BY_KEY, {"hash": key_hash})
    return _principal(row.id, row.name) if row is not None else None


async def log_out(session: PlatformSession, token_hash: bytes) -> None:
    """End a session, if there is one."""
    await session.execute(repository.END_SESSION, {"token": token_hash})


async def create_key(session: PlatformSession, actor: Actor, name: str) -> CreatedKey:
    """Make an API key of an operator for `/api/v1/admin/loyalty`.

    Args:
        session: the platform's.
        actor: the operator whose key it is.
        name: what it is for.

    Raises:
        InvalidInput: the name is empty or too long.
    """
    shown = _checked_name(name)
    key, key_id = new_key(KEY_PREFIX), new_id()
    row = {
        "id": key_id,
        "operator_id": actor.id,
        "name": shown,
        "prefix": shown_part(key, KEY_PREFIX),
        "key_hash": digest(key),
    }
    await session.execute(repository.ADD_KEY, row)
    await record_platform(session, actor, "operator.key_created", session.reason, shown, {"key": key_id})
    return CreatedKey(key_id, key)


async def list_keys(session: PlatformSession, operator_id: UUID) -> list[KeyInfo]:
    """An operator's keys, newest first."""
    return [KeyInfo(**row._mapping) for row in await session.rows(repository.KEYS, {"operator": operator_id})]


async def revoke_key(session: PlatformSession, actor: Actor, key_id: UUID) -> None:
    """End a key of the operator's own.

    Raises:
        NotFound: there is no such key, or it is revoked already.
    """
    name = await session.scalar(repository.REVOKE_KEY, {"key": key_id, "operator": actor.id})
    if name is None:
        raise NotFound(_("There is no such key."))
    await record_platform(session, actor, "operator.key_revoked", session.reason, name, {"key": key_id})


async def _open(session: PlatformSession, visitor: Visitor, principal: Principal) -> LoggedIn:
    token, expires_at = new_token(), datetime.now(UTC) + SESSION_LIFETIME
    row = {
        "token_hash": digest(token),
        "operator_id": principal.id,
        "expires_at": expires_at,
        "ip": visitor.ip,
        "device": visitor.device,
    }
    await session.execute(repository.ADD_SESSION, row)
    return LoggedIn(token, principal, expires_at)


def _principal(operator_id: UUID, name: str) -> Principal:
    return Principal(kind="operator", id=operator_id, name=name, role="operator")


def _checked(email: str, name: str, password: str) -> tuple[str, str]:
    faults = {}
    address = email_of(email)
    if address is None:
        faults["email"] = _("This is no e-mail address.")
    if not 0 < len(one_line(name)) <= MAX_NAME:
        faults["name"] = _("A name has 1 to %(most)s characters.", most=MAX_NAME)
    if len(password) < MIN_LENGTH:
        faults["password"] = _("A password has at least %(least)s characters.", least=MIN_LENGTH)
    if faults or address is None:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return address, one_line(name)


def _checked_name(name: str) -> str:
    shown = one_line(name)
    if not 0 < len(shown) <= MAX_NAME:
        sentence = _("A name has 1 to %(most)s characters.", most=MAX_NAME)
        raise InvalidInput(sentence, fields={"name": sentence})
    return shown
