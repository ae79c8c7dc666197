"""Tenants as the platform sees them: create, change, suspend. Every call is audited with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from regulars.contracts.errors import Conflict, InvalidInput, NotFound
from regulars.domain.audit.actors import Actor
from regulars.domain.audit.service import record_platform
from regulars.domain.tenants import repository
from regulars.domain.tenants.families import Relative, lock_family, record_operation
from regulars.domain.tenants.naming import check_slug, sandbox_slug, tenant_host
from regulars.domain.tenants.offerings import list_offerings, missing_from
from regulars.domain.tenants.profile import Profile, check_profile
from regulars.domain.tenants.reasons import require_reason
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import PlatformSession, Session
from regulars.kernel.i18n import gettext as _

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant to be made.

    Attributes:
        slug: its sub-domain.
        offering: code.
        base_domain: the platform's domain it lives on.
        shop: name of its first shop; the tenant's own name when empty.
        shop_address: one line for people.
    """

    slug: str
    offering: str
    base_domain: str
    profile: Profile
    shop: str = ""
    shop_address: str = ""


@dataclass(frozen=True, slots=True)
class CreatedTenant:
    """The new tenant and its sandbox."""

    id: UUID
    sandbox_id: UUID


async def add_platform(session: PlatformSession, actor: Actor, base_domain: str, name: str) -> None:
    """Make a base domain known; does nothing when it is.

    Args:
        session: the platform's.
        actor: who.
        base_domain: without a leading dot.
        name: the platform's brand on it.
    """
    if await session.scalar(repository.ADD_PLATFORM, {"base_domain": base_domain, "name": name}) is not None:
        await record_platform(session, actor, "platform.added", session.reason, base_domain, {"name": name})


async def create(session: PlatformSession, actor: Actor, new: NewTenant, *, reason: str) -> CreatedTenant:
    """Make a tenant with its host, a first shop and a sandbox of its own.

    Args:
        session: the platform's; the base domain must be known.
        actor: who.
        new: what.
        reason: why.

    Raises:
        InvalidInput: the slug is reserved or malformed, or the profile has faults.
        NotFound: there is no such offering.
        Conflict: the slug or its host is taken.
    """
    text = require_reason(reason)
    check_slug(new.slug)
    check_profile(new.profile)
    await _require_offering(session, new.offering)
    live = await _insert(session, new, new.slug, None)
    sandbox = await _insert(session, new, sandbox_slug(new.slug), live)
    family = [
        Relative(live, new.slug, "active", new.offering, None),
        Relative(sandbox, sandbox_slug(new.slug), "active", new.offering, live),
    ]
    await record_operation(session, actor, family, "tenant.created", text, {"offering": new.offering})
    return CreatedTenant(live, sandbox)


async def change_profile(
    session: PlatformSession, actor: Actor, tenant_id: UUID, profile: Profile, *, reason: str
) -> list[str]:
    """Change what a tenant is called and looks like, and its sandbox with it.

    Returns:
        Names of the columns that changed.

    Raises:
        NotFound: there is no such tenant.
        InvalidInput: the profile has faults.
    """
    text = require_reason(reason)
    check_profile(profile)
    family = await lock_family(session, tenant_id)
    row = await session.one_or_none(repository.TENANT, {"tenant_id": tenant_id})
    assert row is not None
    wanted = profile.columns()
    changed = [name for name, value in wanted.items() if row._mapping[name] != value]
    if changed:
        values = {name: wanted[name] for name in changed}
        await _update(session, family, values)
        await record_operation(session, actor, family, "tenant.profile_changed", text, {"changed": values})
    return changed


async def set_offering(session: PlatformSession, actor: Actor, tenant_id: UUID, offering: str, *, reason: str) -> None:
    """Give a tenant and its sandbox another offering.

    A downgrade deletes nothing: what the new offering lacks is out of sight until it is there again.

    Raises:
        NotFound: there is no such tenant or offering.
    """
    text = require_reason(reason)
    await _require_offering(session, offering)
    family = await lock_family(session, tenant_id)
    if family[0].offering == offering:
        return
    await _update(session, family, {"offering": offering})
    details = {"before": family[0].offering, "after": offering}
    await record_operation(session, actor, family, "tenant.offering_changed", text, details)


async def set_status(
    session: PlatformSession,
    actor: Actor,
    tenant_id: UUID,
    status: Literal["active", "suspended"],
    *,
    reason: str,
    unproved: bool = False,
) -> None:
    """Suspend a tenant and its sandbox, or let them work again; nothing of theirs is touched.

    Whoever lets one work again vouches for it: its owner's address need not prove right any more. Whoever suspends one
    for another reason settles that, too: proving the address does not end the suspension.

    Args:
        session: the platform's.
        actor: who.
        tenant_id: the tenant.
        status: what it is to be.
        reason: why.
        unproved: it is suspended only because no owner's address has proved right, which an owner can still do.

    Raises:
        NotFound: there is no such tenant.
        Conflict: the tenant was closed for good.
    """
    text = require_reason(reason)
    family = await lock_family(session, tenant_id)
    if family[0].status == status and (unproved or status == "active"):
        return
    if family[0].status == "closed":
        raise Conflict(_("This tenant was closed."))
    settled: dict[str, object] = {} if unproved else {"verify_by": None}
    await _update(session, family, {"status": status, **settled})
    action = "tenant.suspended" if status == "suspended" else "tenant.reactivated"
    await record_operation(session, actor, family, action, text)


async def add_host(
    session: PlatformSession, actor: Actor, tenant_id: UUID, host: str, *, primary: bool, reason: str
) -> bool:
    """Let a tenant answer on a further host name.

    Args:
        session: the platform's.
        actor: who.
        tenant_id: the tenant; its sandbox is not meant.
        host: lower-case host name without port.
        primary: whether links are built with it from now on.
        reason: why.

    Returns:
        Whether anything changed.

    Raises:
        NotFound: there is no such tenant.
        InvalidInput: no host name.
        Conflict: it belongs to another tenant.
    """
    text = require_reason(reason)
    if not _HOST.fullmatch(host):
        sentence = _("“%(host)s” is no host name.", host=host)
        raise InvalidInput(sentence, fields={"host": sentence})
    family = await lock_family(session, tenant_id)
    known = await session.one_or_none(repository.HOST, {"host": host})
    if known is not None and known.tenant_id != tenant_id:
        raise Conflict(_("“%(host)s” belongs to another tenant.", host=host))
    if known is not None and (known.is_primary or not primary):
        return False
    if known is None:
        row = {"host": host, "tenant_id": tenant_id, "is_primary": False}
        await session.execute(repository.INSERT_HOST, row)
    if primary:
        await session.execute(repository.SET_PRIMARY_HOST, {"of_tenant": tenant_id, "primary_host": host})
    details = {"host": host, "primary": primary}
    await record_operation(session, actor, family[:1], "tenant.host_added", text, details)
    return True


async def move_to_base(
    session: PlatformSession, actor: Actor, tenant_id: UUID, base_domain: str, *, reason: str
) -> bool:
    """Let a tenant and its sandbox answer below another base domain; their old hosts keep answering.

    Args:
        session: the platform's; the base domain must be known.
        actor: who.
        tenant_id: the live tenant.
        base_domain: the new one; links are built with it.
        reason: why.

    Returns:
        Whether anything changed.
    """
    family = await lock_family(session, tenant_id)
    changed = [
        await add_host(session, actor, one.id, tenant_host(one.slug, base_domain), primary=True, reason=reason)
        for one in family
    ]
    if any(changed):
        await _update(session, family, {"base_domain": base_domain})
    return any(changed)


async def find_by_slug(session: Session, slug: str) -> UUID | None:
    """The id of the tenant of that name."""
    found: UUID | None = await session.scalar(repository.TENANT_BY_SLUG, {"slug": slug})
    return found


async def family_ids(session: PlatformSession, tenant_id: UUID) -> list[UUID]:
    """A tenant and, when it is a live one, its sandbox; the tenant itself first."""
    sandbox = await session.scalar(repository.SANDBOX, {"tenant_id": tenant_id})
    return [tenant_id] if sandbox is None else [tenant_id, sandbox]


async def get_profile(session: PlatformSession, tenant_id: UUID) -> Profile:
    """What a tenant is called and looks like.

    Raises:
        NotFound: there is no such tenant.
    """
    row = await session.one_or_none(repository.TENANT, {"tenant_id": tenant_id})
    if row is None:
        raise NotFound(_("There is no such tenant."))
    return Profile.of(row._mapping)


async def _insert(session: PlatformSession, new: NewTenant, slug: str, live_tenant_id: UUID | None) -> UUID:
    tenant_id = new_id()
    row = {
        "id": tenant_id,
        "slug": slug,
        "base_domain": new.base_domain,
        "live_tenant_id": live_tenant_id,
        "offering": new.offering,
        **new.profile.columns(),
    }
    if await session.scalar(repository.INSERT_TENANT, row) is None:
        raise name_taken(slug)
    host = tenant_host(slug, new.base_domain)
    if await session.one_or_none(repository.HOST, {"host": host}) is not None:
        raise Conflict(_("“%(host)s” belongs to another tenant.", host=host))
    await session.execute(repository.INSERT_HOST, {"host": host, "tenant_id": tenant_id, "is_primary": True})
    name = new.shop or new.profile.name
    shop = {"tenant_id": tenant_id, "id": new_id(), "name": name, "address": new.shop_address}
    await session.execute(repository.INSERT_SHOP, shop)
    return tenant_id


def name_taken(slug: str) -> Conflict:
    """The error for a name that somebody else has."""
    sentence = _("The name “%(name)s” is taken, please choose another one.", name=slug)
    return Conflict(sentence, extra={"fields": {"slug": sentence}})


async def _require_offering(session: Session, code: str) -> None:
    offerings = await list_offerings(session)
    if code not in {offering.code for offering in offerings}:
        raise missing_from(offerings, code)


async def _update(session: PlatformSession, family: Sequence[Relative], values: dict[str, object]) -> None:
    for tenant in family:
        await session.execute(repository.update_tenant(values), {"tenant_id": tenant.id})
