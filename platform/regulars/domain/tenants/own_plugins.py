"""The plugins as their tenant sees them: which are in force, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from regulars.contracts.context import Context
from regulars.domain.staff.permissions import require
from regulars.domain.tenants import repository
from regulars.domain.tenants.catalogue import Catalogue
from regulars.domain.tenants.effective import EffectiveFeature, Inputs, Killed, StoredOverride, explain_features
from regulars.kernel.db.database import TenantSession
from regulars.kernel.entitlements.rules import Override


async def own_plugins(session: TenantSession, ctx: Context, catalogue: Catalogue) -> Sequence[EffectiveFeature]:
    """Every loaded plugin with its state for this tenant, in loading order.

    Reasons are the operators' words and not told here.

    Args:
        session: the tenant's.
        ctx: needs `plugins.manage`.
        catalogue: the known names.

    Raises:
        Forbidden: without the permission.
    """
    require(ctx, "plugins.manage")
    raw = await session.scalar(repository.RESOLVE_HOST, {"host": ctx.tenant.host})
    overrides = [StoredOverride(_override(row), "") for row in raw["overrides"]]
    killed = [Killed(plugin, "", everybody=False) for plugin in raw["killed"]]
    found = explain_features(catalogue, Inputs.of(raw, overrides, killed))
    return [one for one in found if one.feature.kind == "plugin"]


def _override(row: dict[str, Any]) -> Override:
    ends = datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None
    return Override(row["name"], row["kind"], row["value"], ends)
