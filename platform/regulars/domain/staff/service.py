"""Staff of a tenant: who works there, in which role, with which PIN and password.

Nobody gives or takes away a role above the own one, and the last owner stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from regulars.contracts.context import Context
from regulars.contracts.errors import Conflict, Forbidden, InvalidInput, NotFound
from regulars.domain.audit import service as audit
from regulars.domain.members.normalise import normal_email
from regulars.domain.staff import pins, repository, sessions
from regulars.domain.staff.permissions import ROLES, outranks, require
from regulars.kernel import passwords
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.db.locks import lock
from regulars.kernel.i18n import gettext as _
from regulars.kernel.text import one_line

MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who works for the tenant.

    Attributes:
        email: of those who can sign in with a password, else `None`.
        pin_used_at: when the PIN was used last.
        pin_locked_until: set while the PIN is locked.
    """

    id: UUID
    name: str
    role: str
    status: str
    email: str | None
    has_password: bool
    has_pin: bool
    pin_used_at: datetime | None
    pin_locked_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A tile of the terminal: somebody with a PIN."""

    id: UUID
    name: str
    role: str
    pin_locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class StaffDraft:
    """What a person can say about a staff member.

    Attributes:
        role: owner, manager or staff.
        email: needed for signing in with a password, empty for none.
    """

    name: str
    role: str
    email: str = ""


async def list_staff(session: TenantSession, ctx: Context) -> Sequence[StaffMember]:
    """Everybody who works here: owners, managers, staff, by name.

    Raises:
        Forbidden: without `staff.view`.
    """
    require(ctx, "staff.view")
    rows = await session.rows(repository.LIST, {"tenant": session.tenant_id})
    return [_member(row) for row in rows]


async def on_duty(session: TenantSession, ctx: Context) -> Sequence[OnDuty]:
    """Everybody who has a PIN, by name: the tiles before the PIN pad.

    Raises:
        Forbidden: without `terminal.use` or `staff.view`.
    """
    require(ctx, "terminal.use", "staff.view")
    rows = await session.rows(repository.ON_DUTY, {"tenant": session.tenant_id})
    return [OnDuty(**row._mapping) for row in rows]


async def get(session: TenantSession, ctx: Context, staff_id: UUID) -> StaffMember:
    """One person, also when dismissed.

    Raises:
        Forbidden: without `staff.view`.
        NotFound: the tenant has nobody with that id.
    """
    require(ctx, "staff.view")
    return _one(await session.one_or_none(repository.GET, {"tenant": session.tenant_id, "staff": staff_id}))


async def add(
    session: TenantSession, ctx: Context, draft: StaffDraft, staff_id: UUID | None = None
) -> StaffMember | None:
    """Add somebody; PIN and password are set afterwards.

    Args:
        session: the transaction.
        ctx: who acts; needs `staff.manage`.
        draft: the person.
        staff_id: key of the new row where the caller chose it, so that a form sent twice adds one person.

    Returns:
        The person; `None` when there is a row of that key already, and nothing was changed.

    Raises:
        Forbidden: without `staff.manage`, or the role is above the own one.
        InvalidInput: a field cannot be used.
        Conflict: somebody here has this e-mail address.
    """
    require(ctx, "staff.manage")
    staff_id = staff_id or new_id()
    name, role, email = await _checked(session, ctx, staff_id, draft)
    values = {"tenant_id": session.tenant_id, "id": staff_id, "name": name, "role": role, "email": email}
    if await session.scalar(repository.INSERT, values) is None:
        return None
    await audit.record(session, ctx, "staff.added", "staff", staff_id, {"role": role})
    return await _read(session, staff_id)


async def change(session: TenantSession, ctx: Context, staff_id: UUID, draft: StaffDraft) -> StaffMember:
    """Change name, role and e-mail address; arguments and errors as for `add`.

    Raises:
        NotFound: nobody with that id works here.
        Conflict: the last owner would lose the role.
    """
    before = await _for_change(session, ctx, staff_id)
    name, role, email = await _checked(session, ctx, staff_id, draft)
    if before.role == "owner" and role != "owner":
        await _require_other_owner(session, staff_id)
    await session.execute(
        repository.CHANGE,
        {"tenant": session.tenant_id, "staff": staff_id, "new_name": name, "new_role": role, "new_email": email},
    )
    details = {"role_before": before.role, "role": role, "email_changed": before.email != email}
    await audit.record(session, ctx, "staff.changed", "staff", staff_id, details)
    return await _read(session, staff_id)


async def patch(
    session: TenantSession, ctx: Context, staff_id: UUID, *, name: str | None, role: str | None
) -> StaffMember:
    """Change name or role, `None` to leave it as it is under the row's lock; arguments and errors as for `change`."""
    before = await _for_change(session, ctx, staff_id)
    draft = StaffDraft(before.name if name is None else name, before.role if role is None else role, before.email or "")
    return await change(session, ctx, staff_id, draft)


async def set_language(session: TenantSession, ctx: Context, locale: str) -> None:
    """Keep the language that the signed-in person has chosen, for pages and mails.

    Args:
        session: the transaction.
        ctx: the person.
        locale: one of the tenant's locales.
    """
    staff_id = ctx.principal.id
    key = {"tenant": session.tenant_id, "staff": staff_id}
    if await session.scalar(repository.SET_LANGUAGE, {**key, "new_locale": locale}) is not None:
        await audit.record(session, ctx, "staff.changed", "staff", staff_id, {"fields": ["locale"]})


async def dismiss(session: TenantSession, ctx: Context, staff_id: UUID) -> None:
    """Take somebody off the staff: sessions end, PIN and password are gone at once; what was recorded stays.

    Raises:
        NotFound: nobody with that id works here.
        Conflict: it is the last owner.
    """
    before = await _for_change(session, ctx, staff_id)
    if before.role == "owner":
        await _require_other_owner(session, staff_id)
    await session.execute(repository.DEACTIVATE, {"tenant": session.tenant_id, "staff": staff_id})
    await sessions.close_all(session, sessions.Holder("staff", staff_id))
    await audit.record(session, ctx, "staff.dismissed", "staff", staff_id, {"role": before.role})


async def set_pin(session: TenantSession, ctx: Context, staff_id: UUID, pin: str, pepper: bytes) -> None:
    """Give somebody a chosen PIN; it also ends a lock.

    Args:
        session: the transaction.
        ctx: who acts; needs `staff.manage`.
        staff_id: whose PIN.
        pin: four digits, not one that anybody would try first.
        pepper: key of the PIN hashes.

    Raises:
        InvalidInput: the PIN cannot be used, under the field `pin`.
        NotFound: nobody with that id works here.
    """
    await _for_change(session, ctx, staff_id)
    _check_pin_text(pin)
    hashed = pins.pin_hash(pepper, session.tenant_id, staff_id, pin)
    await session.execute(repository.SET_PIN, {"tenant": session.tenant_id, "staff": staff_id, "new_hash": hashed})
    await audit.record(session, ctx, "staff.pin_set", "staff", staff_id)


async def renew_pin(session: TenantSession, ctx: Context, staff_id: UUID, pepper: bytes) -> str:
    """Give somebody a random PIN; arguments and errors as for `set_pin`.

    Returns:
        The PIN, to be shown once: it cannot be read again.
    """
    pin = pins.generate_pin()
    await set_pin(session, ctx, staff_id, pin, pepper)
    return pin


async def unlock_pin(session: TenantSession, ctx: Context, staff_id: UUID) -> None:
    """End the lock of a PIN, at once and for every till; the PIN stays the same.

    Raises:
        Forbidden: without `staff.manage`.
        NotFound: nobody with that id works here.
    """
    require(ctx, "staff.manage")
    await _locked_row(session, staff_id)
    await session.execute(repository.UNLOCK_PIN, {"tenant": session.tenant_id, "staff": staff_id})
    await audit.record(session, ctx, "staff.pin_unlocked", "staff", staff_id)


async def set_password(session: TenantSession, ctx: Context, staff_id: UUID, password: str) -> None:
    """Give somebody a password; all other sessions of that person end.

    Args:
        session: the transaction.
        ctx: who acts: the person, or somebody with `staff.manage`.
        staff_id: whose password.
        password: as typed, 10 to 256 characters.

    Raises:
        InvalidInput: too short or too long, or there is no e-mail address to sign in with.
        NotFound: nobody with that id works here.
    """
    own = ctx.principal.kind == "staff" and ctx.principal.id == staff_id
    person = await _locked_row(session, staff_id) if own else await _for_change(session, ctx, staff_id)
    if person.email is None:
        raise _invalid(email=_("Somebody who signs in needs an e-mail address."))
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        bounds = {"least": passwords.MIN_LENGTH, "most": passwords.MAX_LENGTH}
        raise _invalid(password=_("A password has %(least)s to %(most)s characters.", **bounds))
    hashed = await passwords.hash_password(password)
    await session.execute(repository.SET_PASSWORD, {"tenant": session.tenant_id, "staff": staff_id, "new_hash": hashed})
    await sessions.close_others(session, ctx, sessions.Holder("staff", staff_id))
    await audit.record(session, ctx, "staff.password_set", "staff", staff_id)


async def _for_change(session: TenantSession, ctx: Context, staff_id: UUID) -> StaffMember:
    """The locked row of somebody whom the principal may change."""
    require(ctx, "staff.manage")
    person = await _locked_row(session, staff_id)
    _require_rank(ctx, person.role)
    return person


async def _locked_row(session: TenantSession, staff_id: UUID) -> StaffMember:
    row = await session.one_or_none(repository.LOCK, {"tenant": session.tenant_id, "staff": staff_id})
    person = _one(row)
    if person.status != "active":
        raise NotFound(_("This person does not work here any more."))
    return person


async def _checked(
    session: TenantSession, ctx: Context, staff_id: UUID, draft: StaffDraft
) -> tuple[str, str, str | None]:
    name = one_line(draft.name)
    if not 0 < len(name) <= MAX_NAME:
        raise _invalid(name=_("A name of at most %(count)s characters is needed.", count=MAX_NAME))
    if draft.role not in ROLES:
        raise _invalid(role=_("Choose one of: %(roles)s.", roles=", ".join(ROLES)))
    _require_rank(ctx, draft.role)
    if not draft.email.strip():
        return name, draft.role, None
    email = normal_email(draft.email)
    await lock(session, "staff")
    taken = {"tenant": session.tenant_id, "staff": staff_id, "email": email}
    if await session.scalar(repository.EMAIL_TAKEN, taken) is not None:
        raise Conflict(_("Somebody here has this e-mail address already."))
    return name, draft.role, email


async def _require_other_owner(session: TenantSession, staff_id: UUID) -> None:
    await lock(session, "staff")
    others = await session.scalar(repository.COUNT_OTHER_OWNERS, {"tenant": session.tenant_id, "staff": staff_id})
    if not others:
        raise Conflict(_("This is the last owner. Make somebody else an owner first."))


async def _read(session: TenantSession, staff_id: UUID) -> StaffMember:
    return _one(await session.one_or_none(repository.GET, {"tenant": session.tenant_id, "staff": staff_id}))


def _require_rank(ctx: Context, role: str) -> None:
    if not outranks(ctx, role):
        raise Forbidden(_("Only an owner may do this for an owner."), extra={"permission": "staff.manage"})


def _check_pin_text(pin: str) -> None:
    if not pins.is_pin(pin):
        raise _invalid(pin=_("A PIN has exactly four digits."))
    if pins.is_trivial(pin):
        raise _invalid(pin=_("This PIN is too easy to guess. Please choose another one."))


def _one(row: Row[Any] | None) -> StaffMember:
    if row is None:
        raise NotFound(_("We could not find this person."))
    return _member(row)


def _member(row: Row[Any]) -> StaffMember:
    return StaffMember(**row._mapping)


def _invalid(**faults: str) -> InvalidInput:
    return InvalidInput(" ".join(faults.values()), fields=faults)
