"""How a tenant's pages look: its theme, and what it chose of the theme's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from regulars.contracts.context import Branding, Context, TenantSnapshot
from regulars.contracts.errors import InvalidInput
from regulars.domain.audit.service import record
from regulars.domain.staff.permissions import require
from regulars.domain.tenants import repository
from regulars.domain.tenants.naming import SANDBOX_SUFFIX
from regulars.domain.tenants.profile import Profile, check_profile
from regulars.kernel.db.database import TenantSession
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.theme_files import Theme
from regulars.kernel.templating.theme_settings import ThemeField, Value, fonts_of, in_force, value_faults
from regulars.kernel.templating.themes import DEFAULT_THEME, Themes

PRIMARY = "primary"
"""The setting that is the tenant's brand colour, whatever the theme."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look as pages are made with it.

    Attributes:
        theme: its name; the default one where the tenant's is not installed (any more).
        fields: what can be set.
        values: key → value in force.
        fonts: families that the pages need.
    """

    theme: str
    fields: Sequence[ThemeField]
    values: Mapping[str, Value]
    fonts: Sequence[str]


@dataclass(frozen=True, slots=True)
class WantedLook:
    """A look as somebody chose it.

    Attributes:
        values: setting → value; `primary` is the brand colour, what is missing has the theme's default.
        logo: name of the stored logo, empty for none; `None` leaves it as it is.
    """

    theme: str
    values: Mapping[str, Value]
    logo: str | None = None


def look_of(themes: Themes, tenant: TenantSnapshot) -> Look:
    """How a tenant's pages look now."""
    offered = {theme.name for theme in offered_to(themes, tenant)}
    name = tenant.theme if tenant.theme in offered else DEFAULT_THEME
    branding, fields = tenant.branding, themes.fields(name)
    primary: dict[str, Value] = {PRIMARY: branding.primary_color}
    values = primary | in_force(fields, {**branding.theme_values.get(name, {}), **primary})
    return Look(name, fields, values, fonts_of(fields, values))


def offered_to(themes: Themes, tenant: TenantSnapshot) -> Sequence[Theme]:
    """The themes that a tenant may wear; a sandbox may wear those of its live side."""
    return themes.offered(tenant.slug.removesuffix(SANDBOX_SUFFIX) if tenant.is_sandbox else tenant.slug)


def dressed(tenant: TenantSnapshot, wanted: WantedLook) -> TenantSnapshot:
    """The tenant as it would look, for a preview; nothing is checked or kept."""
    return replace(tenant, theme=wanted.theme, branding=_branding(tenant.branding, wanted))


async def set_look(session: TenantSession, ctx: Context, themes: Themes, wanted: WantedLook) -> None:
    """Change the tenant's theme, its settings and the brand colour.

    Args:
        session: the tenant's.
        ctx: needs `branding.manage`.
        themes: of the installation.
        wanted: the values of other themes stay for when they are worn again.

    Raises:
        Forbidden: without the permission.
        InvalidInput: one sentence per setting; under `theme` for one that the tenant is not offered.
    """
    require(ctx, "branding.manage")
    if wanted.theme not in {theme.name for theme in offered_to(themes, ctx.tenant)}:
        sentence = _("Choose one of the themes.")
        raise InvalidInput(sentence, fields={"theme": sentence})
    faults = value_faults(themes.fields(wanted.theme), wanted.values)
    if faults:
        raise InvalidInput(" ".join(faults.values()), fields=faults)
    await _store(session, ctx, wanted)


async def reset_look(session: TenantSession, ctx: Context, themes: Themes) -> None:
    """Give the theme's own settings back; theme, brand colour, name and logo stay.

    Args:
        session: the tenant's.
        ctx: needs `branding.manage`.
        themes: of the installation.

    Raises:
        Forbidden: without the permission.
    """
    require(ctx, "branding.manage")
    worn = look_of(themes, ctx.tenant)
    await _store(session, ctx, WantedLook(worn.theme, {PRIMARY: ctx.tenant.branding.primary_color}))


async def _store(session: TenantSession, ctx: Context, wanted: WantedLook) -> None:
    row = await session.one_or_none(repository.TENANT, {"tenant_id": session.tenant_id})
    assert row is not None
    before = Profile.of(row._mapping)
    after = replace(before, theme=wanted.theme, branding=_branding(before.branding, wanted))
    check_profile(after)
    if after == before:
        return
    changed = {"theme": after.theme, "branding": asdict(after.branding)}
    await session.execute(repository.update_tenant(changed), {"tenant_id": session.tenant_id})
    details = {"theme": wanted.theme, "before": before.theme, "values": dict(wanted.values)}
    await record(session, ctx, "tenant.look_changed", "tenant", session.tenant_id, details)


def _branding(present: Branding, wanted: WantedLook) -> Branding:
    """The branding with the wanted values; the brand colour stands where mails and the program's page have it too."""
    own = {key: value for key, value in wanted.values.items() if key != PRIMARY}
    return replace(
        present,
        primary_color=str(wanted.values.get(PRIMARY, present.primary_color)),
        logo=present.logo if wanted.logo is None else wanted.logo,
        theme_values={**present.theme_values, wanted.theme: own},
    )
