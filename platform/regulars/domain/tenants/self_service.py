"""What a merchant changes of the own tenant: name and looks, languages, the switches of plugins."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from regulars.contracts.context import Branding, Context
from regulars.domain.audit.service import record
from regulars.domain.staff.permissions import require
from regulars.domain.tenants import repository
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.effective import Inputs, StoredOverride, entitlements
from regulars.domain.tenants.limits import not_included
from regulars.domain.tenants.profile import Profile, check_profile
from regulars.domain.wallets.soon import sync_soon
from regulars.kernel.db.database import TenantSession
from regulars.kernel.entitlements.rules import Override


async def set_branding(session: TenantSession, ctx: Context, name: str, branding: Branding) -> None:
    """Change what the tenant is called and looks like.

    Args:
        session: the tenant's.
        ctx: needs `branding.manage`.
        name: shown everywhere.
        branding: its logo is stored by whoever took the upload.

    Raises:
        Forbidden: without the permission.
        InvalidInput: one sentence per field.
    """
    require(ctx, "branding.manage")
    after = replace(await _own(session), name=name, branding=branding)
    check_profile(after)
    await _change(session, ctx, {"name": name, "branding": asdict(branding)})


async def set_languages(session: TenantSession, ctx: Context, locales: tuple[str, ...], default: str) -> None:
    """Choose the languages of the tenant's pages.

    Args:
        session: the tenant's.
        ctx: needs `branding.manage`.
        locales: at least one.
        default: one of them.

    Raises:
        Forbidden: without the permission.
        InvalidInput: one sentence per field.
    """
    require(ctx, "branding.manage")
    check_profile(replace(await _own(session), locales=locales, default_locale=default))
    await _change(session, ctx, {"locales": list(locales), "default_locale": default})


async def prove_address(session: TenantSession, ctx: Context) -> None:
    """An owner has used a link that came by mail: nothing has to be proved any more.

    A merchant that was suspended because nobody had done so works again, with its sandbox.

    Args:
        session: the tenant's.
        ctx: the owner.
    """
    if ctx.tenant.verify_by is None:
        return
    await session.execute(repository.PROVE_ADDRESS)
    details = {"reactivated": True} if ctx.tenant.is_unproved else {}
    await record(session, ctx, "tenant.verified", "tenant", session.tenant_id, details)


async def switch_plugin(session: TenantSession, ctx: Context, catalogue: Catalogue, plugin: str, *, on: bool) -> None:
    """Switch a plugin that the tenant is entitled to on or off; its data stays.

    Args:
        session: the tenant's.
        ctx: needs `plugins.manage`.
        catalogue: the known names.
        plugin: a loaded plugin.
        on: whether it is wanted.

    Raises:
        Forbidden: without the permission.
        InvalidInput: there is no such plugin.
        FeatureNotInOffering: it is to be switched on, but the offering does not include it.
    """
    require(ctx, "plugins.manage")
    catalogue.check_plugin(plugin)
    if on and not await _entitled(session, ctx, catalogue, plugin):
        raise await not_included(session, ctx.tenant, plugin)
    await session.execute(repository.SET_SWITCH, {"tenant_id": session.tenant_id, "plugin": plugin, "switched_on": on})
    await record(session, ctx, "plugin.switched", "tenant", session.tenant_id, {"plugin": plugin, "on": on})


async def _entitled(session: TenantSession, ctx: Context, catalogue: Catalogue, plugin: str) -> bool:
    """Whether the tenant may have a plugin, whatever its own switches say; also where an operator has killed it."""
    raw = await session.scalar(repository.RESOLVE_HOST, {"host": ctx.tenant.host})
    overrides = [
        StoredOverride(Override(row["name"], row["kind"], row["value"], _time(row["expires_at"])), "")
        for row in raw["overrides"]
    ]
    inputs = replace(Inputs.of(raw, overrides, []), switches={})
    return plugin in entitlements(catalogue, inputs).enabled


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


async def _own(session: TenantSession) -> Profile:
    row = await session.one_or_none(repository.TENANT, {"tenant_id": session.tenant_id})
    assert row is not None
    return Profile.of(row._mapping)


async def _change(session: TenantSession, ctx: Context, values: dict[str, Any]) -> None:
    await session.execute(repository.update_tenant(values), {"tenant_id": session.tenant_id})
    await record(session, ctx, "tenant.profile_changed", "tenant", session.tenant_id, {"changed": values})
    await sync_soon(session)
