"""Features and limits at work: the refusal that names the offering which has what is asked for."""

from __future__ import annotations

from regulars.contracts.context import Context, TenantSnapshot
from regulars.contracts.errors import FeatureNotInOffering, LimitReached
from regulars.domain.tenants.offerings import OfferingInfo, list_offerings
from regulars.kernel.db.database import Session
from regulars.kernel.i18n import gettext as _


async def offering_with(session: Session, feature: str) -> OfferingInfo | None:
    """The lowest offering that includes a feature, `None` when none does."""
    offerings = await list_offerings(session)
    return next((offering for offering in offerings if feature in offering.features), None)


async def offering_with_more(session: Session, limit: str, more_than: int) -> OfferingInfo | None:
    """The lowest offering whose limit is higher than a number, `None` when none is."""
    offerings = await list_offerings(session)
    return next((offering for offering in offerings if offering.allows(limit, more_than)), None)


async def not_included(session: Session, tenant: TenantSnapshot, feature: str) -> FeatureNotInOffering:
    """The error for a feature that the tenant does not have, naming the offering that has it.

    Args:
        session: of the tenant or the platform.
        tenant: who asked.
        feature: a host feature, a plugin or a plugin's flag.
    """
    found = await offering_with(session, feature)
    extra = {"feature": feature, "offering": tenant.offering, "included_in": found.code if found else None}
    if found is None or found.code == tenant.offering:
        return FeatureNotInOffering(_("This is switched off for you. Please ask us for it."), extra=extra)
    return FeatureNotInOffering(
        _("Your offering does not include this; it is part of %(offering)s.", offering=found.title), extra=extra
    )


async def require_feature(session: Session, ctx: Context, feature: str) -> None:
    """Refuse when the tenant does not have a feature.

    Raises:
        FeatureNotInOffering: naming the offering that has it.
    """
    if not ctx.tenant.has(feature):
        raise await not_included(session, ctx.tenant, feature)


async def require_room(session: Session, ctx: Context, limit: str, used: int) -> None:
    """Refuse when one more would be beyond the tenant's limit.

    Args:
        session: the tenant's.
        ctx: whose limit.
        limit: its name, e.g. `shops`.
        used: how many there are; the caller holds a lock that keeps it true.

    Raises:
        LimitReached: naming the limit and the offering that has more.
    """
    allowed = ctx.tenant.limit(limit)
    if allowed is None or used < allowed:
        return
    found = await offering_with_more(session, limit, used)
    sentence = _("You have used %(used)s of %(allowed)s.", used=used, allowed=allowed)
    if found is not None:
        sentence += " " + _("%(offering)s has more.", offering=found.title)
    extra = {
        "limit": limit,
        "used": used,
        "allowed": allowed,
        "offering": ctx.tenant.offering,
        "included_in": found.code if found else None,
    }
    raise LimitReached(sentence, extra=extra)
