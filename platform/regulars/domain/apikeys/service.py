"""API keys of a tenant: made, listed, revoked. A key is shown once; its scopes are permission names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from regulars.contracts.context import Context, TenantSnapshot
from regulars.contracts.errors import InvalidInput, NotFound
from regulars.domain.apikeys import repository
from regulars.domain.audit.service import record
from regulars.domain.staff.permissions import require
from regulars.domain.tenants.limits import require_feature
from regulars.kernel.db.base import new_id
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.keys import digest, new_key, shown_part
from regulars.kernel.text import one_line

FEATURE = "api_access"
PERMISSION = "apikeys.manage"
LIVE_PREFIX, TEST_PREFIX = "rk_live_", "rk_test_"
MAX_NAME = 80
NEVER = frozenset({PERMISSION})
"""What no key may do: make further keys."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made.

    Attributes:
        name: what it is for.
        permissions: its scopes.
        shop_id: the shop it is bound to, `None` for all.
    """

    name: str
    permissions: frozenset[str]
    shop_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key, to be shown once."""

    id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key in the list; `prefix` is all that is left of it."""

    id: UUID
    name: str
    prefix: str
    permissions: Sequence[str]
    shop_id: UUID | None
    created_at: datetime
    revoked_at: datetime | None


def key_prefix(tenant: TenantSnapshot) -> str:
    """How the tenant's keys begin: a sandbox's differ, so that nobody mixes them up."""
    return TEST_PREFIX if tenant.is_sandbox else LIVE_PREFIX


async def create(session: TenantSession, ctx: Context, new: NewKey) -> CreatedKey:
    """Make a key.

    Args:
        session: the tenant's.
        ctx: needs `apikeys.manage`; nobody can give a key a permission that is not the own.
        new: what.

    Raises:
        Forbidden: without the permission.
        FeatureNotInOffering: the offering has no API access; the problem names the one that has.
        InvalidInput: one sentence per field.
    """
    require(ctx, PERMISSION)
    await require_feature(session, ctx, FEATURE)
    name = await _checked(session, ctx, new)
    prefix = key_prefix(ctx.tenant)
    key, key_id = new_key(prefix), new_id()
    row = {
        "tenant_id": session.tenant_id,
        "id": key_id,
        "name": name,
        "prefix": shown_part(key, prefix),
        "key_hash": digest(key),
        "permissions": sorted(new.permissions),
        "shop_id": new.shop_id,
    }
    await session.execute(repository.INSERT, row)
    details = {"name": name, "permissions": sorted(new.permissions), "shop": new.shop_id}
    await record(session, ctx, "apikey.created", "api_key", key_id, details)
    return CreatedKey(key_id, key)


async def list_keys(session: TenantSession, ctx: Context) -> list[KeyInfo]:
    """The tenant's keys, those in force first, newest first.

    Raises:
        Forbidden: without the permission.
    """
    require(ctx, PERMISSION)
    return [KeyInfo(**row._mapping) for row in await session.rows(repository.LIST, {"of_tenant": session.tenant_id})]


async def revoke(session: TenantSession, ctx: Context, key_id: UUID) -> None:
    """End a key, whatever the offering says by now; the next request with it is refused.

    Raises:
        Forbidden: without the permission.
        NotFound: there is no such key, or it is revoked already.
    """
    require(ctx, PERMISSION)
    name = await session.scalar(repository.REVOKE, {"of_tenant": session.tenant_id, "key": key_id})
    if name is None:
        raise NotFound(_("There is no such key."))
    await record(session, ctx, "apikey.revoked", "api_key", key_id, {"name": name})


async def _checked(session: TenantSession, ctx: Context, new: NewKey) -> str:
    faults = {}
    name = one_line(new.name)
    if not 0 < len(name) <= MAX_NAME:
        faults["name"] = _("A name has 1 to %(most)s characters.", most=MAX_NAME)
    if not new.permissions:
        faults["permissions"] = _("Choose at least one permission.")
    elif foreign := sorted(new.permissions & NEVER or new.permissions - _own(ctx, new.permissions)):
        faults["permissions"] = _("You cannot give these permissions to a key: %(names)s.", names=", ".join(foreign))
    if new.shop_id is not None:
        where = {"of_tenant": session.tenant_id, "shop": new.shop_id}
        if await session.scalar(repository.HAS_SHOP, where) is None:
            faults["shop_id"] = _("There is no such shop.")
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    return name


def _own(ctx: Context, wanted: frozenset[str]) -> frozenset[str]:
    """What may be given away; the platform's own commands may give all."""
    return wanted if ctx.principal.kind == "system" else ctx.principal.permissions
