"""What stands around a page, made from the request: brand, languages, navigation, messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regulars.contracts.context import ANONYMOUS, TenantSnapshot
from regulars.contracts.i18n import N_
from regulars.domain.staff.permissions import ROLE_TITLES
from regulars.domain.tenants.looks import Look
from regulars.kernel.i18n import format_date, language_name
from regulars.kernel.i18n import gettext as _
from regulars.kernel.templating.chrome import Chrome, Flash, Language
from regulars.kernel.templating.theme_settings import ImageField, Value
from regulars.web.areas import language_url
from regulars.web.assets import brand_css_url, tenant_asset_url
from regulars.web.locales import locales_of
from regulars.web.navigation import Frame, Navigation

PLATFORM_NAME = "Regulars"


def make_chrome(frame: Frame, navigation: Navigation, flashes: Sequence[Flash], look: Look | None) -> Chrome:
    """Everything around a page.

    Args:
        frame: the page's surroundings.
        navigation: of its area.
        flashes: messages to show.
        look: the tenant's, `None` on the platform's own pages.
    """
    tenant = frame.tenant
    signed_in = frame.principal is not ANONYMOUS
    logo_url = tenant_asset_url(tenant, tenant.branding.logo) if tenant and tenant.branding.logo else ""
    return Chrome(
        name=tenant.name if tenant else PLATFORM_NAME,
        locale=frame.locale,
        home_url=navigation.home_url,
        logo_url=logo_url,
        icon_url=logo_url,
        brand_css_url=brand_css_url(tenant) if tenant else "",
        theme_color=tenant.branding.primary_color if tenant else "",
        look=_look_values(tenant, look) if tenant and look else {},
        fonts=look.fonts if look else (),
        languages=_languages(frame),
        nav=navigation.nav,
        account=navigation.account,
        legal=navigation.legal,
        user_name=frame.principal.name if signed_in else "",
        user_role=_role_title(frame.principal.role) if signed_in else "",
        search_url=navigation.search_url,
        flashes=flashes,
        sandbox=tenant.is_sandbox if tenant else False,
        verify_by=_verify_by(frame),
        powered_by="" if tenant is None or tenant.has("white_label") else PLATFORM_NAME,
    )


def _look_values(tenant: TenantSnapshot, look: Look) -> Mapping[str, Value]:
    """The settings as templates see them: images as addresses."""
    images = {field.key for field in look.fields if isinstance(field, ImageField)}
    return {
        key: tenant_asset_url(tenant, str(value)) if value and key in images else value
        for key, value in look.values.items()
    }


def _verify_by(frame: Frame) -> str:
    if frame.tenant is None or frame.tenant.verify_by is None or frame.principal.role != "owner":
        return ""
    return format_date(frame.tenant.verify_by, "long")


def _role_title(role: str) -> str:
    titles = {**{str(name): title for name, title in ROLE_TITLES.items()}, "operator": N_("Operator")}
    return _(titles[role]) if role in titles else ""


def _languages(frame: Frame) -> Sequence[Language]:
    codes, url = locales_of(frame.tenant), language_url(frame.area)
    if len(codes) < 2:
        return ()
    return tuple(
        Language(code=code, name=language_name(code), url=url, next=frame.here, active=code == frame.locale)
        for code in codes
    )
